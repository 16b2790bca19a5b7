"""A study runs each job once, keeps what it finished, and goes on past what fails."""

from __future__ import annotations

import errno
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from fake_study import FakeModel, fake_revision, load_fake

import tuneshift.study.store as store_module
from tuneshift.errors import BadInput, MeasurementFailed
from tuneshift.study import StudyResults, load_study, run
from tuneshift.study.cell import encode_result
from tuneshift.study.store import DamagedCell, Store


def study(tmp_path: Path, n_measurements: int = 3, **options: Any) -> dict[str, Any]:
    log = str(tmp_path / "log.txt")
    measurements = [{"kind": "counted", "number": k, "log": log, **options} for k in range(n_measurements)]
    return {"name": "x", "models": ["m0", {"model": "m1", "base": "m0"}], "measurements": measurements}


def go(what: Any, tmp_path: Path, **options: Any) -> StudyResults:
    options = {"load_model": load_fake, "revision_of": fake_revision, **options}
    return run(what, out=tmp_path / "out", **options)


def runs(tmp_path: Path) -> list[str]:
    return [line for line in (tmp_path / "log.txt").read_text().splitlines() if line.startswith("start")]


def cell_of(results: StudyResults, model: str, number: int) -> Path:
    found = next(c for c in results.cells if c.model == model and c.settings["number"] == number)
    return results.folder / "cells" / found.fingerprint


def test_the_output_folder_holds_the_files_that_other_programs_read(tmp_path: Path) -> None:
    results = go(study(tmp_path), tmp_path)
    assert {"study.yaml", "results.parquet", "results.csv", "cells"} <= {p.name for p in (tmp_path / "out").iterdir()}
    table = pd.read_parquet(tmp_path / "out" / "results.parquet")
    assert list(table.columns) == list(results.table.columns)
    assert len(table) == len(results.table) == 2 * 3 * 10
    assert table["value"].tolist() == pd.read_csv(tmp_path / "out" / "results.csv")["value"].tolist()
    assert set(table["fingerprint"]) == {p.name for p in (tmp_path / "out" / "cells").iterdir()}
    assert set(table["base_model"][table["model"] == "m1"]) == {"m0"}
    assert table["base_model"][table["model"] == "m0"].isna().all()
    assert not list((tmp_path / "out").rglob("*.pkl"))


def test_results_read_back_from_their_folder_are_the_same(tmp_path: Path) -> None:
    results = go(study(tmp_path), tmp_path)
    again = StudyResults.load(tmp_path / "out")
    pd.testing.assert_frame_equal(again.table, results.table)
    pd.testing.assert_frame_equal(again.pairs(), results.pairs())
    assert again.warnings == results.warnings == ["counted: made up [m0, m1]"]
    result = again.cells[0].result
    assert again.results[again.cells[0].fingerprint].table.equals(result.table)
    assert result.arrays["curve"].sel(layer=1, word="c").item() == result.arrays["curve"].values[1, 2]
    assert result.details == {"batch_size": 8, "missing": None}


def test_one_measurement_with_two_settings_is_told_apart_in_every_table(tmp_path: Path) -> None:
    results = go(study(tmp_path), tmp_path)
    written = pd.read_csv(tmp_path / "out" / "results.csv")
    for table in (results.table, pd.read_parquet(tmp_path / "out" / "results.parquet"), written):
        assert table.columns[-1] == "specification"
        assert set(table["specification"]) == {"counted", "counted number=1", "counted number=2"}
        assert (table.groupby("fingerprint")["specification"].nunique() == 1).all()
    assert "specification" not in results.cells[0].result.table  # a cell is one measurement: nothing to tell apart


def test_a_finished_cell_is_never_run_twice(tmp_path: Path) -> None:
    first = go(study(tmp_path), tmp_path)
    second = go(study(tmp_path), tmp_path)
    assert len(runs(tmp_path)) == 6
    pd.testing.assert_frame_equal(first.table, second.table)
    more = go(study(tmp_path, n_measurements=4), tmp_path)
    assert len(runs(tmp_path)) == 8
    assert len(more.table) == 80


def test_fresh_measures_everything_again(tmp_path: Path) -> None:
    first = go(study(tmp_path), tmp_path)
    second = go(study(tmp_path), tmp_path, fresh=True)
    assert len(runs(tmp_path)) == 12
    pd.testing.assert_frame_equal(first.table, second.table)


def test_a_changed_model_or_setting_is_another_cell(tmp_path: Path) -> None:
    go(study(tmp_path), tmp_path)
    go(study(tmp_path), tmp_path, revision_of=lambda entry: "another revision of " + entry.label)
    assert len(runs(tmp_path)) == 12
    go(study(tmp_path, seed=5), tmp_path)
    assert len(runs(tmp_path)) == 18


def test_a_model_is_loaded_once_for_all_its_measurements(tmp_path: Path) -> None:
    loaded: list[str] = []

    def load(entry: Any) -> FakeModel:
        loaded.append(entry.label)
        return load_fake(entry)

    go(study(tmp_path), tmp_path, load_model=load)
    assert loaded == ["m0", "m1"]
    go(study(tmp_path), tmp_path, load_model=load)
    assert loaded == ["m0", "m1"]


def test_the_study_as_run_can_be_run_again(tmp_path: Path) -> None:
    go({**study(tmp_path), "seeds": [1, 2], "notes": "ünïcode: [kept]"}, tmp_path)
    as_run = tmp_path / "out" / "study.yaml"
    assert yaml.safe_load(as_run.read_text(encoding="utf-8"))["versions"]["tuneshift"]
    assert load_study(as_run).notes == "ünïcode: [kept]"
    before = len(runs(tmp_path))
    go(as_run, tmp_path)
    assert len(runs(tmp_path)) == before == 12


def test_one_failing_job_does_not_end_the_others(tmp_path: Path) -> None:
    what = study(tmp_path)
    what["measurements"][1]["fails"] = ["m0"]
    what["models"].append("broken")
    results = go(what, tmp_path)
    assert len(results.cells) == 5
    reasons = {(f.model, f.measurement): f.reason for f in results.failures}
    assert len(reasons) == 4
    assert any(model == "m0" and "planted failure" in reason for (model, _), reason in reasons.items())
    assert (
        sum(model == "broken" and "weights are not readable" in reason for (model, _), reason in reasons.items()) == 3
    )
    assert StudyResults.load(tmp_path / "out").failures == results.failures


def test_what_failed_is_tried_again_and_what_was_finished_is_not(tmp_path: Path) -> None:
    def refuse(entry: Any) -> FakeModel:
        raise MeasurementFailed("no memory today")

    assert len(go(study(tmp_path), tmp_path, load_model=refuse).failures) == 6
    assert not go(study(tmp_path), tmp_path).failures
    assert len(runs(tmp_path)) == 6


def test_a_model_that_cannot_be_found_fails_alone(tmp_path: Path) -> None:
    def revision(entry: Any) -> str:
        if entry.label == "m1":
            raise BadInput("model 'm1' could not be found.")
        return fake_revision(entry)

    results = go(study(tmp_path), tmp_path, revision_of=revision)
    assert {f.model for f in results.failures} == {"m1"}
    assert len(results.cells) == 3


def test_out_of_memory_halves_the_batch_until_it_fits(tmp_path: Path) -> None:
    results = go(study(tmp_path, n_measurements=1, out_of_memory_above=2), tmp_path)
    assert [cell.result.details["batch_size"] for cell in results.cells] == [2, 2]
    assert not results.failures


def test_out_of_memory_that_no_batch_can_mend_fails_the_job_with_its_reason(tmp_path: Path) -> None:
    results = go(study(tmp_path, n_measurements=1, out_of_memory_above=0), tmp_path)
    assert len(runs(tmp_path)) == 2 * 4  # batches of 8, 4, 2, 1
    assert all("out of memory" in failure.reason for failure in results.failures)


def test_two_models_with_the_same_weights_share_a_cell_and_keep_their_names(tmp_path: Path) -> None:
    results = go(study(tmp_path), tmp_path, revision_of=lambda entry: "the same")
    assert len(runs(tmp_path)) == 3
    assert results.table.groupby("model").size().to_dict() == {"m0": 30, "m1": 30}
    pd.testing.assert_frame_equal(StudyResults.load(tmp_path / "out").table, results.table)
    pd.testing.assert_frame_equal(
        go(study(tmp_path), tmp_path, revision_of=lambda entry: "the same").table, results.table
    )


@pytest.mark.parametrize("file", ["cell.json", "table.parquet", "result.json", "arrays.safetensors"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_cell_is_found_moved_aside_run_again_and_said(tmp_path: Path, file: str, damage: str) -> None:
    before = go(study(tmp_path), tmp_path)
    path = cell_of(before, "m1", 1) / file
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes(flipped if damage == "flipped" else content[:middle])
    after = go(study(tmp_path), tmp_path)
    assert len(runs(tmp_path)) == 7
    pd.testing.assert_frame_equal(before.table, after.table)
    assert any("damaged" in warning and ".damaged" in warning for warning in after.warnings)
    assert len(list((tmp_path / "out" / "cells" / ".damaged").iterdir())) == 1
    assert not any("damaged" in warning for warning in go(study(tmp_path), tmp_path).warnings)


def test_a_damaged_table_of_results_is_made_again_from_the_cells(tmp_path: Path) -> None:
    before = go(study(tmp_path), tmp_path)
    (tmp_path / "out" / "results.parquet").write_bytes(b"PAR1 but not really")
    pd.testing.assert_frame_equal(StudyResults.load(tmp_path / "out").table, before.table)
    pd.testing.assert_frame_equal(go(study(tmp_path), tmp_path).table, before.table)
    assert len(runs(tmp_path)) == 6


def test_two_runs_on_one_folder_do_not_meet(tmp_path: Path) -> None:
    with Store(tmp_path / "out").locked(), pytest.raises(BadInput) as refused:
        go(study(tmp_path), tmp_path)
    assert f"in use by another run (process {os.getpid()}" in str(refused.value)
    assert not go(study(tmp_path), tmp_path).failures


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, written = store_module._write, []

    def full(path: Path, content: bytes) -> None:
        written.append(path)
        if len([p for p in written if p.name == "table.parquet"]) > 3:
            path.write_bytes(content[:7])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, content)

    monkeypatch.setattr(store_module, "_write", full)
    with pytest.raises(MeasurementFailed, match=r"full.*free some space"):
        go(study(tmp_path), tmp_path)
    cells = tmp_path / "out" / "cells"
    assert len(list(cells.iterdir())) == 3
    assert not [p for p in (tmp_path / "out").rglob("*") if ".writing-" in p.name]
    monkeypatch.undo()
    assert len(go(study(tmp_path), tmp_path).cells) == 6
    assert len(runs(tmp_path)) <= 8  # three stored, one lost with the disk and one measured meanwhile, three more


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file stands here")
    with pytest.raises(BadInput, match="give another folder"):
        go(study(tmp_path), tmp_path)


def test_ctrl_c_once_saves_the_running_cell_and_stops(tmp_path: Path) -> None:
    what = study(tmp_path, seconds=0.3)
    threading.Timer(0.45, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        go(what, tmp_path)
    log = (tmp_path / "log.txt").read_text().splitlines()
    assert sum(line.startswith("start") for line in log) == sum(line.startswith("end") for line in log)
    partial = StudyResults.load(tmp_path / "out")
    assert 0 < len(partial.cells) == len(runs(tmp_path)) < 6
    assert partial.n_waiting == 6 - len(partial.cells)
    assert len(go(what, tmp_path).cells) == 6
    assert len(runs(tmp_path)) == 6
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_twice_stops_at_once(tmp_path: Path) -> None:
    for delay in (0.5, 0.7):
        threading.Timer(delay, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        go(study(tmp_path, seconds=5.0), tmp_path)
    assert len(runs(tmp_path)) == 1
    assert not StudyResults.load(tmp_path / "out").cells
    assert "end" not in (tmp_path / "log.txt").read_text()


def test_a_tuned_model_with_another_tokenizer_is_said(tmp_path: Path) -> None:
    class WithTokenizer(FakeModel):
        def __init__(self, name: str) -> None:
            super().__init__(name)
            document = {"model": {"vocab": {"a": len(name) if name == "m1" else 0}}, "added_tokens": []}
            backend = type("Backend", (), {"to_str": lambda self: json.dumps(document)})()
            self.tokenizer = type("Tokenizer", (), {"backend_tokenizer": backend})()

    results = go(study(tmp_path), tmp_path, load_model=lambda entry: WithTokenizer(entry.label))
    assert any("m1 has another tokenizer than its base m0" in warning for warning in results.warnings)


def test_a_study_without_any_job_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no job"):
        go({"name": "x", "models": ["m0"], "measurements": ["internals"]}, tmp_path)


def test_progress_counts_the_jobs_of_the_study(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    go(study(tmp_path), tmp_path, progress=lambda *step: told.append(step))
    assert [done for what, done, _ in told if what == "study"] == [0, 1, 2, 3, 4, 5, 6]


def test_a_folder_without_a_study_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no study"):
        StudyResults.load(tmp_path)


def test_a_cell_of_a_newer_format_is_refused_not_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "FORMAT", 2)
    go(study(tmp_path), tmp_path)
    monkeypatch.undo()
    with pytest.raises(BadInput, match="newer tuneshift"):
        go(study(tmp_path), tmp_path)


def test_a_cell_replaces_an_older_one_wholly(tmp_path: Path) -> None:
    from fake_study import Counted

    store = Store(tmp_path)
    with store.locked():
        store.write("abc", encode_result(Counted(number=1).run(FakeModel("m0"))), {"model": "m0"})
        store.write("abc", encode_result(Counted(number=2).run(FakeModel("m0"))), {"model": "m0"})
    assert store.fingerprints() == {"abc"}
    assert store.read("abc").result.value(participant="mean") == 157 + 2000
    with pytest.raises(DamagedCell):
        store.read("missing")


def test_correlations_of_a_study_know_which_models_go_back_to_one_base(tmp_path: Path) -> None:
    what = study(tmp_path, n_measurements=1)
    what["models"] = [
        {"model": f"b{i}-{kind}", "parameters": 1000 * (i + 1), **({"base": f"b{i}-base"} if kind == "tuned" else {})}
        for i in range(4)
        for kind in ("base", "tuned")
    ]
    frame = go(what, tmp_path).correlations()
    assert frame["n"].unique().tolist() == [8]
    assert frame["n_bases"].unique().tolist() == [4]
    assert set(frame["interval_over"]) == {"base models"}
    what["models"] = what["models"][:4]
    few = go(what, tmp_path)
    assert set(few.correlations()["interval_over"]) == {"too few base models"}
    assert any("the 4 models go back to 2 base models" in warning for warning in few.warnings)
