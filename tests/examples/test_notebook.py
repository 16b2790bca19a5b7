"""The notebook runs as it stands, shows what it says, and is kept without the outputs of anybody's machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in code_cells(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


@pytest.mark.timeout(900)
def test_the_first_finding_runs_and_shows_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNESHIFT_DATA", raising=False)
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = nbformat.read(FOLDER / "first_finding.ipynb", as_version=4)
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute(env=dict(os.environ))
    shown = [_shown(cell) for cell in code_cells(notebook)]
    for text, words in zip(
        shown,
        [
            ("1,787,008", "4 of 128 units"),
            ("nested", "ceiling"),
            ("pearson_r", "delta_ll"),
            ("background:rgba", "<b>response</b> <span style='white-space:pre-wrap'>Once upon a time"),
            ("first_finding", "2 finished, 0 failed"),
            ("fable-2m-instruct", "difference"),
        ],
        strict=True,
    ):
        for word in words:
            assert word in text


def _shown(cell: Any) -> str:
    assert not [output for output in cell.outputs if output.output_type == "error"]
    return "".join(output.data.get("text/html", "") for output in cell.outputs if "data" in output)
