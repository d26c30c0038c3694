"""No answer goes out that rests on what may still be lost."""

from __future__ import annotations

import asyncio

import httpx2
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from shared.errors import Outage
from shared.http.api import OnceSettled


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("won")(scope, receive, send)


def client(settled: object) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=OnceSettled(app, settled))  # type: ignore[arg-type]
    return httpx2.AsyncClient(transport=transport, base_url="http://here")


async def test_an_answer_waits_until_what_it_says_is_kept() -> None:
    kept = asyncio.Event()
    async with client(kept.wait) as http:
        asking = asyncio.ensure_future(http.get("/"))
        done, _ = await asyncio.wait([asking], timeout=0.05)
        assert not done
        kept.set()
        assert (await asking).text == "won"


async def test_an_answer_that_cannot_be_kept_is_withdrawn() -> None:
    async def lost() -> None:
        raise Outage("the disk did not keep what was written")

    async with client(lost) as http:
        answer = await http.get("/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "won" not in answer.text
