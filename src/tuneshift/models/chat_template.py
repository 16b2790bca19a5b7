"""Chat templates as people have them: which one is used, what it makes of a message, and where that stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import TemplateError, TemplateSyntaxError
from transformers import PreTrainedTokenizerBase

from tuneshift.errors import BadInput, first_line

_PLACE = "\u2402Text\u2403"  # stands for the message; in two cases, so that it shows whether the template changes any
_REMEDY = "lend it another (--template: a model, or a .jinja file of your own), or use the plain form"
_LONGEST = 200


@dataclass(frozen=True)
class Framed:
    """A message inside its frame: `text` is what the model is given, characters `start` to `stop` show the message.

    `cut` characters of the message are missing before `start`: templates may strip white space from its ends.
    """

    text: str
    start: int
    stop: int
    cut: int = 0

    @property
    def origin(self) -> int:
        """The character of `text` at which the message's first character stands, or would stand."""
        return self.start - self.cut


def template_names(tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """Return the names of a tokenizer's chat templates: none, ("default",), or as many as it lists."""
    templates = tokenizer.chat_template
    if not templates:
        return ()
    return tuple(templates) if isinstance(templates, Mapping) else ("default",)


def default_template(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Return the chat template that is used: the only one, or of several the one named "default"; None without it."""
    templates = tokenizer.chat_template
    found = templates.get("default") if isinstance(templates, Mapping) else templates
    return found if found and isinstance(found, str) else None


def rendered(tokenizer: PreTrainedTokenizerBase, message: str, model: str = "this model") -> str:
    """Return a user's message inside the chat template, ready for the answer.

    Raises BadInput where there is no template, several and none named default, one that is no valid Jinja, or one that
    raises: then with the template's own words.
    """
    template = default_template(tokenizer)
    if template is None:
        raise BadInput(_no_template(tokenizer, model))
    try:
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": message}], chat_template=template, tokenize=False, add_generation_prompt=True
        )
    except TemplateSyntaxError as error:
        raise BadInput(
            f"the chat template of {model} is no valid Jinja ({_short(error)}, line {error.lineno}); {_REMEDY}."
        ) from error
    except Exception as error:  # whatever a template of somebody else's does
        if type(error) is TemplateError:  # what `raise_exception` raises: the template speaks
            raise BadInput(f"the chat template of {model} says: {_short(error)!r}; {_REMEDY}.") from error
        raise BadInput(f"the chat template of {model} cannot be filled in ({_short(error)}); {_REMEDY}.") from error
    return str(text)


def framed(tokenizer: PreTrainedTokenizerBase, message: str, model: str = "this model") -> Framed:
    """Return a user's message inside the chat template, ready for the answer, and where it stands there.

    A placeholder is put through the template first, and what stands around it is taken off the real text; so words of
    the message that the template's own text has too are never mistaken for it. Raises BadInput as `rendered` does, and
    for a template that leaves the message out, shows it more than once, or changes more of it than the white space at
    its ends.
    """
    for _ in range(2):  # once more, in case the template writes the time and it went on in between
        frame, text = rendered(tokenizer, _PLACE, model), rendered(tokenizer, message, model)
        before, shown, after = frame.partition(_PLACE)
        if _PLACE in after:
            raise BadInput(
                f"the chat template of {model} shows the user's message {frame.count(_PLACE)} times, so no one place "
                f"is the prompt's; {_REMEDY}."
            )
        if not shown:
            continue
        stop = len(text) - len(after)
        said = text[len(before) : stop]
        if (before + said + after, said.strip()) == (text, message.strip()) and said in message:
            cut = len(message) - len(message.lstrip()) - (len(said) - len(said.lstrip())) if said.strip() else 0
            return Framed(text, len(before), stop, cut)
    raise BadInput(
        f"the chat template of {model} leaves out or changes the user's message, so its words cannot be found in it; "
        f"{_REMEDY}."
    )


def _no_template(tokenizer: PreTrainedTokenizerBase, model: str) -> str:
    names = template_names(tokenizer)
    if names:
        return f"{model} has {len(names)} chat templates ({', '.join(names)}) and none is named default; {_REMEDY}."
    return f"{model} has no chat template; {_REMEDY.replace('another', 'one')}."


def _short(error: Exception) -> str:
    return first_line(error)[:_LONGEST]
