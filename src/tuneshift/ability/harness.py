"""AbilityScores: run lm-evaluation-harness tasks on a model that is already loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from tuneshift.ability.harness_results import results_files, results_of, take_file
from tuneshift.ability.harness_rows import take
from tuneshift.errors import BadInput, MissingExtra, nearest
from tuneshift.measurement import Measurement, of_model
from tuneshift.models import LanguageModel
from tuneshift.progress import Progress, silent
from tuneshift.result import Result
from tuneshift.vocabulary.ability import ABILITY

_NAMES = {
    "bbh": "bbh_zeroshot"
}  # the harness's plain `bbh` is the chain-of-thought variant; paper 1 uses direct answers


class AbilityScores(Measurement):
    """Abilities of a model (paper 1, section 3.3): MMLU by subject and category, BBH by task and category, WikiText.

    `tasks` are harness tasks or groups (`mmlu`, `bbh`, `wikitext`); `include_path` is a folder of the user's own task
    files; `results_file` takes results that lm-eval already wrote, and then nothing is run: a file, or for a study of
    several models the folder that `lm-eval --output_path` wrote, with a folder or file a model; `limit` takes only so
    many questions a task (a trial, never a result).
    """

    code_version: ClassVar[int] = 2
    metrics: ClassVar = ABILITY.metrics
    kind: Literal["ability"] = "ability"
    tasks: tuple[str, ...] = ("mmlu", "bbh", "wikitext")
    num_fewshot: int | None = Field(default=None, ge=0)
    limit: int | None = Field(default=None, ge=1)
    include_path: Path | None = None
    results_file: Path | None = None
    batch_size: int = Field(default=8, ge=1)
    seed: int = 0

    def data_checksum(self) -> str:
        """Return a checksum of the user's own task files or results file, "" where there is neither."""
        paths: list[Path] = []
        if self.results_file:
            folder = self.results_file
            paths += results_files(folder) if folder.is_dir() else [folder]
        if self.include_path:
            paths += sorted(path for path in self.include_path.rglob("*") if path.is_file())
        if not paths:
            return ""
        return hashlib.sha256(b"".join(path.read_bytes() for path in paths if path.is_file())).hexdigest()

    def run(self, model: LanguageModel, progress: Progress = silent) -> Result:
        """Run the tasks; one row a metric and filter of every task, group and category, see `ability_rows`."""
        if self.results_file is not None:
            taken = take_file(results_of(model.name, self.results_file), model.name)
            return of_model(Result.from_rows(taken.rows, warnings=taken.warnings, details=taken.details), model)
        progress("abilities", 0, 1)
        taken = take(self._evaluate(model), "lm-evaluation-harness")
        progress("abilities", 1, 1)
        trial = (f"only {self.limit} questions a task were asked: a trial, not a result",) if self.limit else ()
        said = (sentence for sentence in taken.warnings if not (trial and sentence.endswith("not a result")))
        return of_model(Result.from_rows(taken.rows, warnings=(*trial, *said), details=taken.details), model)

    def _evaluate(self, model: LanguageModel) -> dict[str, Any]:
        try:
            from lm_eval import simple_evaluate
            from lm_eval.models.huggingface import HFLM
            from lm_eval.tasks import TaskManager
        except ImportError as error:
            raise MissingExtra("lm-evaluation-harness", "ability") from error
        manager = TaskManager(include_path=str(self.include_path) if self.include_path else None)
        tasks = [_NAMES.get(task, task) for task in self.tasks]
        for task in tasks:
            if task not in manager.all_tasks:
                raise BadInput(f"lm-evaluation-harness knows no task {task!r}{nearest(task, manager.all_tasks)}.")
        harness_model = HFLM(
            pretrained=model.torch_model,
            tokenizer=model.tokenizer,
            backend="seq2seq" if model.is_encoder_decoder else "causal",
            max_length=model.context_length,
            batch_size=self.batch_size,
            device=str(model.device),
        )
        seeds = {"random_seed": self.seed, "numpy_random_seed": self.seed, "torch_random_seed": self.seed}
        try:
            found = simple_evaluate(
                model=harness_model,
                tasks=tasks,
                num_fewshot=self.num_fewshot,
                limit=self.limit,
                task_manager=manager,
                log_samples=False,
                fewshot_random_seed=self.seed,
                **seeds,
            )
        except (ConnectionError, FileNotFoundError) as error:
            raise BadInput(
                f"the data of {', '.join(tasks)} could not be read ({error}); connect to the network once, or give "
                "results you already have as `results_file`."
            ) from error
        return dict(found or {"results": {}})
