"""A request that is sent twice is met once, and answered alike."""

from __future__ import annotations

import asyncio

import pytest

from shared.embedded.clock import FixedClock
from shared.errors import KeyReused
from shared.ports import Op, Store
from shared.records import Change
from tests.conformance.homes import StoreHome
from tests.conformance.toys import Basket, BasketFull, Fill, heard, put, refuse

OP = Op("key", "body")


async def test_the_same_request_gets_the_same_answer_and_changes_nothing(store: Store) -> None:
    first = await store.change(Basket, "a", Fill(), op=OP)
    await store.change(Basket, "a", Fill())
    again = Fill()
    second = await store.change(Basket, "a", again, op=OP)
    assert (first.applied, first.answer) == (True, {"count": 1})
    assert (second.applied, second.answer, second.version) == (False, {"count": 1}, 2)
    assert again.saw == []
    assert len(await store.pending(10)) == 2
    assert store.duplicates_absorbed == 0, "it counts messages"


async def test_the_answer_outlives_the_process(home: StoreHome) -> None:
    await home.store().change(Basket, "a", Fill(), op=OP)
    store = await home.restarted()
    outcome = await store.change(Basket, "a", Fill(), op=OP)
    assert (outcome.applied, outcome.answer) == (False, {"count": 1})
    with pytest.raises(KeyReused):
        await store.change(Basket, "a", Fill(), op=Op("key", "another body"))


async def test_answers_of_all_shapes_come_back_as_they_were(home: StoreHome) -> None:
    answer = {"text": "谢谢 🙏", "none": None, "list": [1, "二", {"deep": True}], "number": 1.5}
    first = await home.store().change(Basket, "a", lambda _: Change(Basket(id="a"), answer=answer), op=OP)
    again = await home.store().change(Basket, "a", Fill(), op=OP)
    after = await (await home.restarted()).change(Basket, "a", Fill(), op=OP)
    assert first.answer == again.answer == after.answer == answer


async def test_a_request_without_an_answer_is_known_again(store: Store) -> None:
    await store.change(Basket, "a", put(Basket(id="a")), op=OP)
    outcome = await store.change(Basket, "a", Fill(), op=OP)
    assert (outcome.applied, outcome.answer) == (False, None)


async def test_the_same_key_for_another_body_is_refused(store: Store) -> None:
    await store.change(Basket, "a", Fill(), op=OP)
    other = Fill()
    with pytest.raises(KeyReused):
        await store.change(Basket, "a", other, op=Op("key", "another body"))
    assert other.saw == []


async def test_the_same_request_five_times_at_once_is_met_once(store: Store) -> None:
    outcomes = await asyncio.gather(*(store.change(Basket, "a", Fill(), op=OP) for _ in range(5)))
    assert [outcome.applied for outcome in outcomes].count(True) == 1
    assert [outcome.answer for outcome in outcomes] == [{"count": 1}] * 5


async def test_other_requests_are_other_requests(store: Store) -> None:
    await store.change(Basket, "a", Fill(), op=Op("one", "body"))
    assert (await store.change(Basket, "a", Fill(), op=Op("two", "body"))).answer == {"count": 2}
    assert (await store.change(Basket, "b", Fill("b"), op=Op("one", "body"))).applied


async def test_a_request_that_changes_nothing_is_answered_alike_without_a_new_version(
    home: StoreHome,
) -> None:
    await home.store().change(Basket, "a", put(Basket(id="a")))

    def already(basket: Basket | None) -> Change[Basket]:
        assert basket is not None
        return Change(basket, answer={"already": True})

    assert (await home.store().change(Basket, "a", already, op=OP)).version == 1
    outcome = await (await home.restarted()).change(Basket, "a", Fill(), op=OP)
    assert (outcome.applied, outcome.answer, outcome.version) == (False, {"already": True}, 1)


async def test_a_refused_request_decides_afresh_when_it_comes_again(store: Store) -> None:
    await store.change(Basket, "a", put(Basket(id="a")))
    with pytest.raises(BasketFull):
        await store.change(Basket, "a", refuse, op=OP)
    assert (await store.change(Basket, "a", Fill(), op=OP)).applied


async def test_a_request_that_was_met_is_not_stale_when_it_comes_again(store: Store) -> None:
    await store.change(Basket, "a", Fill())
    await store.change(Basket, "a", Fill(), op=OP, expect=1)
    again = await store.change(Basket, "a", Fill(), op=OP, expect=1)
    assert (again.applied, again.answer, again.version) == (False, {"count": 2}, 2)


async def test_a_request_and_a_message_are_noted_in_one_write(store: Store) -> None:
    await store.change(Basket, "a", Fill(), op=OP, cause=heard(1))
    assert not (await store.change(Basket, "a", Fill(), op=OP)).applied
    assert not (await store.change(Basket, "a", Fill(), cause=heard(1))).applied


async def test_answers_are_kept_for_a_day_however_many_there_are(store: Store, clock: FixedClock) -> None:
    for n in range(100):
        await store.change(Basket, "a", Fill(), op=Op(f"key-{n}", "body"))
    clock.advance(23 * 3600)
    await store.change(Basket, "a", Fill(), op=OP)
    assert (await store.change(Basket, "a", Fill(), op=Op("key-0", "body"))).answer == {"count": 1}


async def test_old_answers_are_forgotten_when_there_are_many(store: Store, clock: FixedClock) -> None:
    for n in range(64):
        await store.change(Basket, "a", Fill(), op=Op(f"key-{n}", "body"))
    clock.advance(25 * 3600)
    assert not (await store.change(Basket, "a", Fill(), op=Op("key-0", "body"))).applied
    await store.change(Basket, "a", Fill(), op=OP)
    assert (await store.change(Basket, "a", Fill(), op=Op("key-0", "body"))).applied


async def test_no_more_than_256_answers_are_kept_the_newest(store: Store, clock: FixedClock) -> None:
    for n in range(257):
        clock.advance(0.001)
        await store.change(Basket, "a", Fill(), op=Op(f"key-{n}", "body"))
    assert not (await store.change(Basket, "a", Fill(), op=Op("key-1", "body"))).applied
    assert (await store.change(Basket, "a", Fill(), op=Op("key-0", "body"))).applied
