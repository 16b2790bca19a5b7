"""A model folder of a stranger: nothing pickled is read, nothing outside is opened, no code runs unasked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneshift.errors import BadInput, TuneshiftError
from tuneshift.models import LanguageModel, embedded_names, model_revision
from tuneshift.models.embedded_models import embedded_folder
from tuneshift.models.weights import Weights
from tuneshift.study import StudyResults, load_study, run

CODE = """
from pathlib import Path
from transformers import LlamaConfig
Path({canary!r}).touch()
class Config(LlamaConfig):
    model_type = "llama-of-a-stranger"
"""


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(embedded_folder("fable-2m"), folder))  # type: ignore[arg-type]


def opened(folder: Path) -> list[str]:
    """Load and open a folder; return what each says."""
    said = []
    for take in (LanguageModel.load, Weights.open):
        with pytest.raises(BadInput) as refused:
            take(str(folder), device="cpu")
        said.append(str(refused.value))
    return said


def test_pickled_weights_are_refused_though_everything_else_is_there(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert all("holds no .safetensors file" in sentence for sentence in opened(folder))


@pytest.mark.parametrize(
    "shard", ["../other/model.safetensors", "/etc/passwd", "..\\model.safetensors", "weights.bin", "sub/x.safetensors"]
)
def test_an_index_that_leads_out_of_the_folder_is_refused(tmp_path: Path, shard: str) -> None:
    copied(tmp_path / "other")
    folder = copied(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    (folder / "decoy.safetensors").write_bytes(b"")
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": {"model.embed_tokens.weight": shard}})
    )
    for sentence in opened(folder):
        assert repr(shard) in sentence
        assert "no .safetensors file of this folder" in sentence


@pytest.mark.parametrize("index", ["", "[]", '{"weight_map": 3}', '{"weight_map": {"a": 3}}', "[" * 100_000])
def test_an_index_that_is_none_is_refused(tmp_path: Path, index: str) -> None:
    folder = copied(tmp_path / "model")
    (folder / "model.safetensors.index.json").write_text(index)
    assert all("model.safetensors.index.json" in sentence for sentence in opened(folder))


def test_an_adapter_whose_weights_may_be_pickled_is_refused_before_its_base_is_looked_for(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model")
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA", "base_model_name_or_path": "gpt2"}')
    (folder / "adapter_model.bin").write_bytes(b"")
    for sentence in opened(folder):
        assert "is an adapter (adapter_config.json) without adapter_model.safetensors" in sentence
        assert "pickled .bin weights are never loaded" in sentence


def with_code(folder: Path, canary: Path) -> Path:
    """A model whose configuration is a class of its own, in a file beside it."""
    copied(folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "llama-of-a-stranger", "auto_map": {"AutoConfig": "stranger.Config"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "stranger.py").write_text(CODE.format(canary=str(canary)))
    return folder


def test_code_of_a_model_runs_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    canary = tmp_path / "it_ran"
    folder = with_code(tmp_path / "model", canary)
    for sentence in opened(folder):
        assert "needs code that comes with it, which is never run unasked" in sentence
        assert "--trust-remote-code" in sentence
    assert not canary.exists()
    Weights.open(str(folder), device="cpu", trust_remote_code=True)
    assert canary.exists()


def test_a_study_says_that_code_was_run(tmp_path: Path) -> None:
    study = load_study(
        {
            "name": "code",
            "models": ["fable-2m", {"model": "fable-2m-instruct", "base": "fable-2m", "trust_remote_code": True}],
            "measurements": [{"kind": "concepts"}],
        }
    )
    found = run(study, out=tmp_path / "out")
    for results in (found, StudyResults.load(tmp_path / "out"), run(study, out=tmp_path / "out")):
        (warning,) = [text for text in results.warnings if "trust_remote_code" in text]
        assert "code that came with the model was run" in warning
        assert warning.endswith("[fable-2m-instruct]")


names = st.text(max_size=20) | st.lists(
    st.sampled_from(["..", ".", "/", "\\", "a", "C:", "~", "\0", "%2e", "//", "$HOME", "é", "\n", "\x1b[", "a" * 300]),
    max_size=6,
).map("".join)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ref=names.filter(lambda ref: ref not in embedded_names()))
def test_no_name_of_a_model_writes_anything_or_ends_in_anything_but_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ref: str
) -> None:
    place = tmp_path / "a" / "b"
    place.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(place)
    for take in (LanguageModel.load, Weights.open, lambda ref, device: model_revision(ref)):
        try:
            take(ref, device="cpu")  # type: ignore[operator]
        except TuneshiftError:
            continue
        assert Path(ref).is_dir()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b"]
