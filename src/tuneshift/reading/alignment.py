"""Reading alignment: does a word that surprises a model slow readers down?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tuneshift.errors import BadInput
from tuneshift.human import DATA_SETS, data_checksum, load_data
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.measurement import Measurement, of_model
from tuneshift.models import LanguageModel
from tuneshift.models.lent_template import in_chat_form, template_checksum
from tuneshift.models.surprisal_forms import Form
from tuneshift.models.unknown_letters import unknown_letters
from tuneshift.progress import Progress, silent
from tuneshift.reading.log_times import log_times
from tuneshift.reading.predictors import Exclusion, checked_words
from tuneshift.reading.scores import Settings, measure
from tuneshift.reading.served import ServedModel
from tuneshift.reading.served.served_model import served_surprisals
from tuneshift.reading.surprisal_file import Source, surprisals_of
from tuneshift.result import Result
from tuneshift.vocabulary.reading import READING


class ReadingAlignment(Measurement):
    """Surprisal against reading times (methods, section 2; paper 1, behavioural alignment).

    - `data`: a reading data set, or a table of words and times of your own.
    - `form`: the text bare (`plain`), in the model's chat template (`chat`), or behind an `instruction` (`instructed`).
    - `template`: a model, or a .jinja file, that lends its chat template to a model without one: base and tuned can
      be given the same.
    - `exclude`: which words Pearson r leaves out: each document's first, each sentence's first, or none.
    - `regression`: `cross_validated` (delta-LL held out by story, with spillover) or `published` (in sample, as in
      Kuribayashi et al. 2024, whose totals it gives).
    - `spillover`: how many words before count in the regression; `folds`: at most so many in its cross-validation.
    - `ceiling`: reliability of the times (r), where you know it and the data cannot tell.
    - `log`: score the logarithms of mean times ("log ms") instead of the times.
    - `mixed_model`: mixed model over readers and words; by default wherever there are times by participant, up to a
      million of them from 300 readers.
    - `n_boot`: without effect, and accepted so that older study files are read: intervals are no bootstrap any more.
    """

    code_version: ClassVar[int] = 6
    metrics: ClassVar = READING.metrics

    kind: Literal["reading"] = "reading"
    data: str = "natural_stories"
    form: Form = "plain"
    instruction: str | None = None
    template: str | None = None
    exclude: Exclusion = "document_initial"
    regression: Literal["cross_validated", "published"] = "cross_validated"
    spillover: int = Field(default=2, ge=0, le=5)
    folds: int = Field(default=10, ge=2)
    ceiling: float | None = Field(default=None, gt=0, le=1)
    log: bool = False
    mixed_model: bool | None = None
    n_boot: int = Field(default=2000, ge=0)
    seed: int = 0

    def run(self, model: Source, progress: Progress = silent) -> Result:  # type: ignore[override]
        """Measure one model, here or behind a server, or one file of surprisals, against the reading times of `data`.

        Raises BadInput for data that are no reading times, whose words are out of order or whose times are missing.
        """
        return self.run_on(model, _reading_times(self.data), progress)

    def run_on(self, model: Source, times: ReadingTimes, progress: Progress = silent) -> Result:
        """Measure one model, here or behind a server, or one file of surprisals, against these reading times."""
        checked_words(times)
        if self.log:
            times = log_times(times)
        told: list[str] = []
        if isinstance(model, ServedModel):
            return self._served(model, times, progress)
        if isinstance(model, LanguageModel) and self.form != "plain":
            model, told = in_chat_form(model, self.template)
        found = surprisals_of(model, times, form=self.form, instruction=self.instruction, progress=progress)
        result = measure(found.by_mapping, times, self._settings(), progress)
        details = dict(result.details)
        told += found.said
        if isinstance(model, LanguageModel):
            told += [*model.notes, *unknown_letters(model.tokenizer, list(times.documents.values()))]
            details["start_token"] = model.start_token
        if found.sanity is not None:
            told += found.sanity.warnings(model.name)
            details["sanity"] = found.sanity.line
        return of_model(replace(result, warnings=(*result.warnings, *told), details=details), model)

    def _served(self, model: ServedModel, times: ReadingTimes, progress: Progress) -> Result:
        if self.form != "plain":
            raise BadInput(
                f"{model.name}: form {self.form!r} needs a model that is loaded here; a server is sent the bare text "
                "only."
            )
        served = served_surprisals(model, times, progress)
        result = measure({"plain": served.plain}, times, self._settings(), progress)
        warnings = (*result.warnings, *served.notes)
        facts = {**result.details, "server": served.facts}
        return of_model(replace(result, warnings=warnings, details=facts), model)

    def data_checksum(self) -> str:
        """Return the checksum of the data set's sources or of the table, and of a template that is lent from here.

        A release is part of the specification.
        """
        return data_checksum(self.data) + (template_checksum(self.template) if self.form != "plain" else "")

    def settings(self) -> dict[str, Any]:
        """Leave out what changes no number: `n_boot`, and `log` where times are times."""
        return self.model_dump(mode="json", exclude={"n_boot"} if self.log else {"n_boot", "log"})

    @model_validator(mode="after")
    def _published_times_are_no_logarithms(self) -> Self:
        if self.log and self.regression == "published":
            raise ValueError("log: the published regression is of times; leave out `log`, or use cross_validated")
        return self

    def _settings(self) -> Settings:
        return Settings(
            exclude=self.exclude,
            published=self.regression == "published",
            spillover=self.spillover,
            folds=self.folds,
            ceiling=self.ceiling,
            mixed_model=self.mixed_model,
            seed=self.seed,
            form=self.form,
        )


def reading_alignment(
    model: Source, times: ReadingTimes | str = "natural_stories", progress: Progress = silent, **options: Any
) -> Result:
    """Return the reading alignment of a model, a `SurprisalFile` or a `ServedModel` with reading times or a data set.

    `options` are the fields of `ReadingAlignment`. Rows: `pearson_r` and `delta_ll` for boundary-corrected surprisal
    (mapping "corrected") and the plain sum ("plain"), with the form where it is not the bare text ("corrected chat"),
    for what a file holds ("given"), or for the plain sum alone where a server gave it; `pearson_r_normalised` where a
    ceiling is known. Raises BadInput as `ReadingAlignment.run` does.
    """
    if isinstance(times, str):
        return ReadingAlignment(data=times, **options).run(model, progress)
    return ReadingAlignment(data=times.name, **options).run_on(model, times, progress)


def _reading_times(name: str) -> ReadingTimes:
    times = load_data(name)
    if not isinstance(times, ReadingTimes):
        known = ", ".join(sorted(key for key, data in DATA_SETS.items() if data.kind == "reading"))
        raise BadInput(f"{name} holds no reading times; data sets that do: {known}.")
    return times
