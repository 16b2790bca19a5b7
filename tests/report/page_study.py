"""The study behind the pages that are opened in a browser: one pair of embedded models, every section, a few seconds."""

from __future__ import annotations

import json
from pathlib import Path

from tuneshift.study import StudyResults, run

BASE, TUNED = "fable-2m", "fable-2m-instruct"
IN_PROMPT = "<script>window.hacked=1</script>"
IN_RESPONSE = "</script><img src=x onerror=window.hacked=2>"
IN_NAME = "instruct <img src=x onerror=window.hacked=3>"
IN_NOTES = "</textarea></pre><script>window.hacked=4</script> & <b>bold</b>"
IN_WORD = "<svg onload=window.hacked=5>"
FOREIGN = (IN_PROMPT, IN_RESPONSE, IN_NAME, IN_NOTES, IN_WORD)
MEASUREMENTS = [
    {"kind": "brain", "data": "simulated_brain", "split": "grouped", "untrained": 1, "folds": 3},
    {"kind": "reading", "data": "simulated_reading", "mixed_model": False, "folds": 3, "n_boot": 300},
    {"kind": "internals"},
]
PROMPTS = {"kind": "attribution", "prompts": "fable_instructions", "n_prompts": 3, "max_new_tokens": 12}


def plain_study(folder: Path) -> StudyResults:
    """Run (or read again) the study with friendly names."""
    models = [BASE, {"model": TUNED, "base": BASE}]
    return run({"name": "page", "models": models, "measurements": [*MEASUREMENTS, PROMPTS], "notes": ""}, folder)


def hostile_study(folder: Path) -> StudyResults:
    """Run the same study where prompt, response, model name, notes and words try to be markup."""
    prompts = folder.with_suffix(".jsonl")
    row = {
        "prompt": f"{IN_PROMPT} Say it.",
        "instruction": "Say it.",
        "response": f"so it {IN_RESPONSE} was",
        "name": IN_PROMPT,
    }
    prompts.write_text(json.dumps(row), encoding="utf-8")
    models = [BASE, {"model": TUNED, "base": BASE, "name": IN_NAME}]
    attribution = {"kind": "attribution", "prompts": str(prompts), "followed": False}
    study = {"name": "page", "models": models, "measurements": [*MEASUREMENTS, attribution], "notes": IN_NOTES}
    results = run(study, folder)
    for cell in results.cells:
        details = cell.result.details
        if "heads" in details:  # whatever a vocabulary holds may stand here
            details["heads"]["pairs"]["base"][0][0][0] = [IN_WORD, IN_WORD]
            details["concepts"]["components"][0]["words_top"][0] = IN_WORD
            details["lens"][0]["raised"][0][0] = IN_WORD
    return results
