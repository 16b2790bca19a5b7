"""A hub on this machine that answers as the real one does, for the few questions that a check of the registry asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODELS: dict[str, dict[str, Any]] = {
    "good/model": {"safetensors": {"parameters": {"F32": 1_010_000}, "total": 1_010_000}},
    "good/tuned": {
        "safetensors": {"parameters": {"BF16": 1_000_000}, "total": 1_000_000},
        "cardData": {"base_model": "good/Model"},
    },
    "good/gated": {"gated": "manual"},
    "good/larger": {"safetensors": {"parameters": {"F32": 2_000_000}, "total": 2_000_000}},
    "good/other-base": {"cardData": {"base_model": ["someone/else"]}},
    "new/name": {},
}
MOVED = {"old/name": "new/name"}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Answers(BaseHTTPRequestHandler):
    """Answers `GET /api/models/ID[/revision/REV]`."""

    def do_GET(self) -> None:
        wanted = self.path.partition("?")[0].removeprefix("/api/models/").strip("/")
        name, _, revision = wanted.partition("/revision/")
        if not wanted:
            self._say(200, {})
        elif name in MOVED:
            self.send_response(307)
            self.send_header("Location", f"/api/models/{MOVED[name]}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif name == "good/closed":
            self._say(403, {"error": "Access to it is restricted"}, "GatedRepo")
        elif name == "good/broken":
            self._say(500, {"error": "no disk left"})
        elif name not in MODELS:
            self._say(404, {"error": "Repository not found"}, "RepoNotFound")
        elif revision not in ("", "main", COMMIT):
            self._say(404, {"error": "Invalid rev id"}, "RevisionNotFound")
        else:
            self._say(200, {"id": name, "sha": COMMIT, "gated": False, "tags": [], **MODELS[name]})

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""

    def _say(self, status: int, document: dict[str, Any], code: str = "") -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def fake_hub() -> Iterator[str]:
    """Serve until the block ends; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
