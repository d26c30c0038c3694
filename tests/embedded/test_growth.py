"""Data of an earlier version, whose records were searched by fewer fields, are opened and found by all of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar

from shared.embedded.clock import FixedClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SeededIds
from shared.embedded.store import SqliteStore
from shared.embedded.table import PAGE
from shared.ports import Query, Where
from shared.records import Change, Index, Record, index


class Early(Record):
    kind = "parcel"
    indexes: ClassVar[tuple[Index, ...]] = (index("shelf"),)

    shelf: str
    weight: int


class Parcel(Early):
    indexes = (index("shelf"), index("weight", "shelf"), index("colour"))

    colour: str = "brown"


def store(engine: SqliteEngine, kind: type[Early]) -> SqliteStore:
    clock = FixedClock()
    return SqliteStore(engine, "toys", [kind], clock, SeededIds(1, clock))


def put(parcel: Early, _: Early | None) -> Change[Early]:
    return Change(parcel)


async def test_records_of_an_earlier_version_are_found_by_the_fields_of_this_one(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "wushe.db", inline=True)
    early = store(engine, Early)
    for n in range(PAGE + 1):
        parcel = Early(id=f"p{n}", shelf="s", weight=n)
        await early.change(Early, parcel.id, partial(put, parcel))
    await engine.close()
    for _ in ("for the first time", "again"):
        engine = SqliteEngine(tmp_path / "wushe.db", inline=True)
        parcels = store(engine, Parcel)
        by_weight = Query((Where("weight", "at_least", PAGE - 1),), order="weight")
        assert [one.record.id for one in await parcels.find(Parcel, by_weight)] == [
            f"p{PAGE - 1}",
            f"p{PAGE}",
        ]
        brown = Query((Where("colour", "equal", "brown"),), limit=2 * PAGE)
        assert len(await parcels.find(Parcel, brown)) == PAGE + 1
        await engine.close()
