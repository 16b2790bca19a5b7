"""Errors as a person reads them: one sentence and an exit status, whatever was raised."""

from __future__ import annotations

import errno
import os
import traceback
from typing import Any

import typer

from tuneshift.cli.printable import one_line
from tuneshift.errors import TuneshiftError

FAILED, BAD_INPUT = 1, 2
_FILE_ERRORS = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError)


def explained(error: Exception) -> tuple[str, int]:
    """Return one printable line that says what went wrong, and the exit status: 2 for bad input, else 1."""
    sentence, status = _explained(error)
    return one_line(sentence), status


def _explained(error: Exception) -> tuple[str, int]:
    if isinstance(error, TuneshiftError):
        return str(error), error.exit_code
    if isinstance(error, typer.Abort):
        return "stopped.", FAILED
    if is_usage_error(error):
        return _usage(error), BAD_INPUT
    if isinstance(error, _FILE_ERRORS) and error.filename is not None:
        return f"{error.filename} cannot be read or written ({error.strerror}); give another path.", BAD_INPUT
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return f"{error.filename or 'a name'!s:.80}... is too long for a file name; give a shorter one.", BAD_INPUT
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; free some space and run the same command again.", FAILED
    if (settings := _settings(error)) is not None:
        return settings, BAD_INPUT
    return _unexpected(error), FAILED


def is_usage_error(error: BaseException) -> bool:
    """Whether this is typer's word about the command line itself (its classes moved between releases)."""
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _usage(error: Any) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "tuneshift"
    return f"{error.format_message().rstrip('.')}; see `{command} --help`."


def _settings(error: Exception) -> str | None:
    """Return what a specification refuses, None for any other error; pydantic is imported by whoever raised it."""
    if type(error).__name__ != "ValidationError" or not hasattr(error, "errors"):
        return None
    problem = error.errors()[0]
    key = ".".join(map(str, problem["loc"])) or "settings"
    return f"{key}: {problem['msg'].removeprefix('Value error, ')}, not {problem.get('input')!r:.200}."


def _unexpected(error: Exception) -> str:
    said = " ".join(str(error).split()) or "no reason given"
    frames = traceback.extract_tb(error.__traceback__)
    place = f", {os.path.basename(frames[-1].filename)} line {frames[-1].lineno}" if frames else ""
    return (
        f"something unexpected happened ({type(error).__name__}: {said[:600]}{place}); "
        "run it again as `tuneshift --debug ...` to see the whole traceback."
    )
