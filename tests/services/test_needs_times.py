"""Until when a need is worth waiting for, and what is no longer noted once it is over."""

from __future__ import annotations

from datetime import timedelta

from shared.contracts.needs import SearchAsked
from tests.services import needs_desk as k
from tests.services.needs_desk import TEN, desk, goods, people
from tests.world import START

NEXT_DAY = TEN + timedelta(days=1)


async def test_a_need_that_never_went_ahead_lapses_when_the_first_of_its_visits_begins() -> None:
    async with desk() as d:
        need_id = await d.posts(people(), people(start_at=NEXT_DAY))
        await d.w.passes(hours=1)
        await d.hears((need_id, k.stalled(d.w.clock.now() + timedelta(hours=1))))
        assert await d.course(need_id) == ("lapsed", None)


async def test_a_need_that_went_ahead_is_not_kept_open_for_a_visit_that_may_stay_empty() -> None:
    async with desk() as d:
        need_id = await d.posts(people(), people(start_at=NEXT_DAY, required=False, minimum=0))
        await d.hears((need_id, k.won()), (need_id, k.partly(k.taken())))
        await d.hears(k.withdrawn(need_id), (need_id, k.reopened()))
        await d.w.passes(hours=1)
        await d.hears((need_id, k.stalled(d.w.clock.now() + timedelta(hours=1))))
        assert await d.course(need_id) == ("lapsed", None)


async def test_a_search_that_said_when_it_goes_on_is_not_asked_before_because_another_body_said_nothing() -> (
    None
):
    async with desk() as d:
        need_id = await d.posts(people(start_at=START + timedelta(days=20)))
        await d.hears((need_id, k.progressed(START + timedelta(hours=4))))
        ask = {"organisation_id": "hands", "answer_by": (START + timedelta(hours=2)).isoformat()}
        await d.made("staff", f"POST /needs/{need_id}/refer", ask)
        await d.w.passes(hours=3)
        assert await d.course(need_id) == ("matching", "answers")
        assert d.w.said(SearchAsked) == []


async def test_goods_that_are_there_do_not_make_it_a_need_that_went_ahead() -> None:
    async with desk() as d:
        need_id = await d.posts(people(), people(start_at=NEXT_DAY), goods())
        await d.hears((need_id, k.partly(holds=(k.held(),))))
        await d.w.passes(hours=1)
        await d.hears((need_id, k.stalled(d.w.clock.now() + timedelta(hours=1))))
        assert await d.course(need_id) == ("lapsed", None)


async def test_whoever_gave_the_seat_back_is_not_counted_among_those_who_are_enough() -> None:
    async with desk() as d:
        need_id = await d.posts(people(2))
        await d.hears((need_id, k.won()), (need_id, k.won("wang")), k.withdrawn(need_id, "wang"))
        await d.w.passes(hours=1)
        await d.hears((need_id, k.stalled(d.w.clock.now() + timedelta(hours=1))))
        assert await d.course(need_id) == ("lapsed", None)


async def test_that_nobody_answered_is_not_noted_any_more_once_the_need_is_over() -> None:
    async with desk(confirm_seconds=3600) as d:
        need_id = await d.posts()
        await d.hears((need_id, k.won()), (need_id, k.made(k.taken())))
        await d.w.passes(hours=1)
        await d.hears(k.checked_in(need_id), k.done(need_id))
        await d.w.passes(hours=1)
        assert (await d.course(need_id))[0] == "completed"
        late = await d.ask("staff", f"POST /needs/{need_id}/attempt", {"channel": "phone"})
        assert late.status_code == 409 and late.json()["type"].endswith("need-closed")


async def test_a_need_is_searched_for_again_as_soon_as_a_seat_is_given_back() -> None:
    """Whichever word comes first: the calendar's or the match's."""
    async with desk() as d:
        need_id = await d.posts()
        await d.hears((need_id, k.won()), (need_id, k.made(k.taken())))
        assert (await d.course(need_id))[0] == "matched"
        await d.hears(k.withdrawn(need_id))
        assert (await d.course(need_id))[0] == "matching"


async def test_nobody_is_missed_while_the_one_who_came_is_still_there() -> None:
    async with desk() as d:
        need_id = await d.posts()
        await d.hears((need_id, k.won()), (need_id, k.made(k.taken())))
        await d.w.passes(hours=1)
        await d.hears(k.checked_in(need_id))
        await d.w.passes(hours=2, minutes=29)
        assert await d.course(need_id) == ("in_service", "service")
        await d.w.passes(minutes=2)
        assert await d.course(need_id) == ("in_service", "coordinator"), (
            "half an hour after the end somebody looks"
        )
