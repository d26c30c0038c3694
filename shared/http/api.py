"""One HTTP interface made of services: the same manners for all of them, under one origin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Outage
from shared.http.access import Gate
from shared.http.bodies import BodyGuard
from shared.http.catalogue import catalogue
from shared.http.docs import docs
from shared.http.health import Check, health
from shared.http.observed import Durations, Observed
from shared.http.openapi import Described
from shared.http.problems import out_of_order, speak_problems
from shared.http.signposts import put_up
from shared.places import Atlas
from shared.run.kit import Service
from shared.security.tokens import TokenVerifier

PREFIX = "/api"
Settled = Callable[[], Awaitable[None]]
"""Waits until what this process can read now cannot be lost. Raises Outage."""


def make_api(
    services: Sequence[Service],
    *,
    atlas: Atlas,
    verifier: TokenVerifier,
    registry: CollectorRegistry | None = None,
    checks: Mapping[str, Check] | None = None,
    is_open: Callable[[], bool] = lambda: True,
    settled: Settled | None = None,
    access_log: bool = True,
    title: str = "Wushe 五社",
    version: str = "0.1.0",
) -> FastAPI:
    """The application that serves these services under `/api`, and health, figures and documentation beside them.

    `checks` are asked by `/readyz`. Until `is_open` whoever has to be signed in is told to come again. Nothing is
    answered before `settled`. `registry` is where request durations are counted and what `/metrics` shows. Raises Unguarded if a route names no action: what is
    not in the policy table is not served.
    """
    registry = registry or CollectorRegistry()
    app = Described(title=title, version=version, docs_url=None, redoc_url=None)
    app.state.gate = Gate(verifier, atlas, is_open)
    put_up(app, [service.router for service in services], PREFIX)
    app.include_router(health(checks or {}, registry))
    app.include_router(docs(app))
    catalogue(app)
    speak_problems(app)
    if settled is not None:
        app.add_middleware(OnceSettled, settled=settled)
    app.add_middleware(ForNobodyElse)
    app.add_middleware(BodyGuard)
    app.add_middleware(Observed, durations=Durations(registry), access_log=access_log)
    return app


class ForNobodyElse:
    """ASGI middleware: no browser or proxy keeps an answer of the interface, or takes it for anything but what it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(f"{PREFIX}/"):
            return await self._app(scope, receive, send)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                headers.append((b"x-content-type-options", b"nosniff"))
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
            await send(message)

        return await self._app(scope, receive, marked)


class OnceSettled:
    """ASGI middleware: an answer goes out only when nothing that it may rest on can be lost any more.

    What is read may have been committed a moment ago and not be on the disk yet; whoever is told of it may act on it, so
    it must be (outside it looks as if every commit waited for the disk: "external synchrony", Nightingale et al. 2006).
    """

    def __init__(self, app: ASGIApp, settled: Settled) -> None:
        self._app = app
        self._settled = settled

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        withdrawn = False

        async def once_settled(message: Message) -> None:
            nonlocal withdrawn
            if message["type"] == "http.response.start":
                try:
                    await self._settled()
                except Outage as outage:
                    withdrawn = True
                    instead = await out_of_order(Request(scope), outage)
                    await instead(scope, receive, send)
            if not withdrawn:
                await send(message)

        return await self._app(scope, receive, once_settled)
