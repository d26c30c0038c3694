"""Many at once: five hundred who say yes to one seat, needs by the hundred, messages twice and out of order."""

from __future__ import annotations

import asyncio
import random

from services.matching.domain.words import Answer, MatchStatus
from shared.contracts import Message
from shared.contracts.matching import MatchMade, OffersWithdrawn, SeatFilled, SeatsOffered, SeatWon
from shared.contracts.needs import NeedPosted
from shared.contracts.resources import HoldConfirmed, HoldPlaced
from shared.contracts.vocabulary import DeclineReason
from shared.contracts.volunteers import InvitationAccepted, InvitationDeclined
from tests.services.matching_desk import NEED, Desk, a_line, a_need, desk, hold_event, ids, some_goods


async def at_once(d: Desk, messages: list[Message]) -> None:
    """All of these handled side by side, then whatever follows."""
    attempt = d.w.unit.loop.dispatch.attempt
    rows = [(row, m) for m in messages for row in d.w.service.handlers if isinstance(m.data, row.event)]
    await asyncio.gather(*(attempt(row, message) for row, message in rows))
    await d.w.settle()


async def test_five_hundred_say_yes_at_once_and_exactly_one_wins() -> None:
    async with desk(first_wave=500) as d:
        await d.knows_people(*(f"v{n}" for n in range(500)))
        await d.posts()
        everybody = d.asked()
        assert len(everybody) == 500
        yeses = [d.w.message(id, d.about(InvitationAccepted, id)) for id in everybody]
        random.Random(1).shuffle(yeses)
        await at_once(d, yeses)
        assert len(d.w.said(SeatWon)) == len(d.w.said(MatchMade)) == len(d.w.said(OffersWithdrawn)) == 1
        assert len({f.volunteer_id for f in d.w.said(SeatFilled)}) == 499
        answers = [asked.answer for asked in (await d.match()).asked.values()]
        assert (answers.count(Answer.WON), answers.count(Answer.FILLED)) == (1, 499)


async def test_a_hundred_needs_are_searched_for_side_by_side() -> None:
    async with desk(first_wave=3) as d:
        await d.knows_people(*(f"v{n}" for n in range(20)))
        await at_once(d, [d.w.message(f"n{n}", NeedPosted(spec=a_need())) for n in range(100)])
        assert sorted(len(offered.offers) for offered in d.w.said(SeatsOffered)) == [3] * 100
        assert {id for n in range(100) for id in d.asked(need=f"n{n}")} == {f"v{n}" for n in range(20)}


async def test_messages_that_come_twice_and_in_any_order_across_their_sources_end_the_same() -> None:
    for seed in range(20):
        r = random.Random(seed)
        async with desk(first_wave=4) as d:
            await d.knows_people("li", "wang", "zhao")
            await d.knows_lot("a", 3)
            await d.knows_lot("b", 3)
            await d.posts(a_line(seats=2), some_goods(quantity=6))
            told: list[list[Message]] = []
            for one in d.requests():
                placed = hold_event(HoldPlaced, one, expires_at=one.expires_at)
                confirmed = hold_event(HoldConfirmed, one, pick_up_by=one.expires_at)
                told.append([d.w.message(one.lot_id, placed), d.w.message(one.lot_id, confirmed)])
            for id in ("li", "wang"):
                told.append([d.w.message(id, d.about(InvitationAccepted, id))])
            no = d.about(InvitationDeclined, "zhao", reason=DeclineReason.NO_TIME)
            told.append([d.w.message("zhao", no)])
            while told:
                source = r.choice(told)
                for _ in range(r.choice([1, 2])):
                    await d.w.hears(source[0])
                del source[0]
                told = [left for left in told if left]
            match = await d.match()
            assert match.status == MatchStatus.MADE
            assert sorted(ids(d.w.said(MatchMade)[-1].seats)) == ["li", "wang"]
            assert (len(d.w.said(SeatWon)), len(d.w.said(SeatFilled))) == (2, 0)
            assert [h.quantity for h in d.w.said(MatchMade)[-1].holds] == [3, 3]


async def test_replaying_everything_changes_no_record() -> None:
    async with desk() as d:
        await d.knows_people("li", "wang")
        posted = d.w.message(NEED, NeedPosted(spec=a_need()))
        await d.w.hears(posted)
        yes, too_late = (d.w.message(id, d.about(InvitationAccepted, id)) for id in ("li", "wang"))
        await d.w.hears(yes, too_late)
        found = [await d.w.store.get(type(await d.match()), NEED), len(d.w.messages)]
        await d.w.hears(posted, yes, too_late)
        again = await d.w.store.get(type(await d.match()), NEED)
        before = found[0]
        assert again is not None and before is not None and not isinstance(before, int)
        assert (again.version, again.record, len(d.w.messages)) == (before.version, before.record, found[1])
