"""The closed vocabulary of `find`, and nothing beyond it."""

from __future__ import annotations

from functools import partial
from typing import Any, get_args, get_type_hints

import pytest

from shared.ports import Query, Store, Where
from shared.records import Change
from shared.searches import either
from tests.conformance.toys import Basket, Colour, Shelf, put

UNHEARD_OF: Any = "like"
AREAS = ["522702", "522702100", "5227021001", "522703", "52270A", "安龙县", "安顺市", "b", "B", ""]


@pytest.fixture
async def filled(store: Store) -> Store:
    """Thirty baskets: areas and counts go round, every third has no tag, every second is sealed."""
    for n in range(30):
        basket = Basket(
            id=f"b{n:02}",
            area=AREAS[n % 10],
            count=n // 3 - 2,
            tag=None if n % 3 == 0 else f"t{n % 3}",
            sealed=n % 2 == 0,
            colour=Colour.GREEN if n % 5 == 0 else Colour.RED,
        )
        await store.change(Basket, basket.id, put(basket))
    return store


async def found(store: Store, *where: Where, **more: Any) -> list[Basket]:
    return [one.record for one in await store.find(Basket, Query(where, **{"limit": 100, **more}))]


CASES: list[tuple[Where, Any]] = [
    (Where("area", "equal", "522702"), lambda b: b.area == "522702"),
    (Where("area", "equal", "安顺市"), lambda b: b.area == "安顺市"),
    (Where("area", "equal", "nowhere"), lambda b: False),
    (Where("area", "equal", ""), lambda b: b.area == ""),
    (Where("count", "equal", -2), lambda b: b.count == -2),
    (Where("sealed", "equal", True), lambda b: b.sealed),
    (Where("sealed", "equal", False), lambda b: not b.sealed),
    (Where("tag", "equal", None), lambda b: b.tag is None),
    (Where("tag", "equal", "t1"), lambda b: b.tag == "t1"),
    (Where("colour", "equal", Colour.GREEN), lambda b: b.colour == "green"),
    (Where("colour", "equal", "green"), lambda b: b.colour == "green"),
    (Where("area", "one_of", ("b", "B", "nowhere")), lambda b: b.area in ("b", "B")),
    (Where("count", "one_of", (0, 3)), lambda b: b.count in (0, 3)),
    (Where("count", "one_of", ()), lambda b: False),
    (Where("count", "at_least", 3), lambda b: b.count >= 3),
    (Where("count", "at_most", 0), lambda b: b.count <= 0),
    (Where("tag", "at_least", "t2"), lambda b: b.tag is not None and b.tag >= "t2"),
    (Where("tag", "at_most", "t1"), lambda b: b.tag is not None and b.tag <= "t1"),
    (Where("area", "at_least", "安"), lambda b: b.area >= "安"),
    (Where("area", "prefix", "522702"), lambda b: b.area.startswith("522702")),
    (Where("area", "prefix", "安"), lambda b: b.area.startswith("安")),
    (Where("area", "prefix", "B"), lambda b: b.area.startswith("B")),
    (Where("area", "prefix", ""), lambda b: True),
    (Where("tag", "prefix", ""), lambda b: b.tag is not None),
    (Where("id", "prefix", "b1"), lambda b: b.id.startswith("b1")),
    (Where("id", "one_of", ("b03", "b29", "c")), lambda b: b.id in ("b03", "b29")),
]


@pytest.mark.parametrize(("where", "meant"), CASES, ids=[f"{w.field}-{w.test}-{w.value!r}" for w, _ in CASES])
async def test_each_test_means_what_it_says(filled: Store, where: Where, meant: Any) -> None:
    everything = await found(filled)
    assert len(everything) == 30
    assert await found(filled, where) == [basket for basket in everything if meant(basket)]


EITHER: list[tuple[tuple[Where, ...], Any]] = [
    ((Where("area", "equal", "b"), Where("tag", "equal", "t1")), lambda b: b.area == "b" or b.tag == "t1"),
    ((Where("tag", "equal", None), Where("id", "equal", "b01")), lambda b: b.tag is None or b.id == "b01"),
    ((Where("area", "one_of", ()), Where("id", "equal", "b01")), lambda b: b.id == "b01"),
    ((Where("area", "prefix", "5227"), Where("area", "equal", "b")), lambda b: b.area.startswith("5227") or b.area == "b"),
    ((Where("id", "equal", "b02"),), lambda b: b.id == "b02"),
]  # fmt: skip


@pytest.mark.parametrize(("wheres", "meant"), EITHER)
async def test_one_of_several_conditions_may_hold(
    filled: Store, wheres: tuple[Where, ...], meant: Any
) -> None:
    everything = await found(filled)
    assert await found(filled, either(*wheres)) == [b for b in everything if meant(b)]
    sealed = Where("sealed", "equal", True)
    assert await found(filled, either(*wheres), sealed) == [b for b in everything if meant(b) and b.sealed]
    paged: list[Basket] = []
    query = Query((either(*wheres),), limit=2)
    while page := [one.record for one in await filled.find(Basket, query)]:
        paged += page
        query = Query((either(*wheres),), limit=2, after=query.cursor(page[-1]))
    assert paged == [b for b in everything if meant(b)]


async def test_all_conditions_must_hold(filled: Store) -> None:
    wheres = (Where("area", "prefix", "5227"), Where("count", "at_least", 1), Where("count", "at_most", 5))
    everything = await found(filled)
    meant = [b for b in everything if b.area.startswith("5227") and 1 <= b.count <= 5]
    assert await found(filled, *wheres) == meant
    assert await found(filled, *reversed(wheres)) == meant
    assert [b.id for b in await found(filled, Where("area", "equal", "b"), Where("tag", "equal", None))] == [
        "b27"
    ]


async def test_records_come_by_id_unless_asked_otherwise(filled: Store) -> None:
    ids = [basket.id for basket in await found(filled)]
    assert ids == sorted(ids)
    assert [basket.id for basket in await found(filled, descending=True)] == ids[::-1]


def sort_key(basket: Basket, order: str) -> tuple[Any, ...]:
    value = getattr(basket, order)
    return (value is not None, value if value is not None else 0, basket.id)


@pytest.mark.parametrize("order", ["id", "count", "area", "tag", "sealed", "colour"])
@pytest.mark.parametrize("descending", [False, True])
async def test_order_is_by_value_then_id_and_pages_join_without_gap(
    filled: Store, order: str, descending: bool
) -> None:
    meant = sorted(await found(filled), key=lambda basket: sort_key(basket, order), reverse=descending)
    assert await found(filled, order=order, descending=descending) == meant
    paged: list[Basket] = []
    query = Query(order=order, descending=descending, limit=7)
    while page := [one.record for one in await filled.find(Basket, query)]:
        assert len(page) <= 7
        paged += page
        query = Query(order=order, descending=descending, limit=7, after=query.cursor(page[-1]))
    assert paged == meant


@pytest.mark.parametrize("descending", [False, True])
async def test_pages_of_a_search_join_without_gap(filled: Store, descending: bool) -> None:
    where = (Where("area", "prefix", "5"),)
    meant = await found(filled, *where, order="count", descending=descending)
    paged: list[Basket] = []
    query = Query(where, "count", descending, 4)
    while page := await filled.find(Basket, query):
        paged += [one.record for one in page]
        query = Query(where, "count", descending, 4, query.cursor(page[-1].record))
    assert paged == meant
    assert len(paged) > 10


async def test_text_sorts_by_its_characters_not_by_a_language(store: Store) -> None:
    areas = ["z", "Z", "é", "e", "安", "一", "𠮷", "￥", "1", "１", "བོད"]
    for n, area in enumerate(areas):
        await store.change(Basket, f"{n}", put(Basket(id=f"{n}", area=area)))
    assert [basket.area for basket in await found(store, order="area")] == sorted(areas)


async def test_what_is_found_has_its_version_and_newest_state(store: Store) -> None:
    await store.change(Basket, "a", put(Basket(id="a", area="here")))
    await store.change(Basket, "a", put(Basket(id="a", area="there", note="moved")))
    assert await found(store, Where("area", "equal", "here")) == []
    [one] = await store.find(Basket, Query((Where("area", "equal", "there"),)))
    assert (one.version, one.record.note) == (2, "moved")


async def test_without_conditions_all_are_listed_by_id(store: Store) -> None:
    for id in ("s2", "s1"):
        change = Change(Shelf(id=id))
        await store.change(Shelf, id, partial(lambda change, _: change, change))
    assert [one.record.id for one in await store.find(Shelf, Query())] == ["s1", "s2"]
    assert await store.find(Basket, Query()) == []


@pytest.mark.parametrize(
    "query",
    [
        Query((Where("note", "equal", "x"),)),
        Query((Where("area", "equal", "x"), Where("note", "equal", "x"))),
        Query(order="note"),
        Query((Where("area", UNHEARD_OF, "x"),)),
        Query((Where("area", "one_of", "text"),)),
        Query((Where("count", "prefix", 5),)),
        Query((Where("count", "at_least", 1.5),)),
        Query((Where("area", "at_least", None),)),
        Query((Where("area", "one_of", (None,)),)),
        Query(limit=0),
        Query((either(),)),
        Query((either(Where("note", "equal", "x")),)),
        Query((either(Where("area", "equal", "x"), either(Where("id", "equal", "x"))),)),
    ],
)
async def test_a_search_beyond_the_vocabulary_is_an_error(store: Store, query: Query) -> None:
    with pytest.raises(ValueError, match=r"."):
        await store.find(Basket, query)


async def test_a_condition_that_no_index_begins_with_is_an_error(store: Store) -> None:
    await store.change(Shelf, "s", lambda _: Change(Shelf(id="s", room="hall", row=3)))
    with pytest.raises(ValueError, match="begins with"):
        await store.find(Shelf, Query((Where("row", "equal", 3),)))
    [one] = await store.find(Shelf, Query((Where("row", "equal", 3), Where("room", "equal", "hall"))))
    assert one.record.id == "s"
    [one] = await store.find(Shelf, Query(order="row"))
    assert one.record.id == "s"


def test_no_test_of_the_vocabulary_is_left_out_here() -> None:
    assert {"either", *(where.test for where, _ in CASES)} == set(get_args(get_type_hints(Where)["test"]))
