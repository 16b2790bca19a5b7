"""The application: global options, commands, and errors as one sentence."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from importlib.metadata import version
from typing import Annotated

import typer

from tuneshift.cli import ability, catalogue, doctor, findings, inside, measure, study, tune
from tuneshift.cli.errors import explained, is_usage_error

DEBUG_VARIABLE = "TUNESHIFT_DEBUG"

app = typer.Typer(
    name="tuneshift",
    help="What did instruction tuning change in a language model: against brains, against reading, and inside?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tuneshift {version('tuneshift')}")
        raise typer.Exit


@app.callback()
def _global_options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"


for room in (study, findings, measure, inside, ability, tune, catalogue, doctor):
    room.register(app)


def main() -> None:
    """Run the command line; an error becomes one sentence on standard error and its exit status (see `explained`)."""
    if not os.environ.get(DEBUG_VARIABLE) and "--debug" not in sys.argv:
        quiet_libraries()
    try:
        status = app(prog_name="tuneshift", standalone_mode=False)
    except Exception as error:
        status = _tell(error)
    _flush()
    sys.exit(status if isinstance(status, int) else 0)


def quiet_libraries() -> None:
    """Show no warning of other packages, by `warnings` or by `logging`: our own, and every error, are still shown."""
    warnings.filterwarnings("ignore")
    warnings.filterwarnings("default", module=r"tuneshift\b")
    warnings.filterwarnings("ignore", category=FutureWarning)  # of packages, about their own next releases
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    logging.getLogger().setLevel(logging.ERROR)
    logging.getLogger("tuneshift").setLevel(logging.WARNING)


def _tell(error: Exception) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # type: ignore[attr-defined]
        return 2
    if os.environ.get(DEBUG_VARIABLE) and not is_usage_error(error):
        raise error
    sentence, status = explained(error)
    sys.stderr.write(f"tuneshift: {sentence}\n")
    return status


def _flush() -> None:
    """Write what is left; a reader that is gone (`tuneshift models | head -1`) is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
