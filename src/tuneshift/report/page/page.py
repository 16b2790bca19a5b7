"""The page: one HTML file with everything in it, from what a study measured."""

from __future__ import annotations

from importlib import metadata, resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from tuneshift.findings.source import Results
from tuneshift.report.blocks.embedding import embedded_json, script_hash
from tuneshift.report.blocks.figures import Figure
from tuneshift.report.blocks.section import Picture, unfolded
from tuneshift.report.page.contents import Contents, contents
from tuneshift.report.page.mailable import without_folders
from tuneshift.study.store import write_atomically

SCRIPTS = (
    "core.js",
    "theme.js",
    "filters.js",
    "panels.js",
    "figures.js",
    "small_tables.js",
    "data_table.js",
    "claims.js",
    "heat_maps.js",
    "head_browser.js",
    "concept_browser.js",
    "pictures.js",
    "printing.js",
    "start.js",
)
"""The page's own scripts in the order they run; all of them share one scope."""


def write_report(results: Results, path: str | Path) -> Path:
    """Write the report of a study as one HTML file that needs no network, and return its path.

    A reader of the file sees the old report or the new one, never a part. Raises BadInput where the folder cannot be
    written.
    """
    path = Path(path)
    write_atomically(path, render(results).encode("utf-8"))
    return path


def render(results: Results) -> str:
    """Return the page as text."""
    made = without_folders(contents(results))
    scripts = [get_plotlyjs(), own_script()]
    policy = (
        f"default-src 'none'; script-src {' '.join(script_hash(s) for s in scripts)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
    )
    return _environment().get_template("report.html.j2").render(
        made=made, policy=policy, style=Markup(_asset("report.css")), data=Markup(embedded_json(_payload(made))), drawings=_drawings(made),
        version=metadata.version("tuneshift"),
        scripts=[Markup(script) for script in scripts],
    )  # fmt: skip


def own_script() -> str:
    """Return the page's own script: one function, so that it leaves no names behind."""
    return '"use strict";\n(() => {\n' + "\n".join(_asset(name) for name in SCRIPTS) + "\n})();\n"


def _payload(made: Contents) -> dict[str, Any]:
    """Return what the scripts read at once: what figures and pictures there are, and the tables."""
    figures: dict[str, Any] = {}
    pictures: dict[str, Any] = {}
    for section in made.sections:
        for block in unfolded(section.blocks):
            if isinstance(block, Figure):
                figures[block.key] = {"layout": block.layout}
            elif isinstance(block, Picture):
                pictures[block.key] = {"viewer": block.viewer}
    return {
        "name": made.name,
        "models": made.models,
        "dataSets": made.data_sets,
        "lastLayer": made.last_layer,
        "figures": figures,
        "pictures": pictures,
        "tables": made.tables,
    }


def _drawings(made: Contents) -> list[tuple[str, Markup]]:
    """Return the data of figures and pictures, each with the id of its own element: it is parsed when it is drawn."""
    found = []
    for section in made.sections:
        for block in unfolded(section.blocks):
            if isinstance(block, Figure):
                found.append((f"figures-data-{block.key}", Markup(embedded_json(block.data, digits=6))))
            elif isinstance(block, Picture):
                found.append((f"pictures-data-{block.key}", Markup(embedded_json(block.data))))
    return found


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("tuneshift.report.page"),
        autoescape=select_autoescape(("html", "j2"), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _asset(name: str) -> str:
    text = resources.files("tuneshift.report.page").joinpath("assets", name).read_text(encoding="utf-8")
    if "</script" in text.lower() or "</style" in text.lower():
        raise ValueError(f"the asset {name} would end its own element")
    return text
