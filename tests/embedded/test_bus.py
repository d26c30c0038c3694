"""The log in the file is the truth; what is in memory of it only spares reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from shared.contracts import topics
from shared.embedded.bus import SqliteBus
from shared.embedded.engine import SqliteEngine
from shared.errors import Outage
from shared.ports import Outgoing


def said(sequence: int) -> Outgoing:
    return Outgoing("need", "a", sequence, topics.NEED.name, "a", b"{}")


async def test_what_is_durable_is_read_before_anybody_has_said_so() -> None:
    engine = SqliteEngine(":memory:", inline=True)
    bus, other = SqliteBus(engine), SqliteBus(engine)
    reading = await bus.read([topics.NEED], group=None)
    await bus.publish([said(1)])
    assert [d.offset for d in await reading.fetch(10, 0.0)] == [0]
    await other.publish([said(2)])  # in the file, and `bus` has not been told
    assert await reading.lag() == 1
    assert [d.offset for d in await reading.fetch(10, 0.0)] == [1]
    assert await reading.lag() == 0
    await engine.close()


async def test_a_topic_that_cannot_be_read_takes_nothing_of_the_others_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = SqliteEngine(":memory:", inline=True)
    bus, other = SqliteBus(engine), SqliteBus(engine)
    reading = await bus.read([topics.NEED, topics.LOT], group="g")
    await bus.publish([said(1)])  # this is read from memory
    await other.publish([said(1)._replace(topic=topics.LOT.name)])  # and this from the file
    with monkeypatch.context() as broken:
        broken.setattr(SqliteEngine, "read", unreadable)
        with pytest.raises(Outage):
            await reading.fetch(10, 0.0)
    assert [d.position.topic for d in await reading.fetch(10, 0.0)] == [topics.NEED.name, topics.LOT.name]
    await engine.close()


def unreadable(engine: SqliteEngine, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    raise Outage("disk I/O error")
