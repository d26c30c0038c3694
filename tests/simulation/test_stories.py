"""Whatever people do, in whatever order, and however slow the news: when all has been heard, nothing contradicts."""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest

from services.matching.domain.match import Match
from services.matching.domain.words import Answer, MatchStatus, Phase
from services.needs.domain.need import Need
from services.resources.domain.records import Hold
from services.volunteers.service import invitations
from shared.contracts.vocabulary import HoldStatus, InvitationStatus
from tests.simulation.lives import Lives
from tests.simulation.slow import SlowBus, Weather
from tests.simulation.stories import Story
from tests.simulation.test_replay import is_clean
from tests.town import town
from wushe.check.needs import no_need_is_forgotten

FIRST, COUNT = int(os.environ.get("STORY", "0")), int(os.environ.get("STORIES", "3"))
"""`STORY=100 STORIES=50` plays others, and more of them."""

PHASES = {
    HoldStatus.HELD: (Phase.HELD, Phase.CONFIRMING),
    HoldStatus.CONFIRMED: (Phase.CONFIRMED,),
    HoldStatus.ISSUED: (Phase.ISSUED,),
    HoldStatus.RECEIVED: (Phase.RECEIVED,),
}
KEPT = PHASES.keys() - {HoldStatus.HELD}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
async def test_whatever_happens_and_however_slow_the_news_everybody_is_of_one_mind_in_the_end(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "PATIENCE", 0.0)
    weather = Weather(seed)
    async with town(seed, wrap=lambda bus: SlowBus(bus, weather)) as t:
        weather.now = t.clock.now
        story = Lives(t, seed, weather)
        await story.begins()
        for _ in range(2):
            weather.clear = False
            for _ in range(50):
                await story.happens()
            weather.clear = True
            await t.settle()
            await all_agree(story)
        await t.passes(days=4)
        await all_agree(story)


async def all_agree(story: Story) -> None:
    await is_clean(story.t)
    matches = {found.record.id: found.record for found in await story.all_of("matching", Match)}
    for found in await story.needs():
        need = found.record
        assert list(no_need_is_forgotten(need, story.t.clock.now())) == []
        if need.posted_at is not None and not need.ended:
            need_and_search_agree(need, matches[need.id])
    for _, invitation in await story.invitations():
        open_ = not matches[invitation.need_id].closed
        assert open_ or invitation.status is not InvitationStatus.PENDING, "asked for nothing"
    asked = {
        id
        for match in matches.values()
        for id, one in match.asked.items()
        if one.answer == Answer.ASKED and not match.closed
    }
    pending = {i.id for _, i in await story.invitations() if i.status is InvitationStatus.PENDING}
    assert asked == pending, "an answer is awaited that nobody was asked for"
    holds = await story.holds()
    stock_and_searches_agree(holds, matches.values())
    for found in await story.needs():
        if found.record.posted_at is not None:
            need_and_stock_agree(found.record, matches[found.record.id], holds)


def need_and_search_agree(need: Need, match: Match) -> None:
    made = match.status == MatchStatus.MADE
    assert made or match.due_at is not None, "the search sleeps for ever"
    assert need.complete == made
    holders = {holder for line in match.people.values() for holder in line.seats if holder}
    assert {seat.invitation_id for seat in need.seats} == holders
    assert not made or all(seat.made for seat in need.seats), "a door is closed to somebody who is to come"
    assert (need.people, need.goods) == (match.need.people, match.need.goods)


def stock_and_searches_agree(holds: dict[str, Hold], matches: Iterable[Match]) -> None:
    """What a lot keeps for a need its search knows of, and the other way round."""
    known = {id: hold.phase for match in matches for id, hold in match.holds.items()}
    kept = {id: hold.status for id, hold in holds.items() if hold.promised or hold.handed_over}
    assert known.keys() == kept.keys()
    assert all(known[id] in PHASES[status] for id, status in kept.items())


def need_and_stock_agree(need: Need, match: Match, holds: dict[str, Hold]) -> None:
    """A need, also one that is over, shows what lots keep for it and nothing else; and nothing is kept beyond what is
    missing, though more may have been handed over before the line was lowered."""
    shown = {(goods.hold_id, goods.quantity) for goods in need.held_goods}
    kept = {
        (id, hold.quantity) for id, hold in holds.items() if hold.need_id == need.id and hold.status in KEPT
    }
    told = match.status in (MatchStatus.MADE, MatchStatus.PARTLY_MADE)
    assert shown == kept if told else shown <= kept
    for line in () if need.ended else need.goods:
        of_line = [hold for hold in holds.values() if (hold.need_id, hold.line_id) == (need.id, line.id)]
        missing = line.quantity - sum(hold.handed_over for hold in of_line)
        assert sum(hold.promised for hold in of_line) <= max(0, missing)
