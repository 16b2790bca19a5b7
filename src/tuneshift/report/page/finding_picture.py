"""The small picture beside a finding: every pair's difference with its interval around 0, as SVG that needs no script."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from tuneshift.findings.finding import Bar, Finding
from tuneshift.vocabulary.words import interval, number

WIDTH = 150
MOST_BARS = 5
_LINE, _EDGE, _DOT = 11, 8, 3.6


def finding_picture(finding: Finding) -> Markup:
    """Return the SVG of a finding, "" where it has nothing to draw; more bars than fit are drawn thinner."""
    bars = [bar for bar in finding.bars if bar.value == bar.value]
    if not bars:
        return Markup("")
    ends = [finding.zero, *(v for bar in bars for v in (bar.value, bar.low, bar.high) if v is not None and v == v)]
    low, high = min(ends), max(ends)
    if low == high:  # nothing moved at all: in the middle, not at an edge
        low, high = low - 0.5, high + 0.5
    span = high - low
    step = _LINE if len(bars) <= MOST_BARS else MOST_BARS * _LINE / len(bars)
    height = max(26.0, 2 * _EDGE + step * (len(bars) - 1) + 4)

    def x(value: float) -> float:
        return round(_EDGE + (value - low) / span * (WIDTH - 2 * _EDGE), 1)

    top = (height - step * (len(bars) - 1)) / 2
    marks = [_bar(bar, x, round(top + i * step, 1), min(_DOT, step / 2)) for i, bar in enumerate(bars)]
    zero = x(finding.zero)
    return Markup(
        '<svg class="small-picture" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{said}">'
        '<line class="zero" x1="{z}" x2="{z}" y1="1" y2="{end}"/>{marks}</svg>'
    ).format(w=WIDTH, h=round(height), said=_said(bars), z=zero, end=round(height - 1), marks=Markup("").join(marks))


def _bar(bar: Bar, x: Callable[[float], float], y: float, radius: float) -> Markup:
    kind = "holds" if bar.holds else "open"
    line = Markup("")
    if bar.low is not None and bar.high is not None:
        line = Markup('<line class="reach {k}" x1="{a}" x2="{b}" y1="{y}" y2="{y}"/>').format(
            k=kind, a=x(bar.low), b=x(bar.high), y=y
        )
    dot = Markup('<circle class="dot {k}" cx="{x}" cy="{y}" r="{r}"/>').format(
        k=kind, x=x(bar.value), y=y, r=round(radius, 1)
    )
    title = Markup("<title>{}</title>").format(_of(bar))
    return Markup("<g>{}{}{}</g>").format(title, line, dot)


def _said(bars: Sequence[Bar]) -> str:
    more = f" and {len(bars) - MOST_BARS} more" if len(bars) > MOST_BARS else ""
    return "; ".join(_of(bar) for bar in bars[:MOST_BARS]) + more


def _of(bar: Bar) -> str:
    bounds = "" if bar.low is None or bar.high is None else f" [{interval(bar.low, bar.high)}]"
    return f"{bar.label}: {number(bar.value)}{bounds}"
