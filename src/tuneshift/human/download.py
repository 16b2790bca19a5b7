"""Downloads: over https from end to end, never longer than allowed, checked, and never outside the cache folder."""

from __future__ import annotations

import re
import sys
import urllib.request
from collections.abc import Sequence
from http.client import HTTPMessage
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.error import URLError

import pooch

from tuneshift.errors import BadInput

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}")
_HASH = re.compile(r"sha1:[0-9a-f]{40}|sha256:[0-9a-f]{64}")
_BLOCK = 1 << 20
_TIMEOUT = 60  # seconds without a byte

if sys.stderr is None or not sys.stderr.isatty():  # who waits at a terminal is told of a download; logs are not
    pooch.get_logger().setLevel("WARNING")


def check_name(name: str, what: str) -> None:
    """Raise BadInput unless `name` is a plain file name: letters, digits, `._+-`, not beginning with a dot."""
    if not _NAME.fullmatch(name):
        raise BadInput(f"{what} {name!r} is no plain name: use letters, digits, '.', '_', '+' and '-' only.")


def check_source(path: str, url: str, known_hash: str) -> None:
    """Raise BadInput unless a file's place cannot leave its folder, its url is https and its hash sha1 or sha256.

    An empty hash is allowed: see `DataSet.file` for what is checked then.
    """
    parts = PurePosixPath(path).parts
    if not parts or "/".join(parts) != path:
        raise BadInput(f"path {path!r} of a source must be relative, with single '/' between its names.")
    for part in parts:
        check_name(part, f"path {path!r} of a source: the part")
    if not url.startswith("https://"):
        raise BadInput(f"url {url!r} of {path} must begin with https://.")
    if known_hash and not _HASH.fullmatch(known_hash):
        raise BadInput(f"hash {known_hash!r} of {path} must be 'sha1:' or 'sha256:' and hexadecimal digits.")


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
    """A redirection to anything but https is an error, so that nobody on the way can choose what arrives."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if not newurl.startswith("https://"):
            raise URLError(f"it redirects to {newurl!r}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetched(
    url: str,
    known_hash: str,
    folder: Path,
    name: str,
    most_bytes: int,
    handlers: Sequence[urllib.request.BaseHandler] = (),
) -> Path:
    """Return the file `name` in `folder`, downloaded from an https url where it is not there yet.

    It appears whole and with the right hash, or not at all. `handlers` replace urllib's own. Raises URLError, OSError
    or ValueError where the url is not https, does not answer, sends more than `most_bytes`, or has another hash.
    """
    check_source(name, url, known_hash)

    def stream(address: str, output: IO[bytes] | str, _: Any) -> None:
        opener = urllib.request.build_opener(_HttpsRedirects(), *handlers)
        with opener.open(urllib.request.Request(address), timeout=_TIMEOUT) as response:
            said = response.headers.get("Content-Length")
            if said is not None and said.isdigit() and int(said) > most_bytes:
                raise URLError(f"it is {int(said):,} bytes, more than the {most_bytes:,} that are allowed")
            with open(output, "wb") if isinstance(output, str) else output as target:
                received = 0
                while block := response.read(_BLOCK):
                    received += len(block)
                    if received > most_bytes:
                        raise URLError(f"it sends more than the {most_bytes:,} bytes that are allowed")
                    target.write(block)

    return Path(pooch.retrieve(url, known_hash or None, fname=name, path=folder, downloader=stream))
