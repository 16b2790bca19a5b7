"""A server on this machine that answers for an embedded model in the dialects that servers have.

Started as a program, it prints its address and serves until it is killed; every request is a line of its log.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch

from tuneshift.models import LanguageModel

SERVED = "fable/served-2m"
Reply = tuple[int, dict[str, str], bytes]
Interrupt = Callable[[int, dict[str, Any]], "Reply | float | None"]
"""By number and body of a request: a reply of the test's own, seconds to wait before the right one, None to hang up."""


class FableServer:
    """Serves one model, by default as `SERVED`.

    `dialect`: `echo`, `echo_1` (refuses max_tokens 0, adds a token), `content` (echo as a list with bytes), `vllm`
    (prompt_logprobs alone), `generated` (log probabilities of what it writes only). `start`: whether it puts the
    model's start token before a text. `spelling`: `text`, `stripped` (no spaces), `pieces` (as in the vocabulary).
    """

    def __init__(
        self,
        model: LanguageModel,
        dialect: str = "echo",
        *,
        start: bool = True,
        spelling: str = "text",
        context: int | None = None,
        stated: int | None = None,
        names: tuple[str, ...] = (SERVED,),
    ) -> None:
        self.model, self.dialect, self.start, self.spelling = model, dialect, start, spelling
        self.context, self.stated, self.names = context, stated, names
        self.list_of_models: Reply | None = None  # in place of the right one
        self.interrupt: Interrupt = lambda number, body: 0.0
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.log: Callable[[str], None] = lambda line: None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def texts(self) -> list[str]:
        """The texts it was asked about, in order, the probe among them."""
        return [body["prompt"] for body in self.requests]

    def answer(self, body: dict[str, Any]) -> Reply:
        if body["model"] not in self.names:
            return _error(404, f"The model `{body['model']}` does not exist.")
        if self.dialect == "echo_1" and body["max_tokens"] == 0:
            return _error(400, "max_tokens must be at least 1, got 0.")
        ids = self.model.tokenizer(body["prompt"], add_special_tokens=False)["input_ids"]
        ids = [self.model.tokenizer.bos_token_id, *ids] if self.start else ids
        if self.context is not None and len(ids) + max(1, body["max_tokens"]) > self.context:
            return _error(400, f"This model's maximum context length is {self.context} tokens; you sent {len(ids)}.")
        with self._lock, torch.inference_mode():
            logits = self.model.torch_model(torch.tensor([ids])).logits[0].double()
        logprobs = torch.log_softmax(logits, dim=-1)
        values = [None, *(float(logprobs[i, token]) for i, token in enumerate(ids[1:]))]
        if self.dialect == "vllm":
            return _ok({"prompt_logprobs": self._prompt_logprobs(ids, values, logprobs)})
        if body["max_tokens"] == 1 or self.dialect == "generated":
            written = int(logits[-1].argmax())
            ids, values = [*ids, written], [*values, float(logprobs[-1, written])]
        if self.dialect == "generated" or not body.get("echo"):
            ids, values = ids[-1:], values[-1:]
        texts = [self._text(token) for token in ids]
        if self.dialect == "content":
            raw = [list(self._bytes(token)) for token in ids]
            entries = zip(texts, raw, values, strict=True)
            return _ok({"logprobs": {"content": [{"token": t, "bytes": b, "logprob": v} for t, b, v in entries]}})
        offsets = [sum(map(len, texts[:i])) for i in range(len(texts))]
        return _ok({"logprobs": {"tokens": texts, "token_logprobs": values, "text_offset": offsets}})

    def _prompt_logprobs(self, ids: list[int], values: list[float | None], logprobs: torch.Tensor) -> list[Any]:
        found: list[Any] = [None]
        for place, (token, value) in enumerate(zip(ids[1:], values[1:], strict=True)):
            rank = int((logprobs[place] > value).sum()) + 1
            found.append({str(token): {"logprob": value, "rank": rank, "decoded_token": self._text(token)}})
        return found

    def _text(self, token: int) -> str:
        if self.spelling == "pieces":
            return str(self.model.tokenizer.convert_ids_to_tokens(token))
        text = self.model.tokenizer.decode([token])
        return text.lstrip(" ") if self.spelling == "stripped" else text

    def _bytes(self, token: int) -> bytes:
        from tuneshift.reading.served.spellings import _byte_of_character

        return bytes(_byte_of_character()[c] for c in self.model.tokenizer.convert_ids_to_tokens(token))


def _handler(owner: FableServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            owner.headers.append(dict(self.headers))
            if owner.list_of_models is not None:
                return self._send(owner.list_of_models)
            models = [{"id": name, "object": "model", "max_model_len": owner.stated} for name in owner.names]
            found = self.path == "/v1/models"
            self._send(_ok_body({"data": models}) if found else _error(404, "Not Found"))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            number = len(owner.requests)
            owner.requests.append(body)
            owner.headers.append(dict(self.headers))
            owner.log(body["prompt"])
            if self.path != "/v1/completions":
                return self._send(_error(404, "Not Found"))
            interrupt = owner.interrupt(number, body)
            if interrupt is None:
                return self.connection.close()
            if isinstance(interrupt, float):
                time.sleep(interrupt)
                interrupt = owner.answer(body)
            self._send(interrupt)

        def _send(self, reply: Reply) -> None:
            status, headers, content = reply
            try:
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(content))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            except OSError:  # whoever asked has gone
                pass

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _ok(choice: dict[str, Any]) -> Reply:
    return _ok_body({"object": "text_completion", "choices": [{"index": 0, "text": "", **choice}]})


def _ok_body(body: dict[str, Any]) -> Reply:
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


def _error(status: int, message: str) -> Reply:
    return status, {}, json.dumps({"error": {"message": message, "type": "BadRequestError"}}).encode()
