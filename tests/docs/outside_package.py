"""A package of somebody else, made of the files that a page shows, and Python that has it installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from pages import ROOT, titled


def write_package(page: str, folder: Path) -> Path:
    """Write the files that a page shows to a folder, with the metadata that `pip install` would make of them.

    With the folder on `sys.path` the package is installed, as far as Python can tell.
    """
    files = titled(page)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    if "pyproject.toml" in files:
        project = tomllib.loads(files["pyproject.toml"])["project"]
        metadata = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        metadata.mkdir()
        head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        (metadata / "METADATA").write_text(head, encoding="utf-8")
        (metadata / "entry_points.txt").write_text(_entry_points(project["entry-points"]), encoding="utf-8")
    return folder


def python(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own that has the package of that folder installed."""
    places = os.pathsep.join([str(ROOT / "src"), str(folder)])
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONSAFEPATH": "1", "PYTHONPATH": places} | environment,
        timeout=600,
        check=False,
    )


def _entry_points(groups: dict[str, dict[str, str]]) -> str:
    lines = []
    for group, entries in groups.items():
        lines += [f"[{group}]", *(f"{name} = {place}" for name, place in entries.items())]
    return "\n".join(lines) + "\n"
