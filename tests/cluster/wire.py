"""A wire between a client and a server that can be cut at the worst moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

Cut = Literal["after", "before"]


class Wire:
    """Passes bytes both ways. Once armed, it cuts the connection on which the next request with these bytes comes:
    `after` the server has carried it out, so that only the answer is lost; or `before`, and the request reaches the
    server late, when the client has long asked again."""

    LATE_SECONDS = 0.3

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._armed: tuple[bytes, Cut] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.cuts = 0
        self.port = 0

    def arm(self, request: bytes, when: Cut) -> None:
        self._armed = (request, when)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server, from_client = None, reader
        with suppress(OSError, asyncio.IncompleteReadError):
            from_server, to_server = await asyncio.open_connection(*self._server)
            answers = asyncio.create_task(_pump(from_server, writer))
            self._tasks.add(answers)
            while data := await from_client.read(1 << 20):
                if self._armed and self._armed[0] in data:
                    await self._cut(data, answers, from_server, to_server, writer)
                    break
                to_server.write(data)
                await to_server.drain()
            answers.cancel()
        for end in (writer, to_server):
            if end is not None:
                end.close()

    async def _cut(
        self,
        data: bytes,
        answers: asyncio.Task[None],
        from_server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        to_client: asyncio.StreamWriter,
    ) -> None:
        assert self._armed
        _, when = self._armed
        self._armed = None
        self.cuts += 1
        answers.cancel()
        await asyncio.gather(answers, return_exceptions=True)
        if when == "before":
            to_client.close()
            await asyncio.sleep(self.LATE_SECONDS)
        to_server.write(data)
        await to_server.drain()
        async with asyncio.timeout(5):
            await from_server.read(1 << 20)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 20):
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def wire_to(host: str, port: int) -> AsyncIterator[Wire]:
    wire = Wire(host, port)
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
