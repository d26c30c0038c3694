"""When a part of a need goes ahead, and when nothing of it does any more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.matching.domain.words import MatchStatus
from shared.contracts.matching import (
    HoldRequested,
    MatchMade,
    MatchPartlyMade,
    MatchReopened,
    SearchProgressed,
)
from shared.contracts.needs import NeedCancelled, NeedChanged
from shared.contracts.parts import Window
from shared.contracts.resources import LotIssued
from shared.contracts.vocabulary import CancelReason, Closing, Ring, Skill, Urgency
from tests.services.matching_desk import (
    NEED,
    NEXT_COUNTY,
    NEXT_TOWNSHIP,
    TOMORROW,
    a_line,
    a_need,
    desk,
    hold_event,
    ids,
    some_goods,
)

IN_THREE_DAYS = Window(
    start_at=TOMORROW.start_at + timedelta(days=2), end_at=TOMORROW.end_at + timedelta(days=2)
)


@pytest.mark.parametrize("handed_over", [True, False])
async def test_once_something_was_handed_over_a_missed_visit_does_not_hold_the_later_ones_back(
    handed_over: bool,
) -> None:
    async with desk(wave_seconds=600) as d:
        await d.knows_lot("rice")
        await d.knows_people("li", hours=tuple(range(3 * 24, 4 * 24)))
        await d.posts(a_line("p1"), a_line("p2", window=IN_THREE_DAYS), some_goods())
        await d.accepts("li", line_id="p2")
        (one,) = d.requests()
        await d.places(one)
        if handed_over:
            await d.w.hears((one.lot_id, hold_event(LotIssued, one)))
        await d.w.passes(hours=23)
        assert d.w.said(MatchPartlyMade) == [], "somebody may still come to the first"
        await d.w.passes(hours=2)
        assert [ids(made.seats) for made in d.w.said(MatchPartlyMade)] == ([["li"]] if handed_over else [])


@pytest.mark.parametrize("required", [True, False])
async def test_whoever_has_to_leave_does_not_wait_for_goods_that_are_not_required_to_be_confirmed(
    required: bool,
) -> None:
    """As while the charities' service is down."""
    async with desk() as d:
        await d.knows_lot("rice")
        await d.knows_people("li")
        rice = some_goods(required=required)
        await d.posts(a_line(required=False), rice)
        (one,) = d.requests()
        await d.places(one)
        await d.accepts("li")
        assert d.w.said(MatchPartlyMade) == [], "the goods are about to be confirmed"
        await d.w.passes(seconds=(TOMORROW.start_at - d.w.clock.now()).total_seconds() - 1700)
        told = [[(seat.volunteer_id, seat.sent) for seat in said.seats] for said in d.w.said(MatchPartlyMade)]
        assert told == ([] if required else [[("li", True)]])
        await d.confirms(one)
        assert [ids(made.seats) for made in d.w.said(MatchMade)] == [["li"]]


async def test_a_search_that_has_ended_is_never_woken_again() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.posts(a_line("p1"), a_line("p2", seats=2), some_goods())
        assert (await d.match()).stalled, "there are no goods"
        await d.w.hears((NEED, NeedCancelled(site_id="east", reason=CancelReason.SOLVED)))
        match = await d.match()
        assert (match.due_at, match.stalled) == (None, False)


@pytest.mark.parametrize(("urgency", "asked"), [(Urgency.ORDINARY, 1), (Urgency.URGENT, 2)])
async def test_where_time_presses_the_next_are_asked_sooner(urgency: Urgency, asked: int) -> None:
    async with desk(first_wave=1, wave_growth=1, wave_seconds=600, urgent_wave_seconds=120) as d:
        await d.knows_people("li", "wang", "zhao")
        await d.posts(urgency=urgency)
        await d.w.passes(minutes=3)
        assert len(d.asked()) == asked


async def test_a_lot_that_says_nothing_is_asked_for_as_long_as_the_need_is_open() -> None:
    """Only a release is given up one day: then too much is held, and never too little."""
    async with desk(hold_seconds=10**6, wave_seconds=10**6, tier_seconds=10**6) as d:
        await d.knows_lot("rice")
        await d.posts(some_goods())
        await d.w.passes(days=1)
        asked = len(d.w.said(HoldRequested))
        await d.w.passes(hours=2)
        assert len(d.w.said(HoldRequested)) > asked


async def test_a_part_is_not_enough_before_the_first_waves_time_though_the_next_goes_out_sooner() -> None:
    async with desk(first_wave=1, wave_growth=1, wave_seconds=600) as d:
        await d.knows_people("li", "wang", "zhao", "chen")
        await d.posts(a_line(seats=2, minimum=1))
        first, second = d.asked()
        await d.accepts(first)
        await d.declines(second)
        assert len(d.asked()) == 3
        await d.w.passes(minutes=9)
        assert d.w.said(MatchPartlyMade) == []
        await d.w.passes(minutes=2)
        assert [ids(made.seats) for made in d.w.said(MatchPartlyMade)] == [[first]]


async def test_a_part_that_is_enough_no_longer_is_said_to_be_open_again() -> None:
    async with desk(wave_seconds=600) as d:
        await d.knows_people("li")
        await d.posts(a_line(seats=2, minimum=1))
        await d.accepts("li")
        await d.w.passes(minutes=11)
        assert [ids(made.seats) for made in d.w.said(MatchPartlyMade)] == [["li"]]
        await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(seats=2, minimum=2)))))
        (reopened,) = d.w.said(MatchReopened)
        assert (reopened.reason, ids(reopened.seats)) == (Closing.CHANGED, ["li"])
        assert (await d.match()).status == MatchStatus.SEARCHING


async def test_a_search_says_how_far_it_has_gone_for_any_of_its_lines() -> None:
    async with desk() as d:
        await d.knows_people("li")
        await d.knows_people("wang", area=NEXT_TOWNSHIP, skills=(Skill.ERRANDS,))
        await d.posts(a_line("p1"), a_line("p2", skills=(Skill.ERRANDS,)))
        assert (d.asked("p1"), d.asked("p2")) == (["li"], ["wang"])
        assert d.w.said(SearchProgressed)[-1].ring == Ring.COUNTY


async def test_a_need_that_went_ahead_once_has_gone_ahead_whatever_is_missing_later() -> None:
    async with desk(first_wave=1) as d:
        await d.knows_people("li", "wang")
        await d.posts(a_line("p1"), a_line("p2", window=IN_THREE_DAYS))
        (first,), (last,) = d.asked("p1"), d.asked("p2")
        await d.accepts(first)
        await d.accepts(last, line_id="p2")
        await d.withdraws(last, line_id="p2")
        await d.declines(*d.asked("p2")[1:], line_id="p2")
        await d.w.passes(hours=23, minutes=40)
        assert [ids(made.seats) for made in d.w.said(MatchPartlyMade)][-1] == [first]
        assert (await d.match()).went_ahead


@pytest.mark.parametrize(("allow_partial", "held"), [(True, [3]), (False, [])])
async def test_a_station_that_serves_nobody_in_part_holds_nothing_that_is_not_enough(
    allow_partial: bool, held: list[int]
) -> None:
    async with desk(allow_partial=allow_partial) as d:
        await d.knows_lot("rice", 3)
        await d.posts(some_goods(quantity=5, minimum=1))
        await d.places(*d.requests())
        await d.w.passes(hours=1)
        assert [one.quantity for one in d.requests()] == held


async def test_a_part_that_goes_ahead_goes_ahead_though_a_lot_for_the_rest_is_refused() -> None:
    async with desk(wave_seconds=600) as d:
        await d.knows_people("li")
        await d.posts(a_line(), some_goods(required=False))
        await d.accepts("li")
        await d.w.passes(minutes=11)
        assert [ids(made.seats) for made in d.w.said(MatchPartlyMade)] == [["li"]]
        await d.knows_lot("rice")
        await d.w.passes(hours=1)
        await d.refuses(d.requests()[0])
        assert d.w.said(MatchReopened) == []
        assert (await d.match()).status == MatchStatus.PARTLY_MADE


async def test_goods_come_from_the_county_and_no_further_while_it_is_the_stations_search() -> None:
    async with desk(tier_seconds=7200) as d:
        await d.knows_lot("far", area=NEXT_COUNTY[:6])
        await d.posts(some_goods())
        await d.w.passes(minutes=110)
        assert d.requests() == []
        await d.w.passes(hours=2)
        assert [one.lot_id for one in d.requests()] == ["far"]
