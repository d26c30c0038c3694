"""A change that SQLite cannot write, among others that it can."""

from __future__ import annotations

from shared.embedded.clock import FixedClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SeededIds
from shared.embedded.store import SqliteStore
from shared.many import Wanted, change_many
from shared.records import Outcome
from tests.conformance.toys import Basket, Fill

UNWRITABLE = "\ud800"


async def test_what_cannot_be_written_takes_no_other_with_it() -> None:
    clock = FixedClock()
    store = SqliteStore(SqliteEngine(":memory:"), "toys", [Basket], clock, SeededIds(1, clock))
    for ids in ((UNWRITABLE, "a", "b"), ("a", UNWRITABLE, "b"), ("a", "b", UNWRITABLE)):
        results = await change_many(store, Basket, [Wanted(id, Fill(id)) for id in ids])
        assert [isinstance(result, Outcome) for result in results] == [id != UNWRITABLE for id in ids]
    for id in ("a", "b"):
        found = await store.get(Basket, id)
        assert found is not None
        assert (found.version, found.record.count) == (3, 3)
    assert [(m.id, m.sequence) for m in await store.pending(9)] == [
        ("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3)
    ]  # fmt: skip
