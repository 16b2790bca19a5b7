"""Write the tables of docs/metrics.md anew from the vocabulary: `python -m tools.metrics_page`."""

from __future__ import annotations

from pathlib import Path

from tuneshift.vocabulary import QUESTIONS, Kind, Metric, ours

PAGE = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"
BEGIN, END = "<!-- the tables: python -m tools.metrics_page -->\n", "<!-- end of the tables -->\n"
_EXPLAINED = {
    "brain": "[brain alignment](explain/brain.md)",
    "reading": "[reading](explain/reading.md)",
    "attribution": "[attribution](explain/attribution.md)",
    "internals": "[heads, concepts, hidden states](explain/heads_and_concepts.md)",
    "heads": "[heads](explain/heads_and_concepts.md#heads-word-pairs)",
    "concepts": "[concepts](explain/heads_and_concepts.md#feed-forward-layers-components-and-concepts)",
    "ability": "[abilities](how_to/ability.md)",
}
_COLUMNS = ("metric", "what it is", "for", "unit", "over", "better", "chance", "beside it", "source")
_NOTHING = "–"


def tables() -> str:
    """Every kind of measurement of the package with its metrics, in the order of the vocabulary."""
    return "\n".join(_section(kind) for kind in ours().kinds)


def page_with(text: str) -> str:
    """The page with these tables in it, all other text as it is."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}"


def _section(kind: Kind) -> str:
    question = f"Question of the report: {QUESTIONS[kind.question]}."
    lines = [
        f"## `{kind.name}`: {kind.title}\n",
        f"{kind.asks} {question} What the numbers mean, and their limits: {_EXPLAINED[kind.name]}.\n",
        f"| {' | '.join(_COLUMNS)} |",
        "|" + "---|" * len(_COLUMNS),
        *(f"| {' | '.join(_cells(metric))} |" for metric in kind.metrics),
    ]
    return "\n".join(lines) + "\n"


def _cells(metric: Metric) -> list[str]:
    name = f"`{metric.name}`" if metric.headline is None else f"**`{metric.name}`**"
    chance = _NOTHING if metric.chance is None else f"{metric.chance:g}"
    if metric.movement:
        chance = f"{metric.unmoved:g} where nothing moved"
    beside = ", ".join(f"`{other}`" for other in metric.beside) or _NOTHING
    told = [metric.unit, metric.over, metric.direction, chance, beside, metric.source]
    return [name, metric.label, metric.role, *(cell or _NOTHING for cell in told)]


if __name__ == "__main__":
    PAGE.write_text(page_with(tables()), encoding="utf-8")
