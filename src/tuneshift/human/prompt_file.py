"""A user's own prompts: one JSON object a line, or a JSON list of them."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from tuneshift.errors import BadInput, nearest
from tuneshift.files.json_file import JsonRows, read_json_rows
from tuneshift.files.prompt_rows import KEYS, prompt_of, response_of, text_of, unknown_key
from tuneshift.files.text_file import plain_stem, plain_suffix
from tuneshift.human.prompts.prompts import Prompt, PromptSet
from tuneshift.human.registry import DATA_SETS, data_checksum, load_data


def load_prompts(name: str) -> PromptSet:
    """Return a prompt set by name, or a user's own from a .jsonl or .json file; BadInput where it is neither."""
    if is_prompt_file(name):
        return read_prompts(Path(name))
    if name in DATA_SETS and DATA_SETS[name].kind != "prompts":
        raise BadInput(f"{name} is a data set of kind {DATA_SETS[name].kind!r}, no prompts; try fable_instructions.")
    if name not in DATA_SETS and Path(name).is_file():
        raise BadInput(
            f"{name}: a file of prompts ends in .jsonl or .json; write one object with a `prompt` on a line."
        )
    found = load_data(name)
    if not isinstance(found, PromptSet):
        raise BadInput(f"{name} holds no prompts; give a .jsonl file with a `prompt` on each line.")
    return found


def prompts_checksum(name: str) -> str:
    """Return what identifies the prompts (or responses) behind a name or a file; "" where there are none."""
    if is_prompt_file(name) or (name not in DATA_SETS and Path(name).is_file()):
        return sha256(Path(name).read_bytes()).hexdigest() if Path(name).is_file() else ""
    return data_checksum(name)


def is_prompt_file(name: str) -> bool:
    """Whether a name is a path to a file of prompts or responses: .jsonl or .json in any case, compressed or not."""
    return plain_suffix(name) in (".jsonl", ".json")


def read_prompts(path: Path) -> PromptSet:
    """Read prompts from a JSONL (or JSON) file; how it was read, where that is not plain UTF-8, is in its `notes`.

    Keys of a row: `prompt` (text), or `instruction` and `input` as in Alpaca's layout (joined by a blank line);
    `instruction` beside `prompt` must stand within it, once; `instruction_spans` are (start, end) character offsets;
    `response` or `output`, `task` and `name` may be left out. Raises BadInput that names file, row and key.
    """
    if not path.is_file():
        raise BadInput(f"prompt file {path} does not exist.")
    read = _rows(path)
    prompts = []
    seen: dict[str, int] = {}
    for place, (number, row) in enumerate(read.rows, start=1):
        prompt = _prompt(f"{path}, row {number}", row, f"prompt_{place:04d}")
        if prompt.name in seen:
            raise BadInput(f"{path}, row {number}: the name {prompt.name!r} is taken by row {seen[prompt.name]}.")
        seen[prompt.name] = number
        prompts.append(prompt)
    if not prompts:
        raise BadInput(f"{path} holds no prompts; write one JSON object with a `prompt` on each line.")
    checksum = sha256(path.read_bytes()).hexdigest()
    return PromptSet(plain_stem(path), tuple(prompts), checksum, notes=_notes(path, read))


def read_responses(path: Path, prompts: PromptSet, warnings: list[str] | None = None) -> dict[str, str]:
    """Read responses by prompt name: objects with `response` (and `name`), or plain JSON texts, in prompt order.

    How the file was read, where that is not plain UTF-8, is added to `warnings`. Raises BadInput where the number of
    responses differs from the prompts' and they carry no names, or a name is unknown, or a row says that its prompt is
    another one.
    """
    if not path.is_file():
        raise BadInput(f"response file {path} does not exist.")
    read = _rows(path, texts=True)
    by_name = {prompt.name: prompt for prompt in prompts.prompts}
    names = list(by_name)
    given = [_named(f"{path}, row {number}", row) for number, row in read.rows]
    if any(given) and not all(given):
        raise BadInput(f"{path}: some rows have a `name` and others do not; name all of them, or none.")
    if not any(given) and len(given) != len(names):
        raise BadInput(f"{path} has {len(given)} responses without names for {len(names)} prompts; name them.")
    found: dict[str, str] = {}
    for place, (number, row) in enumerate(read.rows):
        where = f"{path}, row {number}"
        name = given[place] or names[place]
        if name not in by_name:
            raise BadInput(f"{where}: no prompt is called {name!r}{nearest(name, names)}.")
        if name in found:
            raise BadInput(f"{where}: a second response to prompt {name!r}.")
        found[name] = row if isinstance(row, str) else _response(where, row, by_name[name])
    if warnings is not None:
        warnings += _notes(path, read)
    return found


def _rows(path: Path, texts: bool = False) -> JsonRows:
    read = read_json_rows(path)
    kinds = (dict, str) if texts else (dict,)
    for number, row in read.rows:
        if not isinstance(row, kinds):
            raise BadInput(f"{path}, row {number}: a row must be a JSON object, not {type(row).__name__}.")
        for key in row if isinstance(row, dict) else ():
            if key not in KEYS:
                raise unknown_key(key, f"{path}, row {number}")
    return read


def _notes(path: Path, read: JsonRows) -> tuple[str, ...]:
    return (f"{path.name}: {read.said}",) if read.said else ()


def _named(where: str, row: dict[str, Any] | str) -> str | None:
    name = None if isinstance(row, str) else text_of(row, "name", where)
    if name is not None and not name.strip():
        raise BadInput(f"{where}: `name` is empty; give one, or leave it out.")
    return name


def _response(where: str, row: dict[str, Any], prompt: Prompt) -> str:
    text = response_of(row, where)
    if text is None:
        raise BadInput(f"{where}: no text under `response`.")
    asked = prompt_of(row, where)
    if asked is not None and asked != prompt.text:
        raise BadInput(
            f"{where}: its prompt is not that of {prompt.name!r}, which it answers; give names, or put the rows into "
            "the order of the prompts."
        )
    return text


def _prompt(where: str, row: dict[str, Any], name: str) -> Prompt:
    text = prompt_of(row, where)
    if text is None:
        raise BadInput(f"{where}: no `prompt` (or `instruction`); every row needs one that is not empty.")
    instruction = row.get("instruction") or ""
    spans = _spans(where, row.get("instruction_spans"), text)
    if instruction and not instruction.strip():
        raise BadInput(f"{where}: `instruction` is blank; write it, or leave it out.")
    if instruction and spans:
        _require_same(where, instruction, [text[start:end] for start, end in spans])
    elif instruction and row.get("prompt") is None:
        spans = ((0, len(instruction)),)  # we joined it, so that we know where it stands
    elif instruction:
        spans = (_only_place(where, instruction, text),)
    return Prompt(_named(where, row) or name, text, spans, response_of(row, where), text_of(row, "task", where) or None)


def _only_place(where: str, instruction: str, text: str) -> tuple[int, int]:
    starts = [found.start() for found in re.finditer(f"(?={re.escape(instruction)})", text)]
    if len(starts) > 1:
        places = ", ".join(f"[{start}, {start + len(instruction)}]" for start in starts[:5])
        raise BadInput(
            f"{where}: the instruction {instruction[:60]!r} stands {len(starts)} times in the prompt; say which is "
            f"meant with `instruction_spans`: one or several of [{places}]."
        )
    return starts[0], starts[0] + len(instruction)


def _require_same(where: str, instruction: str, marked: list[str]) -> None:
    """Refuse spans that hold another text than the instruction beside them: each the whole of it, or all together."""
    if all(part == instruction for part in marked) or " ".join(" ".join(marked).split()) == " ".join(
        instruction.split()
    ):
        return
    raise BadInput(
        f"{where}: `instruction_spans` mark {' ... '.join(marked)[:60]!r} and `instruction` is {instruction[:60]!r}; "
        "offsets count characters from 0, the end not included."
    )


def _spans(where: str, value: Any, text: str) -> tuple[tuple[int, int], ...]:
    if value is not None and not isinstance(value, list):
        raise BadInput(f"{where}: `instruction_spans` must be a list of pairs, [[0, 5]], not {str(value)[:60]!r}.")
    spans = []
    for span in value or []:
        ok = isinstance(span, list) and len(span) == 2 and all(type(place) is int for place in span)
        if not ok or not 0 <= span[0] < span[1] <= len(text):
            raise BadInput(
                f"{where}: instruction span {span!r} is no pair of offsets within a prompt of {len(text)} characters."
            )
        if not text[span[0] : span[1]].strip():
            raise BadInput(f"{where}: instruction span {span!r} marks nothing but blanks.")
        spans.append((span[0], span[1]))
    return tuple(spans)
