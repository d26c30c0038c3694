"""What is known of every request afterwards: a line in the log, a count and a duration, by route and never by address.

A real address may hold an id or a search; neither the log nor a metric ever sees it.
"""

from __future__ import annotations

from time import perf_counter

import structlog
from prometheus_client import CollectorRegistry, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("wushe.access")
NOWHERE = "(no route)"
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Durations:
    """How long requests took, by method, route template and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._histogram = Histogram(
            "wushe_http_request_seconds",
            "Time from the request to the end of its answer",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=registry,
        )
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        key = (method, route, status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._histogram.labels(method, route, str(status))
        child.observe(seconds)


class Observed:
    """ASGI middleware: one line and one observation per request."""

    def __init__(self, app: ASGIApp, durations: Durations, access_log: bool) -> None:
        self._app = app
        self._durations = durations
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        status = 500
        began = perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._note(scope, status, perf_counter() - began)
        return None

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        route = getattr(scope.get("route"), "path_format", NOWHERE)
        self._durations.note(method, route, status, seconds)
        if self._access_log:
            log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
