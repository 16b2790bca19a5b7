"""Text files as people have them: compressed or not, in UTF-8, UTF-16 or Windows-1252, and never with letters lost."""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from tuneshift.errors import BadInput
from tuneshift.files.plain_files import GZIP, plain_name
from tuneshift.files.western_letters import looks_like, reads_as_western

_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32", "UTF-32"), (b"\x00\x00\xfe\xff", "utf-32", "UTF-32"),
    (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8"), (b"\xff\xfe", "utf-16", "UTF-16"), (b"\xfe\xff", "utf-16", "UTF-16"),
)  # fmt: skip
_LOST = "\ufffd"
_LARGEST = 4 << 30  # bytes of an unpacked file; a table of words is a thousand times smaller


@dataclass(frozen=True)
class TextFile:
    """`text` with line ends "\\n" and no byte-order mark; `said`: how it was read, "" where it is plain UTF-8."""

    text: str
    said: str = ""


def read_text(path: str | Path, declared: str | None = None) -> TextFile:
    """Read a text file, unpacked where it is gzip, in the encoding that it is recognised to have.

    UTF-8, UTF-16 and UTF-32 (with a mark, or UTF-16 without) are known by their bytes, Windows-1252 and Latin-1 by
    their letters (charset-normalizer and the places where letters stand), or because the authors declare them
    (`declared`). Raises BadInput, with the row, where the bytes are in none of them or a letter was lost before.
    """
    return decode_text(unpacked(Path(path)), str(path), declared)


def decode_text(raw: bytes, where: str, declared: str | None = None) -> TextFile:
    """Return the text of bytes (as `read_text`); `where` is what errors call them."""
    text, said = _decoded(raw, where, declared)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _LOST in text:
        raise BadInput(
            f"{where}, row {_row(text, text.index(_LOST))}: holds U+FFFD, the sign of a letter that was lost when the "
            "file was saved in another encoding; take the file from before that."
        )
    return TextFile(text, said)


def unpacked(path: Path) -> bytes:
    """Return the bytes of a file, unpacked where they are gzip; raises BadInput where they cannot be read."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror or error}).") from error
    if raw[:2] != GZIP:
        if path.suffix.lower() == ".gz":
            raise BadInput(f"{path} ends in .gz and is not compressed; take the ending away, or compress it.")
        return raw
    try:
        with gzip.open(path) as stream:
            found = stream.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} is compressed (gzip) and damaged ({error}); fetch it again.") from error
    if len(found) > _LARGEST:
        raise BadInput(f"{path} unpacks to more than {_LARGEST >> 30} GiB; it is no table of words.")
    return found


def plain_suffix(path: str | Path) -> str:
    """Return the suffix that says what a file holds, in small letters: ".csv" of "READ.CSV" and of "read.csv.gz"."""
    return Path(plain_name(Path(path))).suffix


def plain_stem(path: str | Path) -> str:
    """Return a file's name without its suffix, and without ".gz" behind that."""
    path = Path(path)
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def _decoded(raw: bytes, where: str, declared: str | None) -> tuple[str, str]:
    for mark, encoding, name in _MARKS:
        if raw.startswith(mark):
            said = "" if name == "UTF-8" else f"read as {name}, as its byte-order mark says"
            return _strictly(raw, encoding, name, where), said
    if b"\0" in raw:
        return _without_mark(raw, where), "read as UTF-16, which it is without a byte-order mark"
    try:
        return raw.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        broken = error
    where_broken = f"{where}, row {_row(raw, broken.start)}: byte {broken.start} is no UTF-8 ({broken.reason})"
    # Western letters seldom make UTF-8 by chance: such a file is UTF-8 and cut, or two encodings in one.
    kept = len(re.findall(r"[^\x00-\x7f]", raw.decode("utf-8", errors="ignore")))
    if kept > 0.5 * raw.decode("utf-8", errors="replace").count(_LOST):
        raise BadInput(
            f"{where_broken}, which {kept} letters of the file are; mend that row, or save the whole file as UTF-8."
        ) from broken
    if declared is not None:
        name = "Windows-1252" if declared == "cp1252" else declared
        return _strictly(raw, declared, name, where), f"read as {name}, as its authors write it"
    western = None if kept else reads_as_western(raw)
    if western is None:
        raise BadInput(
            f"{where_broken}, and the file does not read as Windows-1252 or Latin-1{looks_like(raw)}; save it as UTF-8."
        ) from broken
    return western, f"read as Windows-1252 (Latin-1): {_first_beyond_ascii(western)}; if not, save it as UTF-8"


def _strictly(raw: bytes, encoding: str, name: str, where: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        text = raw[: error.start].decode(encoding, errors="ignore")
        raise BadInput(
            f"{where}, row {_row(text, len(text))}: byte {error.start} is no {name} ({error.reason}); save the file "
            "as UTF-8."
        ) from error


def _without_mark(raw: bytes, where: str) -> str:
    """Decode UTF-16 without a mark; its zero bytes stand behind (little-endian) or before Latin letters and commas."""
    behind, before = raw[1::2].count(0), raw[::2].count(0)
    encoding = "utf-16-le" if behind >= before else "utf-16-be"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or min(behind, before) > 0.1 * max(behind, before) or _strays(raw):
        at = raw.index(b"\0")
        raise BadInput(f"{where}, row {_row(raw, at)}: byte {at} is zero, so this is no text file, or a damaged one.")
    return text


def _strays(raw: bytes) -> bool:
    """Whether zero bytes stand here and there in a text of another encoding, which two by two would be Chinese."""
    share = raw.count(0) / len(raw)
    if share >= 0.4:  # Latin letters have one each
        return False
    try:
        left = raw.replace(b"\0", b"").decode("utf-8")
    except UnicodeDecodeError:
        return share < 0.03  # lines, commas and figures of any table are more
    return not re.search(r"[\x01-\x08\x0e-\x1f]", left)  # halves of Greek, Cyrillic, Arabic letters


def _first_beyond_ascii(text: str) -> str:
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        found = re.search(r"[^\s,;\t\"]*[^\x00-\x7f][^\s,;\t\"]*", line)
        if found:
            return f"{found.group()!r} in row {number}"
    return "nothing beyond ASCII"


def _row(text: str | bytes, end: int) -> int:
    """Return the row, from 1, of a place in a text or in bytes, whatever ends its lines."""
    head = text[:end]
    if isinstance(head, str):
        return len(re.split(r"\r\n|\r|\n", head))
    return len(re.split(rb"\r\n|\r|\n", head))
