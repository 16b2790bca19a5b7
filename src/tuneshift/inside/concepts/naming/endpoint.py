"""The endpoint that names concepts: one question, one answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tuneshift.endpoint import Busy, Refused, Service, checked_address
from tuneshift.errors import BadInput

KEY_VARIABLES = ("TUNESHIFT_NAMER_KEY", "TUNESHIFT_API_KEY", "OPENAI_API_KEY")
"""Where the key is looked for; it is sent to the endpoint and written nowhere."""

_NAME = "the naming endpoint"


class Endpoint:
    """Asks one model at one URL, such as `https://api.example.org/v1`.

    `options` are those of `tuneshift.endpoint.Service`. An answer that is no chat completion is asked for again, as
    that of a busy server is.
    """

    def __init__(self, url: str, model: str, **options: Any) -> None:
        self.url = checked_url(url)
        self.model = model
        self._service = Service(_NAME, KEY_VARIABLES, advice="run again later: answers so far are kept", **options)

    def ask(self, messages: Sequence[Mapping[str, str]], seed: int) -> str:
        """Return the text of the answer.

        Raises BadInput where the endpoint refuses the request itself (key, model, URL), MeasurementFailed where it is
        still busy or broken after the last attempt. No message holds the key.
        """
        body = {"model": self.model, "messages": list(messages), "seed": seed, "temperature": 0.7, "max_tokens": 300}
        try:
            return self._service.ask(self.url, body, _text, salt=seed)
        except Refused as refused:
            said = f": {refused.said}" if refused.said else ""
            raise BadInput(
                f"{_NAME} {self.url} refuses the request for model {self.model!r} (status {refused.status}{said}); "
                "check the URL and the model's name."
            ) from None


def checked_url(url: str) -> str:
    """Return the address that requests go to; BadInput for one that is no address or holds a secret."""
    address = checked_address(url, _NAME, KEY_VARIABLES[0])
    return address if address.endswith("/chat/completions") else f"{address}/chat/completions"


def _text(body: bytes) -> str:
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise Busy("an answer that is no chat completion") from None
    return content if isinstance(content, str) else ""  # a model that refuses may answer null
