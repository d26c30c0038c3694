"""What is no HTTP, and what is sent slowly or by halves: an answer like any other, and nothing falls over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.security.passwords import Hasher
from wushe.embedded import embedded
from wushe.serving import listen, server_for

HOST = b"Host: here\r\n"
POST = b"POST /api/session HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
NO_HTTP: dict[str, bytes] = {
    "a handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no such method": b"FOO /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method in small letters": b"get /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "no such version": b"GET /healthz HTTP/9.9\r\n" + HOST + b"\r\n",
    "an address with raw letters": "GET /api/需求 HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "an address without end": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "a length below nothing": POST + b"Content-Length: -5\r\n\r\n",
    "a length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
    "NUL in a header": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
}


@asynccontextmanager
async def a_port(directory: Path) -> AsyncIterator[int]:
    """The whole interface on a real socket."""
    async with embedded(directory, hasher=Hasher.cheap()) as system:
        listening = listen("127.0.0.1", 0)
        server = server_for(system.api)
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await serving
            listening.close()


async def says(port: int, *pieces: bytes) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body of what comes back for these bytes, sent piece by piece."""
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        writer.close()
        return int(head[0].split()[1]), headers, json.loads(body)


@pytest.mark.parametrize("sent", NO_HTTP.values(), ids=NO_HTTP.keys())
async def test_what_is_no_http_is_told_so_in_both_languages(tmp_path: Path, sent: bytes) -> None:
    async with a_port(tmp_path) as port:
        status, headers, body = await says(port, sent)
        assert (status, headers["content-type"]) == (400, "application/problem+json")
        assert body["title_zh"] and body["title_en"] and body["status"] == 400 and body["errors"] == []
        assert (await says(port, b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"))[0] == 200


async def test_a_body_that_comes_byte_by_byte_is_read_like_any_other(tmp_path: Path) -> None:
    async with a_port(tmp_path) as port:
        text = json.dumps({"login": "某人", "password": "x"}, ensure_ascii=False).encode()
        length = b"Content-Length: %d\r\n\r\n" % len(text)
        status, headers, body = await says(port, POST + length, *(text[n : n + 1] for n in range(len(text))))
        assert (status, headers["content-type"]) == (401, "application/problem+json"), body
        assert body["title_zh"] and body["title_en"]


async def test_a_body_that_never_comes_keeps_nobody_from_stopping(tmp_path: Path) -> None:
    """Whoever stops the server need not wait for it: the block of `a_port` ends within its grace."""
    async with asyncio.timeout(60), a_port(tmp_path) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(POST + b"Content-Length: 50\r\n\r\n{")
        await writer.drain()
        assert (await says(port, b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"))[0] == 200
    writer.close()
