"""Commands that run whole studies: demo, run, report, compare."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tuneshift.cli.completion import complete_data, complete_model
from tuneshift.cli.findings import print_findings
from tuneshift.cli.options import AsJson
from tuneshift.cli.output import json_rows, print_json, print_table, tell
from tuneshift.cli.printable import one_line, printable
from tuneshift.cli.progress import log_line, progress_bars
from tuneshift.errors import BadInput, nearest

if TYPE_CHECKING:
    from tuneshift.study import Study, StudyResults


class Executor(StrEnum):
    """Where the jobs of a study run."""

    local = "local"
    ray = "ray"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(demo)
    app.command()(run)
    app.command()(report)
    app.command()(compare)


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the results and the report.")] = Path("demo-report"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure again what is already there.")] = False,
    as_json: AsJson = False,
) -> None:
    """The whole study on the embedded models, with simulated participants or the real data sets it finds."""
    from tuneshift.study.demo import demo_study

    study = demo_study()
    if not as_json:
        typer.echo(printable(study.notes))
    _run_and_report(study, out, executor="local", fresh=fresh, as_json=as_json)


def run(
    study_file: Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="The study to run.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the results (default: the study's name).")] = None,
    executor: Annotated[Executor | None, typer.Option(help="This process, or a Ray cluster.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure again what is already there.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show the jobs and their cost, run nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a study; what a former run finished is not run again."""
    from tuneshift.study import load_study

    study = load_study(study_file)
    if plan:
        _show_plan(study, as_json)
        return
    folder = out if out is not None else Path(study.name)
    _run_and_report(study, folder, executor=executor.value if executor else None, fresh=fresh, as_json=as_json)


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The output folder of a study.")],
    model_card: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Print MODEL's `model-index` for its model card instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write report.html again from what is stored."""
    from tuneshift.report import write_report
    from tuneshift.study import StudyResults

    results = StudyResults.load(folder)
    if model_card is not None:
        _print_model_card(results, model_card, as_json)
        return
    path = write_report(results, folder / "report.html")
    _finish(results, path, as_json)


def compare(
    base: Annotated[str, typer.Argument(metavar="BASE", help="The base model.", autocompletion=complete_model)],
    tuned: Annotated[str, typer.Argument(metavar="TUNED", help="Its tuned version.", autocompletion=complete_model)],
    brain: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATA",
            help="Recording: a data set or a file of your own (repeatable); default: the ready one.",
            autocompletion=complete_data,
        ),
    ] = None,
    reading: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATA",
            help="Reading times: a data set or a file of your own (repeatable); default: the ready ones.",
            autocompletion=complete_data,
        ),
    ] = None,
    controls: Annotated[
        bool, typer.Option("--controls", help="With every brain score the controls of `tuneshift brain --controls`.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the results and the report.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every shift between one base model and its tuned version, in one report."""
    from tuneshift.models import model_revision
    from tuneshift.study.demo import pair_study

    for model in (base, tuned):
        model_revision(model)  # a name that is wrong is said before anything is measured
    study = pair_study(base, tuned, brain or (), reading or (), controls)
    if not as_json:
        typer.echo(printable(study.notes))
    folder = out if out is not None else Path(study.name)
    _run_and_report(study, folder, executor="local", fresh=False, as_json=as_json)


def _print_model_card(results: StudyResults, model: str, as_json: bool) -> None:
    import yaml

    from tuneshift.report.model_index import model_index

    known = results.table["model"].dropna().unique().tolist()
    if model not in known:
        raise BadInput(f"this study has no model {model!r}{nearest(model, known)}; it has {', '.join(known)}.")
    try:
        card = model_index(results.table, model, results.vocabulary)
    except ValueError as error:
        raise BadInput(f"{error}; a model card holds brain, reading, attribution and ability scores.") from error
    if as_json:
        print_json(yaml.safe_load(card)["model-index"], results.warnings)
    else:
        typer.echo(card, nl=False)


def _run_and_report(study: Study, out: Path, *, executor: str | None, fresh: bool, as_json: bool) -> None:
    from tuneshift.report import write_report
    from tuneshift.study import run as run_study

    options: dict[str, Any] = {"executor": executor} if executor else {}
    with progress_bars() as progress:
        results = run_study(study, out=out, fresh=fresh, progress=progress, log=log_line, **options)
    path = write_report(results, out / "report.html")
    _finish(results, path, as_json)


def _finish(results: StudyResults, report_path: Path, as_json: bool) -> None:
    """Show the findings and where the report lies; exit status 1 where a measurement failed."""
    if as_json:
        print_json(json_rows(results.table), results.warnings)
    else:
        from tuneshift.findings.cautions import cautions

        for caution in cautions(results.table, results.study, results.runs):
            tell(f"note: {caution}", style="yellow")
        print_findings(results)
        typer.echo(f"report: {report_path}")
    for failure in results.failures:
        tell(f"tuneshift: failed: {one_line(failure)}")
    if results.failures:
        raise typer.Exit(1)


def _show_plan(study: Study, as_json: bool) -> None:
    from tuneshift.study import plan as plan_study

    table = plan_study(study)
    if as_json:
        print_json(json.loads(table.to_json(orient="records")))
    else:
        print_table(table)
