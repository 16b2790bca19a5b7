"""Progress on standard error: a bar with time left on a terminal, a line a finished job where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tuneshift.cli.output import tell
from tuneshift.cli.printable import printable
from tuneshift.progress import Progress as Report
from tuneshift.progress import silent


def log_line(line: str) -> None:
    """Write a line to standard error where there is no terminal, so that a log tells how far a study is."""
    if not Console(stderr=True).is_terminal:
        tell(line)


@contextmanager
def progress_bars() -> Iterator[Report]:
    """Yield a progress callback that draws one bar a step, with elapsed time and time left."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield silent
        return
    columns = (
        TextColumn("{task.description:<28}", markup=False),  # a model's name is no markup
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            what = printable(what)
            if what not in tasks or bars.tasks[bars.task_ids.index(tasks[what])].finished:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total, visible=done < total)

        yield report
