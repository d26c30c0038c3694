"""The edge: one table of who answers where, turns among instances, and another try only where it is safe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.types import Message

from shared.contracts.topics import TOPICS
from shared.http.catalogue import catalogue
from shared.run.settings import Settings
from wushe.commands.edge import server_of
from wushe.edge import Edge
from wushe.papers import whole_system
from wushe.routing import SERVICE_OF, caddyfile, service_at, services
from wushe.system import SERVICES

ROOT = Path(__file__).parents[2]
Answer = Callable[[httpx2.Request], httpx2.Response]


class Network(httpx2.AsyncBaseTransport):
    """Instances that answer as they are told, as they would over a wire."""

    def __init__(self, answer: Answer, gone: str) -> None:
        self._answer = answer
        self._gone = gone

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host == self._gone:
            raise httpx2.ConnectError("nobody listens")
        await request.aread()
        said = self._answer(request)
        return httpx2.Response(said.status_code, headers=said.headers, stream=httpx2.ByteStream(said.content))


def test_every_route_of_every_service_is_led_to_it() -> None:
    system = whole_system()
    for name, unit in system.units.items():
        for route in unit.service.router.routes:
            path = getattr(route, "path", None)
            if path:
                assert service_at(f"/api{path}") == name, path
    led = {service_at(route.path) for route in catalogue(system.api) if route.path.startswith("/api/")}
    assert led >= set(SERVICES) - {"directory"}


def test_the_table_names_services_that_there_are() -> None:
    assert set(services()) == set(SERVICES) == {topic.service for topic in TOPICS}
    assert service_at("/api/dead-letters/matching/1") == "matching"
    assert service_at("/api/dead-letters/nobody") == service_at("/docs") == service_at("/") == "directory"
    assert service_at("/api/needsless") == "directory"


def test_the_caddyfile_is_the_same_table() -> None:
    written = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    assert written == caddyfile()
    assert all(f"/api/{name}/*" in written for name in SERVICE_OF)


def through(answer: Answer, gone: str = "") -> httpx2.AsyncClient:
    upstreams = {service: [f"http://{service}-{n}:8000" for n in range(2)] for service in services()}
    inner = httpx2.AsyncClient(transport=Network(answer, gone))
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=Edge(upstreams, inner)), base_url="http://edge"
    )


async def test_instances_take_turns() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        return httpx2.Response(200, json={"path": request.url.raw_path.decode()}, headers={"ETag": '"3"'})

    async with through(answer) as client:
        answers = [await client.get("/api/needs/a%2Fb?limit=2") for _ in range(4)]
    assert asked == ["needs-0", "needs-1", "needs-0", "needs-1"]
    assert answers[0].json() == {"path": "/api/needs/a%2Fb?limit=2"}
    assert answers[0].headers["etag"] == '"3"'


@pytest.mark.parametrize("error", [httpx2.ConnectError, httpx2.ReadError, httpx2.RemoteProtocolError])
@pytest.mark.parametrize("keyed", [True, False])
async def test_another_instance_is_asked_only_if_that_is_safe(error: type[Exception], keyed: bool) -> None:
    asked: list[tuple[str, bytes]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append((request.url.host, request.content))
        if request.url.host == "needs-0":
            raise error("gone")
        return httpx2.Response(201)

    async with through(answer) as client:
        headers = {"Idempotency-Key": "k"} if keyed else {}
        reply = await client.post("/api/needs", json={"a": 1}, headers=headers)
    safe = keyed or error is httpx2.ConnectError
    assert reply.status_code == (201 if safe else 503)
    assert [body for _, body in asked] == [b'{"a":1}'] * (2 if safe else 1)


async def test_when_nobody_answers_the_client_is_told_to_come_again() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("gone")

    async with through(answer) as client:
        reply = await client.get("/api/matches/1")
    assert reply.status_code == 503
    assert reply.headers["retry-after"]
    assert reply.headers["content-type"] == "application/problem+json"


async def test_a_large_body_is_passed_on_as_it_comes_and_never_sent_twice() -> None:
    sizes: list[int] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sizes.append(len(request.content))
        return httpx2.Response(200)

    async with through(answer, gone="resources-0") as client:
        headers = {"Idempotency-Key": "k", "Content-Type": "application/x-ndjson"}
        reply = await client.post("/api/lots/bulk", content=b"x" * 3_000_000, headers=headers)
    assert (reply.status_code, sizes) == (200, [3_000_000])


async def test_who_asked_is_told_by_the_edge_alone() -> None:
    seen: list[httpx2.Headers] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers)
        return httpx2.Response(200)

    async with through(answer) as client:
        await client.get("/api/session", headers={"X-Forwarded-For": "1.2.3.4", "Authorization": "Bearer t"})
    assert seen[0]["x-forwarded-for"] == "127.0.0.1"
    assert seen[0]["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    ("trusts", "peer", "told"),
    [
        ("", "127.0.0.1", ("127.0.0.1", "http")),
        ("", "203.0.113.5", ("203.0.113.5", "http")),
        ("10.0.0.7", "127.0.0.1", ("127.0.0.1", "http")),
        ("10.0.0.7", "10.0.0.7", ("6.6.6.6", "https")),
    ],
)
async def test_the_edge_takes_nobodys_word_about_who_asked_but_a_proxys_that_it_was_told_of(
    trusts: str, peer: str, told: tuple[str, str]
) -> None:
    seen: list[httpx2.Headers] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers)
        return httpx2.Response(200)

    upstreams = {service: ["http://instance:8000"] for service in services()}
    edge = Edge(upstreams, httpx2.AsyncClient(transport=Network(answer, "")))
    config = server_of(edge, Settings(edge_trusts=trusts)).config
    config.load()
    transport = httpx2.ASGITransport(app=config.loaded_app, client=(peer, 4711))
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "Forwarded": "for=6.6.6.6"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as client:
        await client.get("/api/session", headers=forged)
    assert (seen[0]["x-forwarded-for"], seen[0]["x-forwarded-proto"]) == told
    assert "forwarded" not in seen[0]


async def test_figures_stay_inside() -> None:
    async with through(lambda request: httpx2.Response(200)) as client:
        assert (await client.get("/metrics")).status_code == 404
        assert (await client.get("/healthz")).json() == {"status": "alive"}


async def test_an_answer_without_an_end_stops_when_whoever_asked_hangs_up() -> None:
    sent: list[bytes] = []
    closed = asyncio.Event()

    class Endless(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"tick"
                await asyncio.sleep(0)

        async def aclose(self) -> None:
            closed.set()

    class Ticking(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(200, stream=Endless())

    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    heard.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        if len(sent) == 5:
            heard.put_nowait({"type": "http.disconnect"})

    edge = Edge({s: [f"http://{s}"] for s in services()}, httpx2.AsyncClient(transport=Ticking()))
    scope = {
        "type": "http", "method": "GET", "path": "/api/needs", "raw_path": b"/api/needs", "query_string": b"",
        "headers": [], "scheme": "http", "client": ("127.0.0.1", 1),
    }  # fmt: skip
    async with asyncio.timeout(10):
        await edge(scope, heard.get, send)
    assert closed.is_set()
    assert sent[1:4] == [b"tick"] * 3


@pytest.mark.parametrize(
    ("target", "status"), [("/api/../metrics", 404), ("/api/./../metrics", 404), ("*", 404)]
)
async def test_no_way_of_writing_an_address_leads_past_the_table(target: str, status: int) -> None:
    """As it comes over the wire; a client would put it right before."""
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(200, json={})

    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    edge = Edge(
        {s: [f"http://{s}:8000"] for s in services()}, httpx2.AsyncClient(transport=Network(answer, ""))
    )
    scope = {
        "type": "http", "method": "OPTIONS", "path": target, "raw_path": target.encode(), "query_string": b"",
        "headers": [], "scheme": "http", "client": ("10.0.0.1", 1), "server": ("edge", 80), "root_path": "",
    }  # fmt: skip
    await edge(scope, receive, send)
    assert (said[0]["status"], asked) == (status, [])
