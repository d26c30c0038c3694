"""A bare HTTP/1.1 client over kept connections: the load must not cost more than what it measures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any, NamedTuple


class Answer(NamedTuple):
    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One kept connection to a server on loopback."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._port = port
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def open(self) -> Connection:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 26)
        return self

    async def post(self, path: str, body: bytes, *, key: str = "", kind: str = "application/json") -> Answer:
        extra = f"Idempotency-Key: {key}\r\n" if key else ""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n{extra}{self._head}\r\n"
        )
        self._writer.write(head.encode() + body)
        return await self._answer()

    async def get(self, path: str) -> Answer:
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self._head}\r\n".encode())
        return await self._answer()

    @property
    def open_still(self) -> bool:
        """False once the other side has hung up, as a server does on a connection that rested too long."""
        return not self._reader.at_eof()

    def close(self) -> None:
        self._writer.close()

    async def _answer(self) -> Answer:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(head.split(" ", 2)[1])
        length = next(
            int(line.partition(":")[2])
            for line in head.split("\r\n")
            if line.lower().startswith("content-length")
        )
        return Answer(status, await self._reader.readexactly(length))


class Pool:
    """Connections that are lent and given back; more are opened as they are needed."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._port = port
        self._headers = headers
        self._free: list[Connection] = []
        self.opened = 0

    async def post(self, path: str, body: bytes, *, key: str = "", kind: str = "application/json") -> Answer:
        connection = next((c for c in self._take() if c.open_still), None) or await self._open()
        answer = await connection.post(path, body, key=key, kind=kind)
        self._free.append(connection)
        return answer

    def close(self) -> None:
        for connection in self._free:
            connection.close()

    def _take(self) -> Iterator[Connection]:
        while self._free:
            yield self._free.pop()

    async def _open(self) -> Connection:
        self.opened += 1
        return await Connection(self._port, self._headers).open()
