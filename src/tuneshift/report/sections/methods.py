"""The methods paragraph and the citations, for exactly what a study ran."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tuneshift.findings.source import Cell
from tuneshift.human import DATA_SETS
from tuneshift.report.sections.bibliography import BIBLIOGRAPHY
from tuneshift.result import Result
from tuneshift.vocabulary import OUR_KINDS, Kind, Vocabulary
from tuneshift.vocabulary.ability import ABILITY
from tuneshift.vocabulary.brain import BRAIN
from tuneshift.vocabulary.inside import ATTRIBUTION, CONCEPTS, HEADS, INTERNALS
from tuneshift.vocabulary.reading import READING
from tuneshift.vocabulary.rows import untrained
from tuneshift.vocabulary.selecting import groups, names, rows_of
from tuneshift.vocabulary.words import listed, text


@dataclass(frozen=True)
class Methods:
    """Paragraphs to read, and BibTeX to copy."""

    paragraphs: tuple[str, ...]
    bibtex: str
    references: tuple[str, ...]


def methods(
    table: pd.DataFrame,
    settings: dict[str, list[dict[str, Any]]],
    links: pd.DataFrame | None = None,
    vocabulary: Vocabulary | None = None,
) -> Methods:
    """Return the methods of a study; `settings` are the specifications of its measurements by kind.

    Measurements from outside are described by what their vocabulary says of them.
    """
    paragraphs: list[str] = []
    keys: list[str] = []
    for kind in [*(ours.name for ours in OUR_KINDS), *names(table["measurement"])]:
        rows = rows_of(table, measurement=kind)
        if len(rows):
            build = _BUILDERS.get(kind)
            known = vocabulary or Vocabulary()
            sentences, cited = build(rows, settings.get(kind, [])) if build else _of_vocabulary(rows, known.kind(kind))
            paragraph = " ".join(sentences)
            if paragraph not in paragraphs:
                paragraphs.append(paragraph)
            keys += cited
    if table["tuned"].fillna(False).any():
        paragraphs.append(
            "Each tuned model was compared with its own base on the same items: 95% bootstrap intervals of the mean paired "
            "difference over participants, stories or prompts, two-sided sign-flip tests, and Benjamini-Hochberg q over "
            "the layers and regions of a metric."
        )
    if links is not None and len(links):
        sentences, cited = _link(links)
        paragraphs.append(" ".join(sentences))
        keys += cited
    plain = dict.fromkeys(name.partition(":")[0] for name in names(table["dataset"]))  # without the release
    used = [DATA_SETS[name] for name in plain if name in DATA_SETS]
    entries = [BIBLIOGRAPHY[key] for key in dict.fromkeys(keys)]
    bibtex = [entry.bibtex for entry in entries] + [d.bibtex for d in used if d.bibtex]
    references = [entry.reference for entry in entries] + [d.citation for d in used]
    return Methods(tuple(paragraphs), "\n\n".join(bibtex), tuple(dict.fromkeys(references)))


Built = tuple[list[str], list[str]]


def _values(settings: list[dict[str, Any]], key: str) -> list[Any]:
    return list(dict.fromkeys(s[key] for s in settings if s.get(key) is not None))


def _brain(rows: pd.DataFrame, settings: list[dict[str, Any]]) -> Built:
    cited = ["aw2023instruction", "feghhi2024what", "schrimpf2021neural"]
    sentences = []
    for (dataset, split), part in groups(rows[~untrained(rows)], "dataset", "split"):
        maps = [m for m in names(part["mapping"]) if m]
        pool = {"last": "the state of its last token", "mean": "the mean over its tokens"}
        pools = [pool.get(str(p), str(p)) for p in _values(settings, "pool")] or ["its hidden state"]
        kind, _, label = split.partition(" by ")
        how = {
            "grouped": f"all stimuli of one {label} were held out together"
            if label
            else "whole passages were held out",
            "contiguous": "contiguous blocks were held out; of a time series with several runs, whole runs",
            "shuffled": "stimuli were held out at random, which leaks neighbours",
        }.get(kind, split)
        sentences.append(
            f"Brain alignment on {dataset}: each text was read in its natural order, a stimulus represented by "
            f"{listed(pools)} at every layer; {listed([_mapping(m) for m in maps]) or _mapping('ridge')} to each "
            f"participant's responses; {how} ({split} split)."
        )
    sentences += _of_time(settings)
    sentences.append(
        "Scores are Pearson r on held-out stimuli (of RSA and CKA, likeness), averaged over folds, over a participant's regions and "
        "over participants; intervals are 95% bootstrap intervals over participants. The layer called nested was chosen on "
        "training stimuli only."
    )
    if rows["ceiling"].notna().any():
        named = listed(list(dict.fromkeys(str(c) for s in settings if (c := _fact(s, "ceiling"))))) or "of other people"
        sentences.append(
            f"Noise ceiling, of participants z-scored within each held-out part: {named}. The share of the ceiling divides by "
            "it; its 95% interval leaves out participants in turn, score and ceiling together."
        )
    if "r_surrogate" in names(rows["metric"]):
        n = listed([str(int(v)) for v in dict.fromkeys(rows_of(rows, metric="r_surrogate")["n"].dropna())])
        sentences.append(
            f"Leak certificate: {n} surrogate recordings (time series with phases drawn anew, the same for all targets; or whole "
            "passages exchanged) went through the same pipeline; their true score is 0."
        )
    if untrained(rows).any():
        sentences.append("Untrained twins have the same architecture with random weights.")
    if "unique_r2" in names(rows["metric"]):
        sentences.append(
            "Unique variance is the r² of model and nuisance features together minus that of nuisance features."
        )
        cited.append("dupre2022feature")
    return sentences, cited


def _mapping(mapping: str) -> str:
    """Say what a mapping is, and how its penalties were chosen, if it has any."""
    kind, _, units = mapping.partition(", ")
    units = f" from {units}" if units else ""
    told = {
        "ridge": (
            "ridge regression, with the penalty of each target chosen by leaving out whole passages (or blocks with the same gap) "
            "of the training stimuli,"
        ),
        "linear": "ordinary least squares, which has no penalty,",
        "rsa": "representational similarity, which fits nothing,",
        "cka": "linear CKA, which fits nothing,",
    }
    return f"{told.get(kind, kind)}{units}"


def _of_time(settings: list[dict[str, Any]]) -> list[str]:
    """Say how time series were treated, where there were any."""
    timed = [s for s in settings if _fact(s, "gap_seconds") is not None]
    if not timed:
        return []
    fitted = list(dict.fromkeys(tuple(_fact(s, "delays_seconds")) for s in timed if _fact(s, "delays_seconds")))
    told = (
        ["convolved with the canonical haemodynamic response"]
        if any(not _fact(s, "delays_seconds") for s in timed)
        else []
    )
    told += [f"given at {len(delays)} delays from {delays[0]:g} to {delays[-1]:g} s" for delays in fitted]
    filters = [f"high-passed at {c:g} s" for c in dict.fromkeys(_fact(s, "high_pass_seconds") for s in timed) if c]
    cleaned = f"{listed(filters)} and z-scored" if filters else "z-scored"
    gap = listed([f"{g:g} s" for g in dict.fromkeys(_fact(s, "gap_seconds") for s in timed)])
    return [
        f"In time series word features were {listed(told)}; every held-out block and every stretch of training scans was {cleaned} "
        f"by itself, features and responses alike, with {gap} (the whole haemodynamic response) between them in neither part."
    ]


def _fact(settings: dict[str, Any], name: str) -> Any:
    return settings.get("facts", {}).get(name)


def _scale(settings: list[dict[str, Any]]) -> str:
    """Say whether times or their logarithms were scored; settings without `log` are of times."""
    logged = {bool(one.get("log")) for one in settings}
    if logged == {True}:
        return "the natural logarithms of mean reading times"
    return "mean reading times" + (", and with their natural logarithms (`log`)" if True in logged else "")


def _reading(rows: pd.DataFrame, settings: list[dict[str, Any]]) -> Built:
    sentences, cited = [], ["aw2023instruction", "smith2013effect", "pimentel2024how", "oh2024leading"]
    data = listed(names(rows["dataset"]))
    if any(name.startswith("corrected") for name in names(rows["mapping"])):
        sentences.append(
            f"Reading alignment on {data}: surprisal is −log2 of a word's probability given the text before it, in bits, "
            "corrected so that the end of a word counts to that word; the plain sum over tokens is given beside it."
        )
    else:
        sentences.append(f"Reading alignment on {data}: surprisals were read from a file.")
    forms = {"chat": "inside the chat template", "instructed": "after an instruction to read it"}
    read = [forms[str(form)] for form in _values(settings, "form") if str(form) in forms]
    if read:
        sentences.append(f"The text was also read {listed(read)}; such rows name the form beside the surprisal.")
    excluded = [str(e).replace("_", " ") for e in _values(settings, "exclude") if e != "none"]
    left = f" over all words but {_excluded(excluded)}" if excluded else ""
    sentences.append(f"Scores: Pearson r with {_scale(settings)}{left}.")
    if "delta_ll_total" in names(rows["metric"]):
        sentences.append(
            "In the regression of Kuribayashi, Oseki and Baldwin (2024), ΔLL is the gain in log-likelihood, in sample, from the word's own surprisal in a "
            "regression that holds the surprisal of the two words before, and length and log frequency of all three words; "
            "sentence-initial and sentence-final words are left out."
        )
    if "cross_validated" in (_values(settings, "regression") or ["cross_validated"]):
        spill = [str(v) for v in _values(settings, "spillover")] or ["2"]
        sentences.append(
            f"Predictive power (ΔLL) is the gain in log-likelihood per word (nats × 1000) of a regression with surprisal over one "
            f"with word length, log frequency, their interaction and position, both with the {listed(spill)} words before."
        )
        cited += ["goodkind2018predictive"]
    return sentences, cited


def _attribution(rows: pd.DataFrame, settings: list[dict[str, Any]]) -> Built:
    forms = listed([f"{form} form" for form in names(rows["mapping"]) if form]) or "plain form"
    responses = listed([str(r) for r in _values(settings, "responses")]) or "reference"
    thresholds = listed([str(b) for b in _values(settings, "threshold")]) or "7"
    return [
        f"Prompt attribution on {listed(names(rows['dataset']))} ({forms}; {responses} responses): gradient of each response "
        "token's probability times the input embedding of each prompt token, negative values set to 0, divided by the "
        f"response token's maximum, in levels 0 to 10 of which those up to {thresholds} were set to 0. Importance density is "
        "the l1 norm over the l4 norm of a prompt token's levels; the instruction score sums the densities, scaled by the "
        "prompt's maximum, over instruction tokens and divides by log2(2 + their number)."
    ], ["wu2024language"]


def _internals(rows: pd.DataFrame, settings: list[dict[str, Any]]) -> Built:
    measured = names(rows["metric"])
    sentences = [
        "The inside was read from weights, without any text: word pairs with the largest query and key activations of each "
        "attention head, and principal components of the matrix that each feed-forward layer writes with, described by the "
        "words they project on most."
    ]
    if "head_overlap" in measured:
        sentences.append(
            "Overlaps of base and tuned are Jaccard indices; rotations are principal angles between the subspaces of the first "
            "components, and angles of components matched one to one, to be read against 20 random rotations."
        )
    if "verb_gain_share" in measured:
        sentences.append(
            "For instruction verbs and for frequent other verbs, the share of heads in which a verb occurs in more word pairs after "
            "tuning was compared by a Welch test over verbs and a bootstrap over key heads."
        )
    if "state_cka" in measured:
        sentences.append(
            "Hidden states of base and tuned, at the last token of every sentence of the same stories, were compared by linear CKA, "
            "cosine and length of the difference, with 95% bootstrap intervals over stories."
        )
    return sentences, ["wu2024language"] + (["kornblith2019similarity"] if "state_cka" in measured else [])


def _link(links: pd.DataFrame) -> Built:
    return [
        "Layer link: over layers, the size of the change in brain score was correlated with each measure of change inside "
        "(Spearman), alone and given depth (ranks regressed on the rank of depth). One pair has no test, because neighbouring "
        "layers are alike; over pairs, Fisher's z given depth was averaged over base models and tested by t, with "
        "Benjamini-Hochberg q over the inside measures."
    ], []


def _excluded(what: list[str]) -> str:
    return f"each {listed([name.removesuffix(' initial') + chr(8217) + 's first' for name in what])} one"


def _ability(rows: pd.DataFrame, settings: list[dict[str, Any]]) -> Built:
    return [
        f"Abilities were measured by lm-evaluation-harness: {listed([text(d) for d in names(rows['dataset'])])}."
    ], ["gao2024framework"]


def _of_vocabulary(rows: pd.DataFrame, kind: Kind) -> Built:
    """Say what a measurement from outside asks and what its numbers are, from its declaration alone."""
    data = listed(names(rows["dataset"]))
    told = []
    for name in names(rows["metric"]):
        metric = kind.metric(name)
        if metric is None:
            told.append(name.replace("_", " "))
            continue
        source = f"; {metric.source}" if metric.source else ""
        told.append(f"{metric.label} ({metric.unit or 'no unit'}{source})")
    asked = f" {kind.asks}" if kind.asks else ""
    return [f"{kind.title}{f' on {data}' if data else ''}:{asked} Numbers: {listed(told)}."], []


_BUILDERS = {
    BRAIN.name: _brain,
    READING.name: _reading,
    ATTRIBUTION.name: _attribution,
    INTERNALS.name: _internals,
    HEADS.name: _internals,
    CONCEPTS.name: _internals,
    ABILITY.name: _ability,
}
_FACTS = ("ceiling", "gap_seconds", "high_pass_seconds", "delays_seconds")


def settings_by_kind(cells: Iterable[tuple[Cell, Result]]) -> dict[str, list[dict[str, Any]]]:
    """Return the different specifications of a study's measurements, by kind, with the `facts` each found out."""
    found: dict[str, list[dict[str, Any]]] = {}
    for cell, result in cells:
        of_kind = found.setdefault(cell.measurement, [])
        settings = {**cell.settings, "facts": {key: result.details[key] for key in _FACTS if key in result.details}}
        if settings not in of_kind:
            of_kind.append(settings)
    return found


def data_sets_used(table: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, licence, citation and release or notes of every data set that was used."""
    for name in names(table["dataset"]):
        data_set = DATA_SETS.get(name.partition(":")[0])
        if data_set is None:
            yield name, "unknown", "A file of your own.", ""
        else:
            yield name, data_set.licence, data_set.citation, data_set.notes
