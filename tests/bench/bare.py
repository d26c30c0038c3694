"""The least that a server in Python can do for B3: what is left of the goal when it does nothing but write.

It reads the request, and writes the need, twenty invitations and twenty contact counts in one commit for all requests
that have come. No framework, no sign-in, nothing checked, nobody searched for, no events, no services: whatever does any of
that takes longer. Served by `python -m tests.bench.bare DB PORT`.
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

import httptools
import orjson
import uvloop

from tests.bench.peer import SCHEMA, WANTED, open_database
from tests.bench.sides import Process, start
from tests.live.server import free_port

HEAD = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
STRIDE = 997
"""People that are asked one after another lie in different pages of the table, as those of a search do."""


class Bare:
    """The bare server on a file of its own, with as many people as the others have."""

    def __init__(self, folder: Path, people: int, under: Sequence[str] = ()) -> None:
        self._given = (str(folder / "bare.db"), str(free_port()))
        db = open_database(Path(self._given[0]))
        db.executescript(SCHEMA)
        db.execute("BEGIN")
        row = "INSERT INTO person (id, area, contacts) VALUES (?, '', 0)"
        db.executemany(row, [(n,) for n in range(people)])
        db.execute("COMMIT")
        db.close()
        log, port = folder / "bare.log", int(self._given[1])
        self.process: Process = start(
            "tests.bench.bare", *self._given, port=port, path="/", log=log, under=under
        )


class Connections:
    """What came in since the last commit, and the commit."""

    def __init__(self, path: Path) -> None:
        self._db = open_database(path)
        self._people = self._db.execute("SELECT count(*) FROM person").fetchone()[0]
        self._asked: list[tuple[asyncio.Transport, bytes]] = []
        self._number = 0

    def take(self, transport: asyncio.Transport, body: bytes) -> None:
        if body:
            self._asked.append((transport, body))
            if len(self._asked) == 1:
                asyncio.get_running_loop().call_soon(self._commit)
        else:
            transport.write(HEAD % (b"200 OK", 2, b"{}"))

    def _commit(self) -> None:
        asked, self._asked = self._asked, []
        self._db.execute("BEGIN IMMEDIATE")
        answers = [(transport, self._write(body)) for transport, body in asked]
        self._db.execute("COMMIT")
        for transport, answer in answers:
            transport.write(HEAD % (b"201 Created", len(answer), answer))

    def _write(self, body: bytes) -> bytes:
        orjson.loads(body)
        id, expires, first = str(uuid.uuid4()), time.time() + 3600, self._number
        self._number += WANTED
        people = [n * STRIDE % self._people for n in range(first, first + WANTED)]
        self._db.execute("INSERT INTO need VALUES (?, ?)", (id, body.decode()))
        rows = [(id, person, "pending", expires) for person in people]
        self._db.executemany("INSERT INTO invitation VALUES (?, ?, ?, ?)", rows)
        self._db.executemany("UPDATE person SET contacts = contacts + 1 WHERE id = ?", [(p,) for p in people])
        return orjson.dumps({"id": id, "invited": len(people)})


class Takes(Protocol):
    """What is done with a request; one without a body asks whether anybody is there."""

    def take(self, transport: asyncio.Transport, body: bytes) -> None: ...


class Connection(asyncio.Protocol):
    def __init__(self, connections: Takes) -> None:
        self._connections = connections
        self._transport: asyncio.Transport
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        self._connections.take(self._transport, body)


async def serve(path: Path, port: int) -> None:
    connections = Connections(path)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(connections), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
