"""An OpenAI-compatible endpoint: one question, one answer; patient where it is busy, plain where it refuses."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tuneshift.errors import BadInput, MeasurementFailed

KEY_VARIABLES = ("TUNESHIFT_NAMER_KEY", "OPENAI_API_KEY")
"""Where the key is looked for; it is sent to the endpoint and written nowhere."""

_BUSY = {408, 409, 425, 429, 500, 502, 503, 504, 529}
_LARGEST_ANSWER = 1 << 20
_LONGEST_WAIT = 300.0


class Endpoint:
    """Asks one model at one URL, such as `https://api.example.org/v1`.

    A request that meets a busy server (429, 5xx), a dropped connection or an answer that is no chat completion is sent
    again, up to `attempts` times, after the seconds that `Retry-After` names, else after twice as long each time.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        attempts: int = 6,
        first_wait: float = 1.0,
        timeout: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = checked_url(url)
        self.model = model
        self.attempts = attempts
        self.first_wait = first_wait
        self.timeout = timeout
        self._sleep = sleep
        self._opener = build_opener(_NoRedirects)

    def ask(self, messages: Sequence[Mapping[str, str]], seed: int) -> str:
        """Return the text of the answer.

        Raises BadInput where the endpoint refuses the request itself (key, model, URL), MeasurementFailed where it is
        still busy or broken after the last attempt. No message holds the key.
        """
        body = {"model": self.model, "messages": list(messages), "seed": seed, "temperature": 0.7, "max_tokens": 300}
        problem = ""
        for attempt in range(self.attempts):
            try:
                return self._once(json.dumps(body).encode())
            except _Busy as busy:
                problem = str(busy)
                wait = busy.wait if busy.wait is not None else self._backoff(attempt, seed)
            if wait > _LONGEST_WAIT:
                problem += f", and asks to wait {wait:.0f} s"
                break
            if attempt + 1 < self.attempts:
                self._sleep(wait)
        raise MeasurementFailed(
            f"the naming endpoint {self.url} gave no answer ({problem}); run again later: answers so far are kept."
        )

    def _once(self, body: bytes) -> str:
        key = _key()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        try:
            with self._opener.open(Request(self.url, body, headers, method="POST"), timeout=self.timeout) as response:
                return _text(response.read(_LARGEST_ANSWER))
        except HTTPError as error:
            raise self._refusal(error) from None
        except (URLError, HTTPException, OSError) as error:
            raise _Busy(_without_key(f"connection failed: {getattr(error, 'reason', None) or error!r}")) from None

    def _refusal(self, error: HTTPError) -> Exception:
        if error.code in _BUSY:
            return _Busy(f"status {error.code}", _retry_after(error.headers))
        said = _without_key(_detail(error))
        if error.code in (401, 403):
            return BadInput(
                f"the naming endpoint {self.url} refuses the key (status {error.code}{said}); "
                f"set {KEY_VARIABLES[0]} to a key for it."
            )
        if 300 <= error.code < 400:
            return BadInput(f"the naming endpoint {self.url} redirects elsewhere; give the address it redirects to.")
        return BadInput(
            f"the naming endpoint {self.url} refuses the request for model {self.model!r} (status {error.code}{said}); "
            "check the URL and the model's name."
        )

    def _backoff(self, attempt: int, seed: int) -> float:
        """Return a wait that doubles, spread so that many requests do not come back at once."""
        spread = random.Random(f"{seed} {attempt}").uniform(0.75, 1.25)
        return min(self.first_wait * 2.0**attempt, _LONGEST_WAIT / 2) * spread


class _Busy(Exception):
    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.wait = wait


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def checked_url(url: str) -> str:
    """Return the address that requests go to; BadInput for one that is no address or holds a secret."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInput("the naming endpoint's address is none; give one such as https://api.example.org/v1.")
    if parts.username or parts.password or parts.query:
        raise BadInput(
            f"the naming endpoint's address must hold no key, user or question mark; set {KEY_VARIABLES[0]} instead."
        )
    path = parts.path.rstrip("/")
    ending = "" if path.endswith("/chat/completions") else "/chat/completions"
    return f"{parts.scheme}://{parts.netloc}{path}{ending}"


def _key() -> str:
    return next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), "")


def _without_key(text: str) -> str:
    key = _key()
    return text.replace(key, "[key]") if key else text


def _text(body: bytes) -> str:
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise _Busy("an answer that is no chat completion") from None
    return content if isinstance(content, str) else ""  # a model that refuses may answer null


def _detail(error: HTTPError) -> str:
    """Return what the server says about a refusal, "" where it says nothing that can be read."""
    try:
        found: Any = json.loads(error.read(_LARGEST_ANSWER))
        message = found["error"]["message"] if isinstance(found["error"], dict) else found["error"]
        return f": {' '.join(str(message).split())[:200]}"
    except (ValueError, KeyError, TypeError, OSError, HTTPException, RecursionError):
        return ""


def _retry_after(headers: Message) -> float | None:
    """Return the seconds that `Retry-After` names, as a number or as a date."""
    value = headers.get("Retry-After")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
