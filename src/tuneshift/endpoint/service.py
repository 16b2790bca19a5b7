"""An OpenAI-compatible server: patient where it is busy, plain where it refuses, and the key in no sentence."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tuneshift.errors import BadInput, MeasurementFailed

T = TypeVar("T")

_BUSY = {408, 409, 425, 429, 500, 502, 503, 504, 529}
_LARGEST_REFUSAL = 1 << 20
_LONGEST_WAIT = 300.0


class Service:
    """Sends JSON to the addresses of one server and hands the bodies of its answers to a reader.

    A request that meets a busy server (429, 5xx), a dropped connection, silence for `timeout` seconds, or an answer
    whose reader raises `Busy` is sent again, up to `attempts` times, after the seconds that `Retry-After` names, else
    after twice as long each time. `name` is what sentences call the server and `advice` how they end; the key is in the
    first of the environment variables `keys` that is set. `final` matches what the server says of a request that it
    will never answer, whatever the status; at most `largest` bytes of an answer are read.
    """

    def __init__(
        self,
        name: str,
        keys: Sequence[str],
        *,
        advice: str,
        final: re.Pattern[str] | None = None,
        largest: int = 1 << 20,
        attempts: int = 6,
        first_wait: float = 1.0,
        timeout: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.keys = tuple(keys)
        self.advice = advice
        self.final = final
        self.largest = largest
        self.attempts = attempts
        self.first_wait = first_wait
        self.timeout = timeout
        self._sleep = sleep
        self._opener = build_opener(_NoRedirects)

    def ask(
        self,
        url: str,
        body: Mapping[str, Any] | None,
        read: Callable[[bytes], T],
        *,
        salt: object = 0,
        attempts: int | None = None,
    ) -> T:
        """Return what `read` makes of the answer to a POST of `body`, or to a GET without one.

        Raises `Refused` where the server refuses the request itself, BadInput where it refuses the key or redirects,
        MeasurementFailed where it is still busy or broken after the last attempt. `salt` spreads the waits of requests
        that are sent at once; `attempts` are fewer than the service's own.
        """
        attempts = self.attempts if attempts is None else min(attempts, self.attempts)
        content = None if body is None else json.dumps(body).encode()
        problem = ""
        for attempt in range(attempts):
            try:
                return read(self._once(url, content))
            except Busy as busy:
                problem = str(busy)
                wait = busy.wait if busy.wait is not None else self._backoff(attempt, salt)
            if wait > _LONGEST_WAIT:
                problem += f", and asks to wait {wait:.0f} s"
                break
            if attempt + 1 < attempts:
                self._sleep(wait)
        raise MeasurementFailed(f"{self.name} {url} gave no answer ({problem}); {self.advice}.")

    def without_key(self, text: str) -> str:
        """Return a text in which nobody can read the key."""
        key = self._key()
        return text.replace(key, "[key]") if key else text

    def _key(self) -> str:
        return next((os.environ[name] for name in self.keys if os.environ.get(name)), "")

    def _once(self, url: str, content: bytes | None) -> bytes:
        key = self._key()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        method = "GET" if content is None else "POST"
        try:
            with self._opener.open(Request(url, content, headers, method=method), timeout=self.timeout) as response:
                body = bytes(response.read(self.largest))
                missing = response.length or 0
        except HTTPError as error:
            raise self._refusal(url, error) from None
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or repr(error)
            raise Busy(self.without_key(f"connection failed: {reason}")) from None
        if missing and len(body) < self.largest:  # http.client takes a connection that breaks off for an end
            raise Busy(f"the answer broke off {missing} bytes before its end")
        # A server that repeats the key must not get it into results, files and sentences.
        return body.replace(key.encode(), b"[key]") if key else body

    def _refusal(self, url: str, error: HTTPError) -> Exception:
        said = self.without_key(_said(error))
        told = f"status {error.code}{': ' if said else ''}{said}"
        if self.final is not None and error.code not in (401, 403, 429) and self.final.search(said):
            return Refused(f"{self.name} {url} refuses the request ({told}).", error.code, said)
        if error.code in _BUSY:
            return Busy(f"status {error.code}", _retry_after(error.headers))
        if error.code in (401, 403):
            return BadInput(f"{self.name} {url} refuses the key ({told}); set {self.keys[0]} to a key for it.")
        if 300 <= error.code < 400:
            return BadInput(f"{self.name} {url} redirects elsewhere; give the address it redirects to.")
        return Refused(f"{self.name} {url} refuses the request ({told}).", error.code, said)

    def _backoff(self, attempt: int, salt: object) -> float:
        """Return a wait that doubles, spread so that many requests do not come back at once."""
        spread = random.Random(f"{salt} {attempt}").uniform(0.75, 1.25)
        return min(self.first_wait * 2.0**attempt, _LONGEST_WAIT / 2) * spread


class Refused(BadInput):
    """A server's refusal of a request: its `status`, and what it `said`, without the key."""

    def __init__(self, sentence: str, status: int, said: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.said = said


class Busy(Exception):
    """An answer that may be better next time; `wait` are the seconds to wait, None where nobody named them."""

    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.wait = wait


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def checked_address(url: str, name: str, key: str) -> str:
    """Return an address without a slash at its end; BadInput for one that is no address or holds a secret."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        known = False
    if not known:
        raise BadInput(f"{name}'s address is none; give one such as https://api.example.org/v1.")
    if parts.username or parts.password or parts.query:
        raise BadInput(f"{name}'s address must hold no key, user or question mark; set {key} instead.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _said(error: HTTPError) -> str:
    """Return what the server says about a refusal, "" where it says nothing that can be read."""
    try:
        body = error.read(_LARGEST_REFUSAL)
    except (OSError, HTTPException):
        return ""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for name in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    return " ".join(str(found).split())[:200] if isinstance(found, str | list) else ""


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
