"""What a need makes of what it hears: each message becomes a fact, and the status is computed anew.

Every function here is a decision for `Store.change`. A fact that is older than the one kept changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from services.needs.domain.facts import HANDED_OVER, Goods, HoldFact, Search, Seat, TaskFact, Word
from services.needs.domain.gone_ahead import goes_ahead
from services.needs.domain.lifecycle import FIRST_WORD, PATIENCE, settle
from services.needs.domain.need import Need
from services.needs.domain.spec import spec
from shared.contracts import matching as m
from shared.contracts import volunteers as vol
from shared.contracts.base import Message
from shared.contracts.needs import NeedChanged
from shared.contracts.parts import SitePolicy
from shared.contracts.resources import (
    HoldConfirmed,
    HoldEvent,
    HoldReleased,
    LotIssued,
    LotReceived,
    LotReturned,
)
from shared.contracts.vocabulary import HoldStatus, TaskStatus, Waiting
from shared.records import Change

TASK_STATUS: dict[type[vol.CalendarEvent], TaskStatus] = {
    vol.TaskCheckedIn: TaskStatus.CHECKED_IN,
    vol.TaskCheckInUndone: TaskStatus.TAKEN,
    vol.TaskDone: TaskStatus.DONE,
    vol.TaskWithdrawn: TaskStatus.WITHDRAWN,
    vol.TaskNoShow: TaskStatus.NO_SHOW,
}
HOLD_STATUS: dict[type[HoldEvent], HoldStatus] = {
    HoldConfirmed: HoldStatus.CONFIRMED,
    LotIssued: HoldStatus.ISSUED,
    LotReceived: HoldStatus.RECEIVED,
    LotReturned: HoldStatus.RELEASED,
    HoldReleased: HoldStatus.RELEASED,
}
SAID: dict[type[m.MatchState], str] = {
    m.MatchMade: "made",
    m.MatchPartlyMade: "partly",
    m.MatchReopened: "reopened",
}


def hear_state(
    need: Need, event: m.MatchState, message: Message, now: datetime, policy: SitePolicy
) -> Change[Need]:
    """The match says what the need has: the newest such word replaces all before."""
    if message.sequence <= need.match.sequence:
        return Change(need)
    known = {s.invitation_id: s.made for s in need.match.seats}
    reopened = isinstance(event, m.MatchReopened)
    seats = tuple(
        Seat(
            invitation_id=s.invitation_id,
            volunteer_id=s.volunteer_id,
            line_id=s.line_id,
            window=s.window,
            made=known.get(s.invitation_id, reopened) or (s.sent and not reopened),
        )
        for s in event.seats
    )
    goods = tuple(
        Goods(
            hold_id=h.hold_id,
            lot_id=h.lot_id,
            line_id=h.line_id,
            quantity=h.quantity,
            pick_up_by=h.pick_up_by,
        )
        for h in event.holds
    )
    word = _replaced(need.match, seats, message).model_copy(
        update={"said": SAID[type(event)], "goods": goods, "heard_at": now}
    )
    search = _begun_again(need.search, now) if reopened else _talked(need.search)
    went_ahead = need.went_ahead or goes_ahead(need, seats)
    return settle(need, need.but(match=word, search=search, went_ahead=went_ahead), now, policy)


def hear_won(
    need: Need, event: m.SeatWon, message: Message, now: datetime, policy: SitePolicy
) -> Change[Need]:
    """A seat was won, or its verdict is repeated: then it stays what the match has made of it since."""
    if message.sequence <= need.match.sequence:
        return Change(need)
    made = any(s.made for s in need.match.seats if s.invitation_id == event.invitation_id)
    won = Seat(
        invitation_id=event.invitation_id,
        volunteer_id=event.volunteer_id,
        line_id=event.line_id,
        window=event.window,
        made=made,
    )
    others = (s for s in need.match.seats if s.invitation_id != event.invitation_id)
    word = _replaced(need.match, (*others, won), message)
    return settle(need, need.but(match=word, search=_talked(need.search)), now, policy)


def hear_released(
    need: Need, event: m.SeatReleased, message: Message, now: datetime, policy: SitePolicy
) -> Change[Need]:
    if message.sequence <= need.match.sequence:
        return Change(need)
    kept = tuple(s for s in need.match.seats if s.invitation_id != event.invitation_id)
    word = _replaced(need.match, kept, message)
    return settle(need, need.but(match=word, search=_talked(need.search)), now, policy)


def hear_search(
    need: Need,
    event: m.SearchProgressed | m.MatchStalled | m.MatchEscalated,
    message: Message,
    now: datetime,
    policy: SitePolicy,
) -> Change[Need]:
    """Matching says where the search stands and when it acts next: needs waits until then, and a little longer."""
    if need.search is None or message.sequence <= need.match.sequence:
        return Change(need)
    next_action_at = max(event.next_action_at, now)
    facts = _facts_of(need, event)
    facts |= {"heard": True, "asks": 0, "next_action_at": next_action_at, "ask_at": next_action_at + PATIENCE}
    word = need.match.model_copy(update={"sequence": message.sequence, "said_at": message.time})
    return settle(need, need.but(search=need.search.model_copy(update=facts), match=word), now, policy)


def hear_task(
    need: Need, event: vol.CalendarEvent, message: Message, now: datetime, policy: SitePolicy
) -> Change[Need]:
    """A calendar says how a task stands. It is kept even if the match has not yet said whose seat that is."""
    known = need.tasks.get(event.invitation_id)
    if known is not None and message.sequence <= known.sequence:
        return Change(need)
    fact = TaskFact(
        volunteer_id=message.subject,
        line_id=event.line_id,
        status=TASK_STATUS[type(event)],
        sequence=message.sequence,
        at=message.time,
        minutes=event.minutes if isinstance(event, vol.TaskDone) else 0,
    )
    after = need.but(tasks={**need.tasks, event.invitation_id: fact})
    if not after.public_stayed or after.begun:
        return settle(need, after, now, policy)
    # Nobody had begun after all: who of the public kept a seat for that does not keep it.
    anew = after.but(public_stayed=False, went_ahead=False)
    return settle(need, anew, now, policy, *([] if anew.ended else [NeedChanged(spec=spec(anew))]))


def hear_hold(
    need: Need, event: HoldEvent, message: Message, now: datetime, policy: SitePolicy
) -> Change[Need]:
    """A lot says that goods were handed over, signed for, came back, or are no longer kept."""
    known = need.holds.get(event.hold_id)
    if known is not None and (message.sequence <= known.sequence or _says_less(known, event)):
        return Change(need)
    fact = HoldFact(
        lot_id=message.subject,
        charity_id=event.state.charity_id,
        line_id=event.line_id,
        quantity=event.quantity,
        status=HOLD_STATUS[type(event)],
        sequence=message.sequence,
        at=message.time,
    )
    return settle(need, need.but(holds={**need.holds, event.hold_id: fact}), now, policy)


def _says_less(known: HoldFact, event: HoldEvent) -> bool:
    """A lot that is asked once more says once more that it confirmed, also of what it has handed over since."""
    return isinstance(event, HoldConfirmed) and known.status in HANDED_OVER


def _replaced(word: Word, seats: tuple[Seat, ...], message: Message) -> Word:
    """The word with these seats; who lost theirs is remembered as a former holder."""
    holders = {s.volunteer_id for s in seats}
    former = {*word.former, *(s.volunteer_id for s in word.seats)} - holders
    return word.model_copy(
        update={
            "seats": seats, "sequence": message.sequence, "said_at": message.time, "former": tuple(sorted(former)),
        }
    )  # fmt: skip


def _talked(search: Search | None) -> Search | None:
    """The search after a word of matching that says nothing of its next action."""
    return search.model_copy(update={"heard": True, "asks": 0}) if search else None


def _begun_again(search: Search | None, now: datetime) -> Search | None:
    if search is None:
        return None
    begun = {"waiting": Waiting.SEARCH, "next_action_at": now + FIRST_WORD, "ask_at": now + FIRST_WORD}
    return search.model_copy(update={"heard": True, "asks": 0, **begun})


def _facts_of(need: Need, event: m.SearchProgressed | m.MatchStalled | m.MatchEscalated) -> dict[str, object]:
    """What is said of the search. Rings are for people; and a search that goes on is no longer stuck for the reasons
    that were given before."""
    match event:
        case m.SearchProgressed():
            ring = event.ring if need.people else None
            said = {"waiting": event.waiting, "wave": event.wave, "ring": ring, "asked": event.asked}
            return said | {"diagnosis": ()}
        case m.MatchStalled():
            ring = event.ring if need.people else None
            counted = {"wave": event.wave, "ring": ring, "asked": event.asked}
            known = {name: value for name, value in counted.items() if value is not None}
            return known | {"waiting": event.waiting, "diagnosis": event.diagnosis}
        case m.MatchEscalated():
            return {"hops": event.hops, "tier_site_id": event.to_site_id}
