"""What the numbers of reading alignment mean (methods, section 2)."""

from __future__ import annotations

from tuneshift.vocabulary.metric import Kind, Metric

FIRST_SURPRISALS = {"mapping": ("corrected", "corrected chat", "corrected instructed", "given")}
"""The kinds of surprisal that findings speak of: one for each form in which a model read the text."""
_PAPER = "Aw et al. 2023, section 4"

READING = Kind(
    "reading",
    "Reading",
    "reading",
    "How well does a model's surprisal predict people's reading times?",
    (
        Metric(
            "pearson_r", "correlation of surprisal with reading time", "r", headline=FIRST_SURPRISALS,
            over="stories", family="reading", direction="higher", chance=0.0,
            what="how well its surprisal goes with people's reading times",
            up="predict people's reading times better", down="predict people's reading times worse", source=_PAPER,
        ),
        Metric(
            "delta_ll", "predictive power of surprisal, ΔLL", "nats x 1000", headline=FIRST_SURPRISALS,
            over="stories", family="reading", direction="higher", chance=0.0,
            what="how much its surprisal adds to a prediction of reading times",
            up="add more to a prediction of reading times", down="add less to a prediction of reading times",
        ),
        Metric(
            "pearson_r_normalised", "correlation with reading time, share of ceiling", "share of ceiling",
            over="stories", direction="higher", chance=0.0, follows="pearson_r", source=_PAPER,
        ),
        Metric("delta_ll_total", "predictive power of surprisal, ΔLL in sum", "nats", follows="delta_ll", over="stories"),
        Metric(
            "delta_ll_spline", "predictive power of a curve of surprisal, ΔLL", "nats x 1000", over="stories",
            direction="higher", chance=0.0,
        ),
        Metric("delta_ll_mixed", "predictive power of surprisal over readers, ΔLL", "nats x 1000", direction="higher"),
        Metric("slope", "slowing per bit of surprisal", "per bit", "detail"),
        Metric("slope_mixed", "slowing per bit of surprisal over readers", "per bit", "detail"),
        Metric("lag_r", "correlation with surprisal of another word", "r", "detail"),
    ),
    "tuneshift.reading:ReadingAlignment",
    task=("reading-alignment", "Reading alignment"),
    tokens=2e4,
    seconds=5.0,
)  # fmt: skip
