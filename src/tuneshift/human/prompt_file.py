"""A user's own prompts: one JSON object a line, or a JSON list of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from tuneshift.errors import BadInput, nearest
from tuneshift.human.prompts import Prompt, PromptSet
from tuneshift.human.registry import DATA_SETS, data_checksum, load_data

_KEYS = ("prompt", "instruction", "input", "instruction_spans", "response", "output", "task", "name")


def load_prompts(name: str) -> PromptSet:
    """Return a prompt set by name, or a user's own from a .jsonl or .json file; BadInput where it is neither."""
    if is_prompt_file(name):
        return read_prompts(Path(name))
    if name in DATA_SETS and DATA_SETS[name].kind != "prompts":
        raise BadInput(f"{name} is a data set of kind {DATA_SETS[name].kind!r}, no prompts; try fable_instructions.")
    found = load_data(name)
    if not isinstance(found, PromptSet):
        raise BadInput(f"{name} holds no prompts; give a .jsonl file with a `prompt` on each line.")
    return found


def prompts_checksum(name: str) -> str:
    """Return what identifies the prompts (or responses) behind a name or a file; "" where there are none."""
    if is_prompt_file(name):
        return sha256(Path(name).read_bytes()).hexdigest() if Path(name).is_file() else ""
    return data_checksum(name)


def is_prompt_file(name: str) -> bool:
    """Whether a name is a path to a file of prompts or responses."""
    return Path(name).suffix in (".jsonl", ".json")


def read_prompts(path: Path) -> PromptSet:
    """Read prompts from a JSONL (or JSON) file.

    Keys of a row: `prompt` (text), or `instruction` and `input` as in Alpaca's layout (joined by a blank line);
    `instruction` beside `prompt` must stand within it; `instruction_spans` are (start, end) character offsets;
    `response` or `output`, `task` and `name` may be left out. Raises BadInput that names file, row and key.
    """
    if not path.is_file():
        raise BadInput(f"prompt file {path} does not exist.")
    prompts = tuple(_prompt(path, number, row) for number, row in _rows(path))
    if not prompts:
        raise BadInput(f"{path} holds no prompts; write one JSON object with a `prompt` on each line.")
    seen: dict[str, int] = {}
    for number, prompt in enumerate(prompts, 1):
        if prompt.name in seen:
            raise BadInput(f"{path}, row {number}: the name {prompt.name!r} is taken by row {seen[prompt.name]}.")
        seen[prompt.name] = number
    return PromptSet(path.stem, prompts, sha256(path.read_bytes()).hexdigest())


def read_responses(path: Path, prompts: PromptSet) -> dict[str, str]:
    """Read responses by prompt name: objects with `response` (and `name`), or plain JSON texts, in prompt order.

    Raises BadInput where their number differs from the prompts' and they carry no names, or a name is unknown.
    """
    if not path.is_file():
        raise BadInput(f"response file {path} does not exist.")
    rows = list(_rows(path, texts=True))
    names = [prompt.name for prompt in prompts.prompts]
    found: dict[str, str] = {}
    named = [isinstance(row, dict) and "name" in row for _, row in rows]
    if any(named) and not all(named):
        raise BadInput(f"{path}: some rows have a `name` and others do not; name all of them, or none.")
    if not any(named) and len(rows) != len(names):
        raise BadInput(f"{path} has {len(rows)} responses without names for {len(names)} prompts; name them.")
    for place, (number, row) in enumerate(rows):
        text = row if isinstance(row, str) else row.get("response", row.get("output"))
        if not isinstance(text, str):
            raise BadInput(f"{path}, row {number}: no text under `response`.")
        name = str(row["name"]) if isinstance(row, dict) and "name" in row else names[place]
        if name not in names:
            raise BadInput(f"{path}, row {number}: no prompt is called {name!r}{nearest(name, names)}.")
        if name in found:
            raise BadInput(f"{path}, row {number}: a second response to prompt {name!r}.")
        found[name] = text
    return found


def _rows(path: Path, texts: bool = False) -> Iterator[tuple[int, Any]]:
    try:
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}).") from error
    kinds = dict | str if texts else dict
    if content.lstrip().startswith("["):
        try:
            items = list(enumerate(json.loads(content), 1))
        except json.JSONDecodeError as error:
            raise BadInput(f"{path}, line {error.lineno}: no valid JSON ({error.msg}).") from error
        except RecursionError:
            raise BadInput(f"{path} is nested too deeply to be a list of prompts.") from None
    else:
        items = []
        for number, line in enumerate(content.split("\n"), 1):
            if not line.strip():
                continue
            try:
                items.append((number, json.loads(line)))
            except json.JSONDecodeError as error:
                raise BadInput(f"{path}, line {number}: no valid JSON ({error.msg}).") from error
            except RecursionError:
                raise BadInput(f"{path}, line {number}: nested too deeply to be a prompt.") from None
    for number, item in items:
        if not isinstance(item, kinds):
            raise BadInput(f"{path}, row {number}: a row must be a JSON object, not {type(item).__name__}.")
        yield number, item


def _prompt(path: Path, number: int, row: dict[str, Any]) -> Prompt:
    where = f"{path}, row {number}"
    for key, value in row.items():
        if key not in _KEYS:
            raise BadInput(f"{where}: unknown key {key!r}{nearest(key, _KEYS)}; known are {', '.join(_KEYS)}.")
        if key != "instruction_spans" and not (isinstance(value, str) or value is None):
            raise BadInput(f"{where}: `{key}` must be a text, not {value!r}.")
    instruction = row.get("instruction") or ""
    text = row.get("prompt") or "\n\n".join(part for part in (instruction, row.get("input") or "") if part)
    if not text.strip():
        raise BadInput(f"{where}: no `prompt` (or `instruction`); every row needs one that is not empty.")
    response = row.get("response") if row.get("response") is not None else row.get("output")
    spans = _spans(where, row.get("instruction_spans"), text)
    if instruction and not spans:
        start = text.find(instruction)
        if start < 0:
            raise BadInput(f"{where}: the prompt does not contain its instruction {instruction[:60]!r}.")
        spans = ((start, start + len(instruction)),)
    return Prompt(row.get("name") or f"prompt_{number:04d}", text, spans, response, row.get("task"))


def _spans(where: str, value: Any, text: str) -> tuple[tuple[int, int], ...]:
    spans = []
    for span in value or []:
        ok = isinstance(span, list) and len(span) == 2 and all(type(place) is int for place in span)
        if not ok or not 0 <= span[0] < span[1] <= len(text):
            raise BadInput(
                f"{where}: instruction span {span!r} is no pair of offsets within a prompt of {len(text)} characters."
            )
        spans.append((span[0], span[1]))
    return tuple(spans)
