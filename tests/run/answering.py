"""A service that says whatever it is told to say about itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


class Answering(ThreadingHTTPServer):
    """Answers /healthz with 200 and /readyz by `ready`, on a port of its own."""

    ready = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.said_no = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_GET(self) -> None:
        fine = self.server.ready or self.path == "/healthz"
        self.send_response(200 if fine else 503)
        self.end_headers()
        self.wfile.write(b"well" if fine else b"the bus is missing")
        if not fine:
            self.server.said_no.set()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test needs no log."""


@contextmanager
def answering() -> Iterator[Answering]:
    with Answering() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
