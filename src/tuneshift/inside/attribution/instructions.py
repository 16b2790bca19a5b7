"""Find the instruction of a prompt by rule, where nobody marked it."""

from __future__ import annotations

import re

from tuneshift.inside.attribution.layout import Spans

_SENTENCE = re.compile(r"[^\s].*?(?:[.!?:](?=\s|$)|\n|$)", re.DOTALL)
_OPENING = re.compile(r"^(?:please|kindly|now|then|first|next|finally|also|and)[\s,]+", re.IGNORECASE)
_QUESTION = re.compile(
    r"^(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|will|would|should)\b",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"^(?:(?:can|could|will|would) you|i (?:want|need|would like) you to|your task is)\b", re.IGNORECASE
)
_VERBS = """
    add adjust analyse analyze answer apply argue arrange ask assess assign assume be begin brainstorm break build
    calculate capitalise capitalize categorise categorize change check choose cite classify combine come compare
    complete compose compute condense consider construct continue contrast convert copy correct count create criticise
    criticize debate decide deduce define delete demonstrate describe design detect determine develop differentiate
    discover discuss distinguish divide draft draw edit elaborate eliminate estimate evaluate examine expand explain
    express extend extract figure fill find fix follow form format formulate gather generate give guess help highlight
    identify illustrate imagine improve include infer insert interpret invent join judge justify keep label list locate
    look make mark match mention merge modify name note offer order organise organize outline paraphrase pick plan
    point predict prepare present produce proofread propose prove provide put quote rank rate read rearrange recall
    recommend reconstruct reduce reformulate relate remove rename reorder repeat rephrase replace report respond
    restate retrieve return reverse review revise rewrite say search select separate shorten show simplify solve sort
    spell split state study substitute suggest sum summarise summarize supply synthesise synthesize take talk tell think
    transform translate try turn underline unscramble use verify visualise visualize write
"""
_IMPERATIVES = frozenset(_VERBS.split())


def find_instruction(prompt: str) -> Spans:
    """Return (start, end) character offsets of sentences that ask for something: imperatives, requests, questions.

    A rule, not a reader: a sentence counts where it opens with a verb in its bare form (after "please", "then", ...),
    with "can you" and the like, or where it is a question. Returns none where no sentence does.
    """
    spans = []
    for match in _SENTENCE.finditer(prompt):
        sentence = match.group().rstrip()
        if sentence and _asks(sentence):
            spans.append((match.start(), match.start() + len(sentence)))
    return tuple(spans)


def _asks(sentence: str) -> bool:
    opening = sentence.lstrip("\"'“‘(-*#0123456789.) ")
    opening = _OPENING.sub("", opening)
    first = re.match(r"[A-Za-z]+", opening)
    if first and first.group().lower() in _IMPERATIVES:
        return True
    return bool(_REQUEST.match(opening)) or (sentence.endswith("?") and bool(_QUESTION.match(opening)))
