"""A package of somebody else, made of the files that a page shows, and commands that see it installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from pages import ROOT, titled


def install(page: str, folder: Path) -> Path:
    """Write the files that a page shows to a folder, with the metadata that `pip install` would make of them."""
    files = titled(page)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    if "pyproject.toml" in files:
        project = tomllib.loads(files["pyproject.toml"])["project"]
        metadata = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        metadata.mkdir()
        head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        (metadata / "METADATA").write_text(head, encoding="utf-8")
        lines = [f"[{group}]\n{name} = {place}" for group, entries in project["entry-points"].items()
                 for name, place in entries.items()]  # fmt: skip
        (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def python(folder: Path, *words: str, installed: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, in a process of its own that has the package of that folder installed (or not)."""
    places = [str(ROOT / "src"), *([str(folder)] if installed else [])]
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(places)}
        | environment,
        timeout=280,
        check=False,
    )


def tuneshift(folder: Path, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line as `python` does."""
    return python(folder, "-m", "tuneshift", *words, **options)  # type: ignore[arg-type]
