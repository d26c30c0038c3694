"""The log in the file is the truth; what is in memory of it only spares reading."""

from __future__ import annotations

from shared.contracts import topics
from shared.embedded.bus import SqliteBus
from shared.embedded.engine import SqliteEngine
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
