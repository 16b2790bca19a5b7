"""Foreign text inside the page: JSON that cannot end its own script, labels that a plot does not read as markup."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
from typing import Any

_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def embedded_json(value: Any, digits: int | None = None) -> str:
    """Return JSON that is safe inside a `<script>` element: no `<`, `>`, `&` or line separator; NaN becomes null.

    With `digits`, floats keep so many significant digits: a figure of a thousand curves is then half as large.
    """
    text = json.dumps(_finite(value, digits), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate (half of a broken byte-level token) is no UTF-8: the file could not be written.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    for character, escaped in _UNSAFE.items():
        text = text.replace(character, escaped)
    return text


def plot_label(text: Any) -> str:
    """Return text that plotly shows as it is: it would read `<b>` as bold and `%{x}` as a template."""
    return html.escape(str(text), quote=False).replace("%{", "%\u200b{")


def script_hash(script: str) -> str:
    """Return the source expression by which a content security policy lets exactly this script run."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _finite(value: Any, digits: int | None) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item, digits) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if digits is None else float(f"{value:.{digits}g}")
    return value
