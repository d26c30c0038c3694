"""A need that asks for fewer people than have a seat: the last are told not to come, whoever has served has served."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.contracts.matching import (
    HoldConfirmationRequested,
    MatchMade,
    OffersChanged,
    OffersWithdrawn,
    SeatFilled,
    SeatReleased,
    SeatWon,
)
from shared.contracts.needs import NeedChanged
from shared.contracts.parts import Window
from shared.contracts.vocabulary import Audience, Closing, Urgency
from shared.contracts.volunteers import VolunteerChanged
from tests.services.matching_desk import (
    NEED,
    TOMORROW,
    a_line,
    a_need,
    a_social_worker,
    desk,
    ids,
    some_goods,
)
from tests.world import START

ONE_SEAT = NeedChanged(spec=a_need(a_line(seats=1)))


async def test_who_sits_on_a_seat_too_many_is_told_not_to_come_the_last_first() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.posts(a_line(seats=2))
        await d.accepts("li", "wang")
        await d.w.hears((NEED, ONE_SEAT))
        told = [(s.volunteer_id, s.seat_id, s.reason) for s in d.w.said(SeatReleased)]
        assert told == [("wang", "p1/2", Closing.CHANGED)]
        assert ids(d.w.said(MatchMade)[-1].seats) == ["li"]
        await d.accepts("wang", again=True)
        assert [(f.volunteer_id, f.reason) for f in d.w.said(SeatFilled)] == [("wang", Closing.CHANGED)]


async def test_whoever_has_served_keeps_the_seat_when_there_are_fewer() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.posts(a_line(seats=2))
        await d.accepts("li", "wang")
        await d.serves("wang")
        await d.w.hears((NEED, ONE_SEAT))
        assert ids(d.w.said(SeatReleased)) == ["li"]
        assert ids(d.w.said(MatchMade)[-1].seats) == ["wang"]


async def test_who_has_not_answered_is_told_when_no_seat_is_left_of_what_they_were_asked_for() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang", "zhao")
        await d.posts(a_line(seats=2))
        await d.accepts("li")
        await d.w.hears((NEED, ONE_SEAT))
        (told,) = d.w.said(OffersWithdrawn)
        assert (told.reason, set(ids(told.invitations))) == (Closing.FILLED, {"wang", "zhao"})
        await d.accepts("wang")
        assert [(f.volunteer_id, f.reason) for f in d.w.said(SeatFilled)] == [("wang", Closing.FILLED)]
        assert d.w.said(SeatReleased) == []


async def test_the_number_of_a_seat_that_was_taken_away_is_never_used_again() -> None:
    """Who had it keeps a task that names it."""
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.posts()
        await d.accepts("li")
        for seats in (2, 1, 2, 1, 2):
            await d.w.hears((NEED, NeedChanged(spec=a_need(a_line(seats=seats)))))
        await d.accepts("wang")
        assert [w.seat_id for w in d.w.said(SeatWon)] == ["p1/1", "p1/4"]


async def test_when_nobody_had_begun_after_all_the_public_loses_the_seats_that_it_kept_for_that() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang")
        await d.posts()
        await d.accepts("li")
        for_a_child = a_need(audience=Audience.NAMED)
        await d.w.hears((NEED, NeedChanged(spec=for_a_child, begun=True)))
        assert d.w.said(SeatReleased) == []
        undone = NeedChanged(spec=for_a_child)
        await d.w.hears((NEED, undone), (NEED, undone))
        assert [(s.volunteer_id, s.reason) for s in d.w.said(SeatReleased)] == [("li", Closing.CHANGED)]
        match = await d.match()
        assert (match.went_ahead, match.stayed) == (False, ())


@pytest.mark.parametrize("confirmed", [True, False])
async def test_the_lot_hears_when_goods_are_needed_now_whether_or_not_it_has_confirmed_them(
    confirmed: bool,
) -> None:
    later = Window(start_at=TOMORROW.start_at + timedelta(days=5), end_at=TOMORROW.end_at + timedelta(days=5))
    async with desk() as d:
        await d.knows_people("li")
        await d.knows_lot("rice")
        await d.posts(a_line(), some_goods())
        (one,) = d.requests()
        await d.places(one)
        await d.accepts("li")
        if confirmed:
            await d.confirms(one)
        moved, same = a_need(a_line(window=later), some_goods()), a_need(a_line(seats=2), some_goods())
        await d.w.hears((NEED, NeedChanged(spec=same)), (NEED, NeedChanged(spec=moved)))
        asked = [(a.hold_id, a.good_on, a.pick_up_by) for a in d.w.said(HoldConfirmationRequested)]
        assert [good_on for _, good_on, _ in asked] == [START.date() + timedelta(days=d) for d in (1, 6)]
        assert asked[1][0] == one.hold_id and asked[1][2] == later.start_at


@pytest.mark.parametrize("urgency", [Urgency.URGENT, Urgency.CRISIS])
async def test_whoever_has_a_seat_hears_how_urgent_it_is_now(urgency: Urgency) -> None:
    named = Audience.NAMED
    async with desk() as d:
        await d.w.hears(("li", VolunteerChanged(state=a_social_worker())))
        await d.posts(audience=named)
        await d.accepts("li")
        await d.w.hears((NEED, NeedChanged(spec=a_need(audience=named, urgency=urgency))))
        assert [won.urgency for won in d.w.said(SeatWon)] == [Urgency.ORDINARY, urgency]
        assert d.w.said(SeatReleased) == []


@pytest.mark.parametrize(("urgency", "hear"), [(Urgency.URGENT, [["slow"]]), (Urgency.CRISIS, [])])
async def test_whoever_has_not_answered_hears_how_urgent_it_is_now_or_is_asked_anew_in_a_crisis(
    urgency: Urgency, hear: list[list[str]]
) -> None:
    named = Audience.NAMED
    async with desk() as d:
        for id in ("slow", "no"):
            await d.w.hears((id, VolunteerChanged(state=a_social_worker())))
        await d.posts(audience=named)
        await d.declines("no")
        noted = a_need(audience=named, posted_at=START - timedelta(days=1))
        await d.w.hears((NEED, NeedChanged(spec=noted)))
        assert d.w.said(OffersChanged) == [], "it is as urgent as before"
        await d.w.hears((NEED, NeedChanged(spec=noted.model_copy(update={"urgency": urgency}))))
        assert [ids(told.invitations) for told in d.w.said(OffersChanged)] == hear
        assert [told.urgency for told in d.w.said(OffersChanged)] == [urgency] * len(hear)
        assert len(d.w.said(OffersWithdrawn)) == (not hear)
