"""`--out FILE`: refused before anything is measured where it cannot be written, and written as JSON after."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuneshift.errors import BadInput


def require_writable(out: Path | None) -> None:
    """Refuse a file that cannot be written before anything is measured."""
    if out is None:
        return
    if out.is_dir():
        raise BadInput(f"--out {out} is a folder; give the name of a JSON file.")
    if not out.absolute().parent.is_dir():
        raise BadInput(f"--out {out}: there is no folder {out.absolute().parent}; make it first.")
    if not os.access(out if out.exists() else out.absolute().parent, os.W_OK):
        raise BadInput(f"--out {out} cannot be written (permission denied); give another file.")


def write_out(out: Path | None, document: Mapping[str, Any]) -> None:
    """Write what `--out` asks for, nothing where it was not given."""
    from tuneshift.study.cell import json_ready

    if out is None:
        return
    try:
        out.write_text(json.dumps(json_ready(document), ensure_ascii=False, allow_nan=False), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--out {out} cannot be written ({error.strerror}); give another file.") from error
