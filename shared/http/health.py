"""Whether this process lives, whether it can serve, and its figures: for machines, with nothing personal in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from shared.errors import Outage
from shared.http.access import public
from shared.http.schema import Schema

Check = Callable[[], Awaitable[str | None]]
"""None if all is well, else what is missing; an Outage it raises is what is missing."""


class Alive(Schema):
    status: str = "alive"


class Readiness(Schema):
    """`missing` says, by name of the check, what keeps this process from serving."""

    ready: bool
    missing: dict[str, str]


def health(checks: Mapping[str, Check], registry: CollectorRegistry) -> APIRouter:
    """`/healthz` answers while the event loop runs; `/readyz` when every check passes; `/metrics` for Prometheus."""
    router = APIRouter(tags=["health"], dependencies=[public("health.read")])

    @router.get("/healthz", operation_id="read_health", summary="Is the process alive")
    async def read_health() -> Alive:
        return Alive()

    @router.get(
        "/readyz", operation_id="read_readiness", summary="Can the process serve, and if not, what is missing"
    )
    async def read_readiness(response: Response) -> Readiness:
        answers = {name: await _ask(check) for name, check in checks.items()}
        missing = {name: answer for name, answer in answers.items() if answer is not None}
        response.status_code = 503 if missing else 200
        response.headers["Cache-Control"] = "no-store"
        return Readiness(ready=not missing, missing=missing)

    @router.get(
        "/metrics", operation_id="read_metrics", summary="Figures for Prometheus", response_class=Response
    )
    async def read_metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


async def _ask(check: Check) -> str | None:
    try:
        return await check()
    except Outage as outage:
        return str(outage) or "cannot be reached"
