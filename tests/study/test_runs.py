"""Which models of a study are checkpoints of one run: declared, written by a trainer, or named so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from fake_study import fake_revision, load_fake

from tuneshift.compare.layer_link import POOLED, links_of_points
from tuneshift.compare.trajectories import Run
from tuneshift.errors import BadInput
from tuneshift.study import StudyResults, load_study, run
from tuneshift.study.jobs import plan_jobs


def runs(*models: Any) -> list[tuple[str, dict[str, int], str]]:
    found = load_study({"name": "x", "models": ["b", *models], "measurements": ["counted"]}).runs()
    return [(one.name, dict(one.steps), one.told_by) for one in found]


def tuned(model: str | Path, **other: Any) -> dict[str, Any]:
    return {"model": str(model), "base": "b", **other}


def checkpoint(place: Path, step: int | None = None, kind: str = "config.json") -> Path:
    place.mkdir(parents=True)
    (place / kind).write_text("{}")
    if step is not None:
        (place / "trainer_state.json").write_text(json.dumps({"global_step": step, "epoch": 1.5}))
    return place


def test_what_a_study_declares_goes_before_every_name() -> None:
    declared = [
        tuned("checkpoint-7", run="mine", step=300),
        tuned("checkpoint-9", run="mine", step=20),
        tuned("other", run="mine", step=1000),
    ]
    assert runs(*declared) == [("mine", {"checkpoint-9": 20, "checkpoint-7": 300, "other": 1000}, "")]


def test_a_trainer_s_folders_are_one_run_with_the_steps_that_it_wrote(tmp_path: Path) -> None:
    first = checkpoint(tmp_path / "out" / "checkpoint-100", 100)
    later = checkpoint(tmp_path / "out" / "checkpoint-2000", 2000)
    last = checkpoint(tmp_path / "out" / "final", 2500)
    assert runs(tuned(later), tuned(first)) == [
        ("out", {"checkpoint-100": 100, "checkpoint-2000": 2000}, "`global_step` of trainer_state.json")
    ]
    assert len(runs(tuned(first), tuned(last))) == 0  # another folder below `out` need not be of the same run
    own = tmp_path / "out"
    (own / "config.json").write_text("{}")
    (own / "trainer_state.json").write_text('{"global_step": 2600}')
    assert runs(tuned(own), tuned(first), tuned(later))[0][1] == {
        "checkpoint-100": 100,
        "checkpoint-2000": 2000,
        "out": 2600,
    }


def test_a_state_that_cannot_be_read_leaves_the_name_of_the_folder(tmp_path: Path) -> None:
    folders = [checkpoint(tmp_path / "r" / f"checkpoint-{step}") for step in (10, 9)]
    for folder, text in zip(folders, ("{", '{"global_step": "many"}'), strict=True):
        (folder / "trainer_state.json").write_text(text)
    assert runs(*map(tuned, folders)) == [("r", {"checkpoint-9": 9, "checkpoint-10": 10}, "the names of folders")]


def test_names_of_one_s_own_stay_and_give_the_run_its_name(tmp_path: Path) -> None:
    models = [
        tuned(checkpoint(tmp_path / arm / f"checkpoint-{step}"), name=f"{arm}-{step}")
        for arm in ("with", "without")
        for step in (100, 50)
    ]
    told = "the names of folders"
    assert runs(*models) == [
        ("with", {"with-50": 50, "with-100": 100}, told),
        ("without", {"without-50": 50, "without-100": 100}, told),
    ]


def test_adapters_of_a_trainer_and_of_tune_are_checkpoints_too(tmp_path: Path) -> None:
    lora = [checkpoint(tmp_path / "lora" / f"checkpoint-{step}", step, "adapter_config.json") for step in (30, 60)]
    assert runs(*map(tuned, lora))[0][1] == {"checkpoint-30": 30, "checkpoint-60": 60}
    [(name, steps, _)] = runs(*(tuned(f"b+{folder}") for folder in lora))
    assert (name, steps) == ("lora", {"b+checkpoint-30": 30, "b+checkpoint-60": 60})
    ours = [checkpoint(tmp_path / "ours" / f"adapter-{step}", None, "adapter_config.json") for step in (5, 10)]
    assert runs(*map(tuned, ours)) == []  # two adapters may be anybody's
    (tmp_path / "ours" / "tuning.json").write_text("{}")
    assert runs(*map(tuned, ours)) == [("ours", {"adapter-5": 5, "adapter-10": 10}, "the names of folders")]


def test_revisions_of_a_hub_model_are_one_run() -> None:
    pythia = [tuned("EleutherAI/pythia-14m", revision=f"step{n}", name=f"p{n}k") for n in (3000, 128)]
    assert runs(*pythia) == [("pythia-14m", {"p128k": 128, "p3000k": 3000}, "the names of revisions")]
    tags = [tuned("EleutherAI/pythia-14m", revision=f"v{n}", name=f"v{n}") for n in (1, 2)]
    assert runs(*tags) == []


@pytest.mark.parametrize(
    ("names", "steps"),
    [
        (("mymodel-step_500", "mymodel-step_1000"), {"mymodel-step_500": 500, "mymodel-step_1000": 1000}),
        (("me/x-ckpt-20", "me/x-ckpt-3"), {"x-ckpt-3": 3, "x-ckpt-20": 20}),
        (("run/global_step20", "run/global_step100"), {"global_step20": 20, "global_step100": 100}),
    ],
)
def test_names_that_say_step_are_steps(names: tuple[str, ...], steps: dict[str, int]) -> None:
    assert [found[1] for found in runs(*map(tuned, names))] == [steps]


@pytest.mark.parametrize(
    "names",
    [
        ("twin-0", "twin-1"), ("run-seed1", "run-seed2"), ("chat-v1", "chat-v2"), ("m-7", "m-13"),
        ("misstep1", "misstep2"), ("x-step_1",), ("x-step_1", "y-step_2"),
    ],
)  # fmt: skip
def test_numbers_that_are_no_steps_make_no_run(names: tuple[str, ...]) -> None:
    assert runs(*map(tuned, names)) == []


def test_checkpoints_of_two_bases_are_two_models_each_of_its_own() -> None:
    study = {"name": "x", "measurements": ["counted"]}
    models = ["b", "c", tuned("x-step_1"), {"model": "x-step_2", "base": "c"}]
    assert load_study({**study, "models": models}).runs() == ()


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (
            [tuned("x", run="r")],
            "a checkpoint needs both, `run:` (the name of its training run) and `step:`",
        ),
        ([{"model": "x", "run": "r", "step": 1}], "'x' is a checkpoint of run 'r', but has no base here; add `base:`"),
        (
            [tuned("x", run="r", step=5), tuned("y", run="r", step=5)],
            "'x' and 'y' are both step 5 of run 'r'; mend one `step:`",
        ),
        (
            ["c", tuned("x", run="r", step=5), {"model": "y", "base": "c", "run": "r", "step": 6}],
            "the checkpoints 'x' and 'y' of run 'r' have two bases, 'b' and 'c'; give the runs two names",
        ),
        ([tuned("x", run="r", step=-1)], "step: input should be greater than or equal to 0, not -1"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_in_one_sentence(models: list[Any], said: str) -> None:
    with pytest.raises(BadInput) as error:
        load_study({"name": "x", "models": ["b", *models], "measurements": ["counted"]})
    assert said in str(error.value)


def test_declared_steps_order_tables_where_names_do_not() -> None:
    models = ["b", tuned("late", run="r", step=9), tuned("early", run="r", step=1)]
    study = load_study({"name": "x", "models": models, "measurements": ["counted"]})
    assert [job.entry.label for job in plan_jobs(study)] == ["b", "early", "late"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    out = tmp_path_factory.mktemp("runs") / "out"
    models = [{"model": "b", "parameters": 1e6}]
    models += [{"model": m, "parameters": float(10 ** (6 + i))} for i, m in enumerate(("m1", "m2", "m3"), start=1)]
    models += [tuned(f"checkpoint-{step}", parameters=1e6) for step in (30, 4, 200)]
    study = {"name": "x", "models": models, "measurements": ["counted"]}
    run(study, out=out, load_model=load_fake, revision_of=fake_revision)
    return StudyResults.load(out)


def test_a_folder_remembers_its_runs_and_can_be_run_again_as_it_stands(measured: StudyResults) -> None:
    steps = (("checkpoint-4", 4), ("checkpoint-30", 30), ("checkpoint-200", 200))
    [found] = measured.runs
    assert found == Run("b", "b", steps, "the names of models")
    again = run(measured.folder / "study.yaml", out=measured.folder, load_model=load_fake, revision_of=fake_revision)
    assert again.runs == measured.runs


def test_over_models_a_run_is_one_model(measured: StudyResults) -> None:
    correlations = measured.correlations()
    assert correlations["n"].tolist() == [5]  # b, m1, m2, m3 and the last checkpoint; of seven models
    assert set(measured.correlation_points()["model"]) == {"b", "m1", "m2", "m3", "checkpoint-200"}
    assert len(measured.pairs()["model"].unique()) == 3  # the tables keep every checkpoint


def test_a_damaged_note_of_runs_is_one_sentence(measured: StudyResults, tmp_path: Path) -> None:
    document = {**measured.study, "trajectories": [{"run": "x"}]}
    for path in measured.folder.glob("*.parquet"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(BadInput, match=r"trajectories: KeyError\('steps'\); run the study again, which writes it anew"):
        StudyResults.load(tmp_path)


def test_all_pairs_together_hold_one_pair_a_run() -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"model": model, "base_model": "b", "measurement": "brain", "dataset": "d", "split": "s", "mapping": "ridge",
         "metric": "r", "specification": "", "inside": "rotation_deg", "layer": layer,
         "change": rng.random(), "movement": rng.random()}
        for model in ("s1", "s2", "s3", "other") for layer in range(8)
    ]  # fmt: skip
    one_run = Run("s", "b", (("s1", 1), ("s2", 2), ("s3", 3)))
    links = links_of_points(pd.DataFrame(rows), runs=[one_run])
    [pooled] = links[links["model"] == POOLED].to_dict("records")
    assert (pooled["n_pairs"], pooled["n_layers"]) == (2, 16)
    assert len(links) == 5
