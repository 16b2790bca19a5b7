"""Chat templates as people have them: the message is found where it stands, and what cannot be used is said."""

from __future__ import annotations

import datetime
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models.chat_template import framed
from tuneshift.models.embedded_models import embedded_folder
from tuneshift.models.lent_template import chat_template_of, in_chat_form, template_checksum
from tuneshift.models.surprisal_forms import form_prefix

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
HELPFUL = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are a helpful assistant. A user says:<|im_end|>\n"
    "{% endif %}" + CHATML
)
TRIMMED = "[INST] {{ messages[0].content | trim }} [/INST]"
DATED = "Today is {{ strftime_now('%d %B %Y') }}.\n" + CHATML
WANTS_SYSTEM = (
    "{% if messages[0].role != 'system' %}{{ raise_exception('First a system message') }}{% endif %}" + CHATML
)


def inside(model: LanguageModel, template: Any) -> Any:
    """The model's tokenizer with another chat template, as a file would bring it."""
    return model.with_chat_template(template).tokenizer


def folder_with(path: Path, template: Any = None, files: dict[str, str] | None = None) -> Path:
    """A copy of an embedded base model whose tokenizer's configuration, or files, hold a template."""
    source = embedded_folder("fable-2m")
    assert source is not None
    shutil.copytree(source, path)
    if template is not None:
        config = json.loads((path / "tokenizer_config.json").read_text("utf-8"))
        (path / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": template}), "utf-8")
    for name, text in (files or {}).items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("message", ["You are a helpful assistant", "user", "a", "assistant", "s", ":", "<|im_end|>"])
def test_a_message_whose_words_the_template_has_too_is_found_where_the_user_speaks(
    fable_2m: LanguageModel, message: str
) -> None:
    found = framed(inside(fable_2m, HELPFUL), message)
    assert found.text[found.start : found.stop] == message
    assert found.text[: found.start].endswith("<|im_start|>user\n")
    assert found.text[found.stop :] == "<|im_end|>\n<|im_start|>assistant\n"
    assert found.cut == 0


@pytest.mark.parametrize("message", ["  Say a word. \n", "\n\nSay a word.", "Say a word.", "Say a word.  "])
def test_a_template_may_strip_white_space_from_the_ends_of_a_message(fable_2m: LanguageModel, message: str) -> None:
    found = framed(inside(fable_2m, TRIMMED), message)
    assert found.text == "[INST] Say a word. [/INST]"
    shown = found.text[found.start : found.stop]
    assert shown == "Say a word."
    assert message[found.cut : found.cut + len(shown)] == shown
    assert found.origin + message.index("word") == found.text.index("word")


@pytest.mark.parametrize(
    "template",
    [
        "{{ messages[0].content | upper }}",
        "{{ messages[0].content | replace('a', 'b') }}",
        "{{ messages[0].content | tojson }}",
        "{{ messages[0].content | e }}",
        "{{ messages[0].content[:9] }}",
        "{{ messages[0].content.split() | join('  ') }}",
        "Answer.",
        "{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}{% endif %}{% endfor %}",
    ],
)
def test_a_template_that_changes_or_drops_the_message_is_refused(fable_2m: LanguageModel, template: str) -> None:
    with pytest.raises(BadInput, match="leaves out or changes the user's message"):
        framed(inside(fable_2m, template), 'Say "a word" & go <on>.')


def test_a_template_that_shows_the_message_twice_is_refused_where_one_place_is_needed(fable_2m: LanguageModel) -> None:
    model = fable_2m.with_chat_template("Topic: {{ messages[0].content }}\n" + CHATML)
    with pytest.raises(BadInput, match="shows the user's message 2 times"):
        framed(model.tokenizer, "a stone")
    assert model.chat_prompt("a stone").count("a stone") == 2  # an answer can be had all the same


def test_a_template_may_write_todays_date(fable_2m: LanguageModel) -> None:
    found = framed(inside(fable_2m, DATED), "Today")
    assert found.text[: found.start].endswith("<|im_start|>user\n")
    assert found.text.startswith(f"Today is {datetime.datetime.now():%d %B %Y}.")
    _, told = in_chat_form(fable_2m.with_chat_template(DATED), None)
    assert len(told) == 1
    assert "today's date" in told[0]


def test_a_message_is_never_taken_for_jinja(fable_2m: LanguageModel) -> None:
    message = "{{ messages }} {% raw %} {# no #}"
    found = framed(inside(fable_2m, CHATML), message)
    assert found.text[found.start : found.stop] == message


def test_of_several_templates_the_default_is_used(fable_2m: LanguageModel) -> None:
    named = {"tool_use": "{{ tools }}", "default": CHATML}
    model = fable_2m.with_chat_template(named)  # type: ignore[arg-type]
    assert model.chat_template == CHATML
    assert model.chat_prompt("a stone") == fable_2m.with_chat_template(CHATML).chat_prompt("a stone")
    same = form_prefix(fable_2m.with_chat_template(CHATML).tokenizer, "chat")
    assert form_prefix(model.tokenizer, "chat") == same


def test_several_templates_without_a_default_are_named(fable_2m: LanguageModel) -> None:
    model = fable_2m.with_chat_template({"tool_use": CHATML, "rag": CHATML})  # type: ignore[arg-type]
    assert model.chat_template is None
    for ask in (model.chat_prompt, lambda text: framed(model.tokenizer, text)):
        with pytest.raises(BadInput, match=r"2 chat templates \(tool_use, rag\) and none is named default"):
            ask("a stone")
    with pytest.raises(BadInput, match=r"2 chat templates \(tool_use, rag\)"):
        form_prefix(model.tokenizer, "instructed")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (WANTS_SYSTEM, "the chat template of model fable-2m says: 'First a system message'"),
        ("{% for m in messages %}{{ m.content }}", r"is no valid Jinja \(.*line 1\)"),
        ("{{ messages[0].content + missing.name }}", "cannot be filled in"),
        ("{{ messages[0].content + 1 }}", "cannot be filled in"),
        ("{{ messages[7].content.strip() }}", "cannot be filled in"),
    ],
)
def test_a_template_that_fails_is_said_to_be_the_one_that_fails(
    fable_2m: LanguageModel, template: str, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        fable_2m.with_chat_template(template).chat_prompt("a stone")


def test_templates_are_read_from_the_files_that_models_bring(tmp_path: Path) -> None:
    listed = [{"name": "default", "template": CHATML}, {"name": "rag", "template": "{{ documents }}"}]
    folders = [
        folder_with(tmp_path / "text", CHATML),
        folder_with(tmp_path / "list", listed),
        folder_with(tmp_path / "file", files={"chat_template.jinja": CHATML}),
        folder_with(
            tmp_path / "more",
            files={"chat_template.jinja": CHATML, "additional_chat_templates/rag.jinja": "{{ documents }}"},
        ),
    ]
    for folder in folders:
        assert chat_template_of(str(folder)) == CHATML
        assert LanguageModel.load(str(folder), device="cpu").chat_template == CHATML
    only = folder_with(tmp_path / "only", files={"additional_chat_templates/rag.jinja": CHATML})
    with pytest.raises(BadInput, match=r"has 1 chat templates \(rag\), none of them named default, to lend"):
        chat_template_of(str(only))


def test_a_file_of_ones_own_is_lent_too(tmp_path: Path, fable_2m: LanguageModel) -> None:
    file = tmp_path / "mine.jinja"
    file.write_text("Be brief. " + CHATML, "utf-8")
    model, told = in_chat_form(fable_2m, str(file))
    assert model.chat_prompt("a stone").startswith("Be brief. <|im_start|>user\na stone")
    assert any("has no chat template" in sentence for sentence in told)
    before = template_checksum(str(file))
    file.write_text(CHATML, "utf-8")
    assert before != template_checksum(str(file)) != template_checksum(None) == ""
    with pytest.raises(BadInput, match=r"template: .*absent\.jinja cannot be read"):
        in_chat_form(fable_2m, str(tmp_path / "absent.jinja"))


def test_marks_that_the_borrower_takes_apart_are_counted_and_named(tmp_path: Path, fable_2m: LanguageModel) -> None:
    lender = folder_with(tmp_path / "lender", "{{ messages[0].content }}<|im_end|><|user|>")
    tokenizer = json.loads((lender / "tokenizer.json").read_text("utf-8"))
    new = {**tokenizer["added_tokens"][0], "id": 8192, "content": "<|im_end|>"}
    tokenizer["added_tokens"].append(new)
    (lender / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    _, told = in_chat_form(fable_2m, str(lender))
    n = len(fable_2m.tokenizer("<|im_end|>", add_special_tokens=False)["input_ids"])
    assert n > 1
    assert told[1:] == [
        f"1 of 2 marks of the chat template of {lender} are no single token of fable-2m, which reads them as ordinary "
        f"text: <|im_end|> ({n} pieces)."
    ]
    plain = folder_with(tmp_path / "plain", "{{ messages[0].content }}<|im_end|>")  # no token for the lender either
    _, told = in_chat_form(fable_2m, str(plain))
    assert len(told) == 1


def test_a_model_without_default_template_is_told_apart_from_one_without_any(
    tmp_path: Path, fable_2m: LanguageModel
) -> None:
    file = tmp_path / "mine.jinja"
    file.write_text("<|user|>{{ messages[0].content }}<|assistant|>", "utf-8")
    model = fable_2m.with_chat_template({"rag": CHATML})  # type: ignore[arg-type]
    _, (told,) = in_chat_form(model, str(file))
    assert "has no default among its chat templates (rag)" in told


def test_the_text_after_an_instruction_is_found_in_templates_that_strip(fable_2m: LanguageModel) -> None:
    tokenizer = inside(fable_2m, TRIMMED)
    expected = tokenizer("[INST] Read this.\n\n", add_special_tokens=False)["input_ids"]
    assert form_prefix(tokenizer, "instructed", "  Read this.") == expected
    with pytest.raises(BadInput, match="says: 'First a system message'"):
        form_prefix(inside(fable_2m, WANTS_SYSTEM), "chat")
    with pytest.raises(BadInput, match="leaves out or changes"):
        form_prefix(inside(fable_2m, "{{ messages[0].content | upper }}"), "chat")
