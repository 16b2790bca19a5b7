"""Commands that say what is known: models and data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tuneshift.cli.completion import complete_card, complete_data
from tuneshift.cli.options import AsJson
from tuneshift.cli.output import print_json, print_table, tell
from tuneshift.cli.progress import progress_bars
from tuneshift.errors import BadInput, nearest


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(models)
    app.command()(data)


def models(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="One model, with everything known of it.", autocompletion=complete_card),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Ask the hub: there, moved, gated, size and base as written?")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The models that are known: where they come from, their size, and what they were tuned from."""
    from tuneshift.models.registry import model_cards

    cards = {card.name: card.model_dump() for card in model_cards()}
    if name is not None and name not in cards:
        raise BadInput(f"no model card is called {name!r}{nearest(name, cards)}; `tuneshift models` lists them.")
    if check:
        _check_models(name, as_json)
        return
    rows = [cards[name]] if name else list(cards.values())
    _show(rows, as_json, transposed=name is not None)


def data(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME | check FILE | import FILE]",
            help="One data set, `check FILE`, or `import FILE`.",
            autocompletion=complete_data,
        ),
    ] = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Download what is not here.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Compare every file here with its checksum.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where `import` writes what it read.")
    ] = None,
    measure: Annotated[
        str | None, typer.Option("--measure", help="Which reading time `import` takes: gaze, total, go_past, ...")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The data sets that are known: source, licence, whether they are here and intact.

    Of your own: `check FILE` says what is wrong with a file; `import RECIPE.yaml` makes a recording of
    scans and word times, `import FILE` a table of a public corpus of reading times.
    """
    from tuneshift.human import DATA_SETS
    from tuneshift.human.own_files import inspect_file

    words = words or []
    if len(words) == 2 and words[0] == "check":
        problems, labels = inspect_file(Path(words[1]))
        if labels:
            tell(f"labels for --group-by: {', '.join(labels)}")
        _show([{"file": words[1], "problem": p} for p in problems] or [{"file": words[1], "problem": "none"}], as_json)
        if any(not problem.startswith("warning: ") for problem in problems):
            raise typer.Exit(2)
        return
    if len(words) == 2 and words[0] == "import":
        _import(Path(words[1]), out, measure, as_json)
        return
    if len(words) > 1:
        raise BadInput(f"`tuneshift data` takes one name, `check FILE`, or `import FILE`, not {' '.join(words)!r}.")
    name = words[0] if words else None
    if name is not None and name not in DATA_SETS:
        raise BadInput(f"no data set is called {name!r}{nearest(name, DATA_SETS)}; `tuneshift data` lists them.")
    chosen = [DATA_SETS[name]] if name else list(DATA_SETS.values())
    rows = []
    for data_set in chosen:
        if fetch:
            data_set.checked_files()
        here = data_set.is_here()
        row: dict[str, Any] = {"name": data_set.name, "kind": data_set.kind, "here": "yes" if here else "no"}
        if check and here:
            data_set.checked_files()  # raises where a checksum is wrong
            row["intact"] = "yes"
        row |= {"licence": data_set.licence, "citation": data_set.citation}
        if name:
            row |= {"sources": "\n".join(s.url for s in data_set.sources), "notes": data_set.notes}
        rows.append(row)
    _show(rows, as_json, transposed=name is not None)


def _import(source: Path, out: Path | None, measure: str | None, as_json: bool) -> None:
    """Import scans by a recipe (.yaml), or a corpus of reading times by its columns."""
    from tuneshift.human import import_reading_times, import_series, write_reading_times

    if source.suffix.lower() not in (".yaml", ".yml"):
        times = import_reading_times(source, measure)
        path = write_reading_times(times, out or Path(f"{times.name}.csv"))
        n_readers = times.by_participant["participant"].nunique() if times.by_participant is not None else 0
        row = {"file": str(path), "documents": len(times.documents), "words": len(times.words)}
        _show(
            [row | {"participants": n_readers, "measure": times.name}], as_json, transposed=True, warnings=times.notes
        )
        return
    if measure is not None:
        raise BadInput("--measure goes with reading times; a recipe of scans has none.")
    path = out or source.with_suffix(".nc")
    if path.suffix != ".nc":
        raise BadInput(f"--out {path} must end in .nc: a recording is written as netCDF.")
    with progress_bars() as progress:
        recording = import_series(source, progress)
    recording.to_netcdf(path)
    n_scans, n_targets = recording.data.shape
    row = {"file": str(path), "participants": len(recording.participants), "scans": n_scans, "targets": n_targets}
    row |= {"words": len(recording.words.words) if recording.words else 0, "dropped": "\n".join(recording.dropped)}
    _show([row], as_json, transposed=True)


def _check_models(name: str | None, as_json: bool) -> None:
    """Show what the hub says of every model, or of one; exit status 1 where something is not as written."""
    from dataclasses import asdict

    from tuneshift.models.registry import model_cards
    from tuneshift.models.registry_check import GOOD, CardCheck, check_cards

    chosen = list(check_cards(model_cards(), only=name))
    columns = list(CardCheck.__dataclass_fields__)
    _show([{column: asdict(found)[column] for column in columns} for found in chosen], as_json)
    if any(found.state not in GOOD for found in chosen):
        raise typer.Exit(1)


def _show(rows: list[dict[str, Any]], as_json: bool, transposed: bool = False, warnings: tuple[str, ...] = ()) -> None:
    import pandas as pd

    if as_json:
        print_json(rows, warnings)
        return
    for warning in warnings:
        tell(f"note: {warning}", style="yellow")
    if transposed:
        print_table(pd.DataFrame([{"": key, " ": value} for key, value in rows[0].items()]))
    else:
        print_table(pd.DataFrame(rows))
