"""Rules of the house that a machine can keep: no pickle, no code evaluated, nobody else's data, nothing crowded."""

from __future__ import annotations

import ast
import hashlib
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
EVERYTHING = sorted(path for room in ("src", "tests", "benchmarks", "tools") for path in (ROOT / room).rglob("*.py"))
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}
FORBIDDEN_CALLS = {
    "eval", "exec", "torch.load", "torch.save", "yaml.load", "yaml.unsafe_load", "yaml.full_load",
    "yaml.unsafe_load_all", "pd.read_pickle", "pandas.read_pickle", "os.system", "os.popen",
}  # fmt: skip


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_pickled_or_evaluated(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN_MODULES
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.module.split(".")[0] not in FORBIDDEN_MODULES
        if isinstance(node, ast.Call):
            name = _name(node.func)
            assert name not in FORBIDDEN_CALLS, f"line {node.lineno}: {name}"
            allowed = any(k.arg == "allow_pickle" and getattr(k.value, "value", True) for k in node.keywords)
            assert not allowed or "tests" in path.parts, f"line {node.lineno}: {name} allows pickles"
            unsafe = any(k.arg == "weights_only" and not getattr(k.value, "value", True) for k in node.keywords)
            assert not unsafe, f"line {node.lineno}: {name} loads more than weights"
            shell = any(k.arg == "shell" and getattr(k.value, "value", True) for k in node.keywords)
            assert not shell, f"line {node.lineno}: {name} hands text to a shell"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_is_a_dumping_ground(path: Path) -> None:
    assert path.stem not in ("utils", "util", "helpers", "common", "misc", "manager")
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, "this file holds more than one idea"


def test_no_file_of_anybody_elses_data_is_in_the_project(real_data: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    ours = {
        _digest(ROOT / name.decode()): name.decode() for name in tracked if name and (ROOT / name.decode()).is_file()
    }
    others = [
        path
        for path in real_data.rglob("*")
        if path.is_file() and "fable_instructions" not in path.parts and path.stat().st_size > 200
        and not path.name.lower().startswith("license")
    ]  # fmt: skip
    assert others
    assert not [ours[_digest(path)] for path in others if _digest(path) in ours]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
