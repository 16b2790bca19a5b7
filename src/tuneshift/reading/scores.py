"""From surprisals and reading times to the rows, arrays and warnings of a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from tuneshift.errors import BadInput
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.progress import Progress
from tuneshift.reading.contributions import WordScore, groups_of, interval, pearson_score, word_contributions
from tuneshift.reading.linearity import spline_curve
from tuneshift.reading.participants import over_readers
from tuneshift.reading.pictures import binned_times, correlation_array, curve_array, gain_array, lag_array, word_array
from tuneshift.reading.predictive_power import Design, design, predictive_power, with_words_before
from tuneshift.reading.predictors import Exclusion, frequencies, kept_words
from tuneshift.reading.published import FORMULA, published_regression
from tuneshift.reading.word_order import LAGS, lag_profile, order_warning
from tuneshift.result import Result

Row = dict[str, Any]
PER_WORD = "nats x 1000"


@dataclass(frozen=True)
class Settings:
    """The options of `ReadingAlignment` that change numbers."""

    exclude: Exclusion
    published: bool
    spillover: int
    folds: int
    ceiling: float | None
    mixed_model: bool | None
    seed: int
    form: str


def measure(
    surprisals: Mapping[str, np.ndarray], times: ReadingTimes, settings: Settings, progress: Progress
) -> Result:
    """Score each kind of surprisal (n_words,), in bits, against reading times; the first is the one pictures show.

    NaN stands for a document's first word of which a source knows nothing: it is left out.
    """
    words = times.words
    first = next(iter(surprisals.values()))
    known = np.isfinite(first)
    kept = kept_words(words, settings.exclude) & known
    _require_enough(kept, first, times)
    groups = groups_of(times)
    # A word whose predecessor has no surprisal cannot be in a regression that holds the surprisal of predecessors.
    every = np.arange(len(words))
    before = np.isfinite(with_words_before(first, times, every, settings.spillover)).all(axis=1)
    made = design(times, kept & before, spillover=settings.spillover, folds=settings.folds, seed=settings.seed)
    rows: list[Row] = []
    arrays: dict[str, xr.DataArray] = {}
    for number, (mapping, surprisal) in enumerate(surprisals.items()):
        scores, details, gain = _regression(surprisal, times, made, settings)
        for row, score in [*_correlation(surprisal, times, kept, settings), *scores]:
            cut = word_contributions(score, times, groups)
            low, high = interval(cut)
            rows.append({"mapping": mapping, **row, "value": score.value, "ci_low": low, "ci_high": high})
            arrays[f"contributions_{row['metric']}_{mapping}"] = cut
        rows += [{"mapping": mapping, **row} for row in details]
        arrays[f"delta_ll_{mapping}"] = gain
        arrays[f"pearson_r_{mapping}"] = correlation_array(
            surprisal[kept], words["time"].to_numpy(float)[kept], words[kept]
        )
        progress("regressions", number + 1, len(surprisals))
    readers = over_readers(first, times, made, settings.spillover, settings.mixed_model, groups)
    mapping = next(iter(surprisals))
    rows += [{**row, "mapping": mapping} for row in readers.rows]
    arrays |= {f"contributions_{metric}_{mapping}": cut for metric, cut in readers.contributions.items()}
    profile = lag_profile(first, times)
    rows += [
        {"mapping": mapping, "metric": "lag_r", "target": f"{lag:+d}", "value": r, "unit": "r"}
        for lag, r in zip(LAGS, profile, strict=True)
    ]
    ceiling, source = _ceiling(times, settings)
    warnings = [*times.warnings, *readers.notes]
    if ceiling is None:
        warnings.append(f"{times.name}: no noise ceiling, so pearson_r is not normalised ({source}).")
    elif any(row["metric"] == "pearson_r" and "participant" not in row and row["value"] > ceiling for row in rows):
        warnings.append(
            f"{times.name}: pearson_r is above the ceiling ({ceiling:.2f}), which is the reliability of mean times, "
            f"as Brain-Score takes it; the most that can be reached is its square root, {ceiling**0.5:.2f}."
        )
    out_of_step = order_warning(profile, times.name, times.unit)
    warnings += [out_of_step] if out_of_step else []
    x, y = first[kept], words["time"].to_numpy(float)[kept]
    return Result.from_rows(
        [{"measurement": "reading", "dataset": times.name, **row} for row in rows],
        arrays={
            **arrays,
            "surprisal": word_array(first, words, "bits"),
            "time": word_array(words["time"].to_numpy(float), words, times.unit),
            "binned_time": binned_times(x, y, times.unit),
            "spline_curve": curve_array(*_curve(first, times, made, settings.spillover), times.unit),
            "lag_r": lag_array(profile, LAGS),
        },
        warnings=tuple(dict.fromkeys(warnings)),
        details={
            "settings": asdict(settings),
            "release": times.release,
            "excluded": f"each {settings.exclude.replace('_', ' ')} word" if settings.exclude != "none" else "no word",
            "n_words": len(words),
            "n_without_time": int(words["time"].isna().sum()),
            "n_without_surprisal": int((~known).sum()),
            "n_scored": int(kept.sum()),
            "n_in_regression": len(made.rows),
            "controls": list(made.control_names),
            "held_out": made.held_out,
            "intervals_over": groups.unit,
            "frequencies": frequencies(times)[1],
            "ceiling_source": source,
            "published_formula": FORMULA if settings.published else "",
        },
    )


def _correlation(
    surprisal: np.ndarray, times: ReadingTimes, kept: np.ndarray, settings: Settings
) -> Iterable[tuple[Row, WordScore]]:
    x, y = surprisal[kept], times.words["time"].to_numpy(float)[kept]
    score = pearson_score(x, y, np.flatnonzero(kept))
    ceiling = _ceiling(times, settings)[0]
    row = {"metric": "pearson_r", "n": int(kept.sum()), "ceiling": ceiling, "unit": "r"}
    yield row, score
    if ceiling is not None:
        yield {**row, "metric": "pearson_r_normalised", "unit": "share of ceiling"}, score.scaled(1 / ceiling)


def _regression(
    surprisal: np.ndarray, times: ReadingTimes, made: Design, settings: Settings
) -> tuple[list[tuple[Row, WordScore]], list[Row], xr.DataArray]:
    """Return rows with their scores, rows without an interval, and each word's share of delta-LL."""
    words = times.words
    if settings.published:
        found = published_regression(surprisal, times)
        row = {"split": "published", "n": len(found.rows)}
        scores: list[tuple[Row, WordScore]] = [
            ({**row, "metric": "delta_ll", "unit": PER_WORD}, found.mean_gain.scaled(1000)),
            ({**row, "metric": "delta_ll_total", "unit": "nats"}, found.mean_gain.scaled(len(found.rows))),
        ]
        return scores, [], gain_array(1000 * found.gain, words.iloc[found.rows])
    power = predictive_power(surprisal, times, made, settings.spillover)
    row = {"split": "grouped", "n": len(made.rows), "unit": PER_WORD}
    scores = [({**row, "metric": "delta_ll"}, power.mean_gain.scaled(1000))]
    slopes: list[Row] = []
    if power.spline_gain is not None:
        scores.append(({**row, "metric": "delta_ll_spline"}, power.spline_gain.scaled(1000)))
    for back, slope in enumerate(power.coefficients):
        target = f"{back} words before" if back > 1 else "previous word" if back else "word"
        unit = f"{times.unit} per bit"
        slopes.append({"metric": "slope", "value": slope, "n": len(made.rows), "unit": unit, "target": target})
    return scores, slopes, gain_array(1000 * power.gain, words.iloc[made.rows])


def _curve(surprisal: np.ndarray, times: ReadingTimes, made: Design, spillover: int) -> tuple[np.ndarray, np.ndarray]:
    X = with_words_before(surprisal, times, made.rows, spillover)
    return spline_curve(X[:, 0], np.column_stack([X[:, 1:], made.controls]), made.time)


def _ceiling(times: ReadingTimes, settings: Settings) -> tuple[float | None, str]:
    if settings.ceiling is not None:
        return settings.ceiling, "given by hand"
    if times.ceiling is not None and np.isfinite(times.ceiling):
        return float(times.ceiling), times.ceiling_source
    return None, times.ceiling_source


def _require_enough(kept: np.ndarray, surprisal: np.ndarray, times: ReadingTimes) -> None:
    if kept.sum() < 30:
        raise BadInput(f"{times.name} leaves {int(kept.sum())} words to score; a regression needs at least 30.")
    # A document's first word has no context, so a source may know nothing of it; it is left out and counted.
    bad = np.flatnonzero(~np.isfinite(surprisal) & (times.words["position"].to_numpy() > 0))
    if len(bad):
        row = times.words.iloc[bad[0]]
        raise BadInput(
            f"the surprisal of document {row['document']}, word {row['position'] + 1} ({row['word']!r}) of "
            f"{times.name} is {surprisal[bad[0]]}: the model gives that word no probability."
        )
    if surprisal[kept].std() == 0 or times.words["time"].to_numpy(float)[kept].std() == 0:
        raise BadInput(f"surprisals or times of {times.name} are all the same, so nothing can be correlated.")
