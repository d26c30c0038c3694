"""The edge: one origin before the instances of all services, for a machine without a proxy of its own.

It takes turns among the instances of a service, passes by those that do not answer, and asks another one when that
is safe: nothing was sent yet, or what was sent may be sent twice (a reading, or anything with an Idempotency-Key).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import cycle

import httpx2
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.problems import OUTAGE, RETRY_SECONDS, UNKNOWN, say
from wushe.routing import service_at

KEPT_BYTES = 1024 * 1024
PASSED_BY_SECONDS = 1.0
PATIENCE = httpx2.Timeout(60.0, connect=1.0)
_OURS = frozenset({
    b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host",
})  # fmt: skip
"""Headers that are about one connection, or that only the edge may set."""
_ANY = httpx2.URL("http://instance")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

log = structlog.get_logger("edge")


class Instances:
    """The addresses of one service: in turn, the ones that failed just now last."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = tuple(addresses)
        self._turns = cycle(range(len(addresses)))
        self._failed_at: dict[str, float] = {}

    def in_turn(self) -> list[str]:
        first = next(self._turns)
        order = [*self._addresses[first:], *self._addresses[:first]]
        return sorted(order, key=self._is_passed_by)

    def failed(self, address: str) -> None:
        self._failed_at[address] = time.monotonic()

    def _is_passed_by(self, address: str) -> bool:
        return time.monotonic() - self._failed_at.get(address, float("-inf")) < PASSED_BY_SECONDS


class Body:
    """What came with a request: its first part is kept, so that a small body can be sent again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept = b""
        self._whole = False
        self._once = False
        """Part of it has been sent and forgotten."""

    async def begin(self) -> None:
        while not self._whole and len(self._kept) < KEPT_BYTES:
            self._kept += await self._next()

    @property
    def can_be_sent(self) -> bool:
        """Whether all of it can be sent (again)."""
        return not self._once

    async def parts(self) -> AsyncIterator[bytes]:
        self._once = self._once or not self._whole
        if self._kept:
            yield self._kept
        while not self._whole:
            yield await self._next()

    async def client_left(self) -> None:
        """Returns when whoever asked has hung up."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        self._whole = not message.get("more_body", False)
        part: bytes = message.get("body", b"")
        return part


class ClientGone(Exception):
    """There is nobody to answer any more, or no way to."""


class Edge:
    """ASGI: passes each request to an instance of the service that the routing table names."""

    def __init__(
        self, upstreams: Mapping[str, Sequence[str]], client: httpx2.AsyncClient | None = None
    ) -> None:
        self._instances = {service: Instances(addresses) for service, addresses in upstreams.items()}
        limits = httpx2.Limits(max_connections=2000, max_keepalive_connections=200, keepalive_expiry=30.0)
        self._client = client or httpx2.AsyncClient(timeout=PATIENCE, limits=limits, trust_env=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        target = _target(scope)
        if target is None:
            await say(Request(scope), UNKNOWN)(scope, receive, send)
        elif (own := _own(target.path)) is not None:
            await own(scope, receive, send)
        else:
            await self._passed_on(target, scope, receive, send)

    async def close(self) -> None:
        await self._client.aclose()

    async def _passed_on(self, target: httpx2.URL, scope: Scope, receive: Receive, send: Send) -> None:
        body, headers = Body(receive), _headers(scope)
        instances = self._instances[service_at(target.path)]
        try:
            await body.begin()
            for address in instances.in_turn():
                try:
                    await self._ask(_at(address, target), scope["method"], headers, body, send)
                    return
                except Unanswered as no:
                    instances.failed(address)
                    log.warning("no answer", instance=address, reason=str(no))
                    if not body.can_be_sent or not (no.unsent or _may_be_repeated(scope)):
                        break
        except ClientGone:
            return
        problem = say(Request(scope), OUTAGE, headers={"Retry-After": str(RETRY_SECONDS)})
        await problem(scope, receive, send)

    async def _ask(
        self, url: httpx2.URL, method: str, headers: list[tuple[bytes, bytes]], body: Body, send: Send
    ) -> None:
        """The answer of this instance, passed on as it comes. Raises Unanswered if it did not begin."""
        content = body.parts() if _has_body(headers) else None
        request = self._client.build_request(method, url, headers=headers, content=content)
        try:
            answer = await self._client.send(request, stream=True)
            try:
                await _pass_back(answer, body, send)
            finally:
                await answer.aclose()
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as e:
            raise Unanswered(type(e).__name__, unsent=True) from e
        except httpx2.TransportError as e:
            raise Unanswered(type(e).__name__, unsent=False) from e


class Unanswered(Exception):
    """An instance gave no answer; `unsent` if it cannot have got the request."""

    def __init__(self, reason: str, *, unsent: bool) -> None:
        super().__init__(reason)
        self.unsent = unsent


async def _pass_back(answer: httpx2.Response, body: Body, send: Send) -> None:
    """A short answer only when all of it has come, so that another instance can be asked if it never does."""
    headers = [(k.lower(), v) for k, v in answer.headers.raw if k.lower() not in _OURS]
    start: Message = {"type": "http.response.start", "status": answer.status_code, "headers": headers}
    if int(answer.headers.get("content-length", KEPT_BYTES)) < KEPT_BYTES:
        whole = b"".join([part async for part in answer.aiter_raw()])
        await send(start)
        await send({"type": "http.response.body", "body": whole})
        return
    await send(start)
    passing = asyncio.create_task(_stream(answer, send))
    leaving = asyncio.create_task(body.client_left())
    await asyncio.wait((passing, leaving), return_when=asyncio.FIRST_COMPLETED)
    for task in (passing, leaving):
        task.cancel()
    await asyncio.wait((passing, leaving))
    if passing.cancelled() or isinstance(passing.exception(), httpx2.TransportError):
        raise ClientGone  # half of it is out: only a broken connection can say so
    passing.result()


async def _stream(answer: httpx2.Response, send: Send) -> None:
    async for part in answer.aiter_raw():
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _target(scope: Scope) -> httpx2.URL | None:
    """What is asked for, as it will be asked of an instance (`/api/../metrics` is `/metrics`); None if it is no address."""
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    try:
        return _ANY.copy_with(raw_path=scope["raw_path"] + query)
    except httpx2.InvalidURL:
        return None


def is_address(text: str) -> bool:
    """Whether an instance can be asked there."""
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and (url.port or 0) <= 65535


def _at(address: str, target: httpx2.URL) -> httpx2.URL:
    return httpx2.URL(address).copy_with(raw_path=target.raw_path)


def _headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The request's own headers, and who asked."""
    given = [(k, v) for k, v in scope["headers"] if k not in _OURS]
    client = scope["client"][0] if scope.get("client") else ""
    if any(k == b"transfer-encoding" for k, _ in scope["headers"]):
        given.append((b"transfer-encoding", b"chunked"))
    return [
        *given,
        (b"x-forwarded-for", client.encode()),
        (b"x-forwarded-proto", scope["scheme"].encode()),
    ]


def _has_body(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(k in (b"content-length", b"transfer-encoding") for k, _ in headers)


def _may_be_repeated(scope: Scope) -> bool:
    return scope["method"] in SAFE or any(k == b"idempotency-key" for k, _ in scope["headers"])


def _own(path: str) -> ASGIApp | None:
    """What the edge answers by itself; the figures of the instances are not for the world."""
    if path == "/healthz":
        return JSONResponse({"status": "alive"})
    if path == "/metrics":
        return JSONResponse({"status": 404}, 404)
    return None
