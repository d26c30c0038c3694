"""When all has been heard, nobody contradicts anybody: what needs, searches, calendars and lots say of each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from services.matching.domain.match import Match, lines
from services.matching.domain.timing import SHORTEST_PAUSE, is_over
from services.matching.domain.words import Answer, MatchStatus, Phase
from services.needs.domain.need import Need
from services.resources.domain.records import Hold, Lot
from services.volunteers.domain.calendar import Invitation
from shared.contracts.parts import GoodsLine
from shared.contracts.vocabulary import Audience, Field, HoldStatus, InvitationStatus, TaskStatus, is_crisis
from tests.simulation.stories import Story
from tests.simulation.test_replay import is_clean
from wushe.check.needs import no_need_is_forgotten

PHASES = {
    HoldStatus.HELD: (Phase.HELD, Phase.CONFIRMING),
    HoldStatus.CONFIRMED: (Phase.CONFIRMED,),
    HoldStatus.ISSUED: (Phase.ISSUED,),
    HoldStatus.RECEIVED: (Phase.RECEIVED,),
}
KEPT = PHASES.keys() - {HoldStatus.HELD}


async def all_agree(story: Story) -> None:
    await is_clean(story.t)
    matches = {found.record.id: found.record for found in await story.all_of("matching", Match)}
    for found in await story.needs():
        need = found.record
        assert list(no_need_is_forgotten(need, story.t.clock.now())) == []
        if need.posted_at is not None and not need.ended:
            need_and_search_agree(need, matches[need.id], story.t.clock.now())
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
    needs = {found.record.id: found.record for found in await story.needs()}
    for need in needs.values():
        if need.posted_at is not None:
            need_and_stock_agree(need, matches[need.id], holds)
    for lot in await story.lots():
        lot_and_needs_agree(lot.record, needs, matches, story.t.clock.now())
    for _, invitation in await story.invitations():
        invitation_and_need_agree(invitation, needs[invitation.need_id])


def need_and_search_agree(need: Need, match: Match, now: datetime) -> None:
    made = match.status == MatchStatus.MADE
    assert made or match.due_at is not None, "the search sleeps for ever"
    assert need.complete == made
    holders = {holder for line in match.people.values() for holder in line.seats if holder}
    assert {seat.invitation_id for seat in need.seats} == holders
    assert not made or all(seat.made for seat in need.seats), "a door is closed to somebody who is to come"
    spec = match.need
    assert (need.people, need.goods) == (spec.people, spec.goods)
    assert (need.audience, need.area, need.category) == (spec.audience, spec.area, spec.category)
    assert need.target_groups == spec.target_groups
    protected = need.minor or need.field is Field.CHILDREN or is_crisis(need.category, need.urgency)
    assert need.audience is Audience.NAMED or not protected
    assert not made or all(map(match.is_full, lines(spec)))
    assert all(hold.phase != Phase.CONFIRMING for hold in match.holds.values()), "an answer that never came"
    for line in spec.people:
        state, start_at = match.people[line.id], line.window.start_at
        if state.free and start_at > now + timedelta(seconds=SHORTEST_PAUSE):
            assert state.due_at is not None and state.due_at <= start_at, "nobody looks again in time"
    for goods in spec.goods:
        looks_again = match.goods[goods.id].due_at is not None or is_over(match, goods, now)
        assert looks_again or match.promised(goods.id) >= goods.quantity, "nobody looks for what is short"


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


def lot_and_needs_agree(
    lot: Lot, needs: Mapping[str, Need], matches: Mapping[str, Match], now: datetime
) -> None:
    """What is kept is good, is what was asked for, and is to be fetched when everybody says it is."""
    for id, hold in lot.holds.items():
        if not hold.promised:
            continue
        need, good_until = needs[hold.need_id], lot.good_until(hold.zone)
        line = next((line for line in need.goods if line.id == hold.line_id), None)
        assert not need.ended and line is not None, "kept for nothing"
        assert good_until is None or good_until > now, "kept past its expiry"
        fits(lot, line)
        asked = hold.asked
        assert asked is None or (asked.category, asked.area) == (need.category, need.area)
        promised = hold.status is HoldStatus.CONFIRMED  # before the file was corrected
        assert asked is None or promised or asked.target_groups == need.target_groups
        if hold.status is HoldStatus.CONFIRMED:
            match = matches[need.id]
            told = match.status in (MatchStatus.MADE, MatchStatus.PARTLY_MADE)
            shown = [goods.pick_up_by for goods in need.held_goods if told and goods.hold_id == id]
            assert match.holds[id].pick_up_by == hold.pick_up_by, "fetched too late"
            assert shown in ([], [hold.pick_up_by]), "shown to be fetched too late"


def fits(lot: Lot, line: GoodsLine) -> None:
    assert (line.category, line.unit) == (lot.category, lot.unit)
    assert line.attributes.items() <= lot.attributes.items()
    assert "batch" not in lot.attributes or "batch" in line.attributes


def invitation_and_need_agree(invitation: Invitation, need: Need) -> None:
    """Whoever is asked, or is to come, knows the time, the place and the matter as they are."""
    to_come = invitation.task is not None and invitation.task.status is TaskStatus.TAKEN
    asked = invitation.status is InvitationStatus.PENDING
    if need.ended or not (to_come or asked):
        return
    (window,) = [line.window for line in need.people if line.id == invitation.line_id]
    assert (invitation.window, invitation.area) == (window, need.area)
    if asked:
        named = need.audience is Audience.NAMED
        assert (invitation.category, invitation.named) == (need.category, named)
