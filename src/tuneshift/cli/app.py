"""The application: global options, commands, and errors as one sentence."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from tuneshift.cli import ability, catalogue, doctor, inside, measure, study, tune
from tuneshift.errors import TuneshiftError

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
        os.environ["TUNESHIFT_DEBUG"] = "1"


for room in (study, measure, inside, ability, tune, catalogue, doctor):
    room.register(app)


def main() -> None:
    """Run the command line; a known error becomes one sentence on standard error and its exit status."""
    try:
        app()
    except TuneshiftError as error:
        if os.environ.get("TUNESHIFT_DEBUG"):
            raise
        sys.stderr.write(f"tuneshift: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("tuneshift: stopped; what was finished is kept.\n")
        sys.exit(130)
