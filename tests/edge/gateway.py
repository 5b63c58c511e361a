"""A gateway as PAI-EAS has one: a path for each service, which it takes off, and a raw token."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class Gateway:
    """Forwards what comes to `prefix`."""

    def __init__(self, target: str, prefix: str) -> None:
        self.tokens: list[str] = []
        self.http = httpx.Client(timeout=20)
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                gateway.tokens.append(self.headers.get("authorization", ""))
                if not self.path.startswith(prefix + "/"):
                    return self.answer(404, {"content-type": "text/plain"}, b"no such service")
                names = ("content-type", "x-jargonaut-identity", "x-jargonaut-signature", "x-request-id")
                headers = {name: self.headers[name] for name in names if self.headers[name]}
                url = target + self.path.removeprefix(prefix)
                said = gateway.http.request(self.command, url, content=body, headers=headers)
                return self.answer(said.status_code, dict(said.headers), said.content)

            do_GET = do_POST

            def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    if name not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.http.close()


@contextmanager
def gateway_before(target: str, prefix: str) -> Iterator[Gateway]:
    gateway = Gateway(target, prefix)
    try:
        yield gateway
    finally:
        gateway.close()
