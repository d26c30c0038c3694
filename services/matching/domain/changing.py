"""Changing what is searched for while the search goes on."""

from __future__ import annotations

from collections.abc import Sequence

from services.matching.domain.award import ref_of, seat_released, withdraw, won
from services.matching.domain.keeping import goods_relined, kept_only, same_goods
from services.matching.domain.match import Match, PeopleState, in_crisis, is_named
from services.matching.domain.opening import open_search
from services.matching.domain.protecting import (
    nobody_is_sent,
    taken_from_the_public,
    with_whoever_stayed,
    without_whoever_stayed,
)
from services.matching.domain.resting import resumed, sooner
from services.matching.domain.scene import Scene
from services.matching.domain.searching import weighed, with_word
from services.matching.domain.settling import settled
from services.matching.domain.timing import is_pressing
from services.matching.domain.words import MAY_BE_ASKED_AGAIN, Answer, MatchStatus
from shared.contracts.base import Event
from shared.contracts.matching import OffersChanged
from shared.contracts.needs import NeedChanged
from shared.contracts.parts import NeedSpec, PeopleLine
from shared.contracts.vocabulary import Closing
from shared.records import Change


def change_need(match: Match | None, need_id: str, changed: NeedChanged, scene: Scene) -> Change[Match]:
    """Go on with the lines as they are now. Who was asked for a line that is no longer the same is told so; seats and
    holds of such a line are given back."""
    spec = changed.spec
    if match is None or match.spec is None:
        return open_search(match, need_id, spec, scene)
    mistaken = bool(match.stayed) and not changed.begun  # who stayed did so for a check-in that was undone
    if match.closed or (match.spec == spec and not mistaken):
        return Change(match)
    before = match.spec
    turned = is_named(spec) and not is_named(before)
    elsewhere = (spec.area, spec.cell, spec.category) != (before.area, before.cell, before.category)
    afresh = turned and not changed.begun
    match, events = (match, []) if afresh else _with_offers_as_now(match, spec, turned, elsewhere, scene)
    kept_people = {line.id for line in spec.people if not afresh and _same_people(line, before)}
    kept_goods = {line.id for line in spec.goods if same_goods(line, before, spec, match)}
    stays = {line.id for line in spec.people}
    for line_id in [id for id in match.people if id not in kept_people]:
        match, ended = _end_people(match, line_id, line_id in stays)
        events += ended
    if mistaken:
        match, let_go = without_whoever_stayed(match, scene)
        events += let_go
    other = afresh or spec.people != before.people or (mistaken and nobody_is_sent(match))
    match = match.but(spec=spec)
    match = with_whoever_stayed(match) if turned else match
    for line in spec.people:
        match, released = _seated(match, line, scene)
        events += released
    match, given_back = kept_only(match, kept_goods, before, scene)
    match = _relined(match, kept_goods, before, scene)
    if is_pressing(spec) and not is_pressing(before):
        match = _hurried(match, scene)
    match = sooner(match, scene)
    events += _told_anew(match, before, elsewhere)
    stays_short = kept_people | kept_goods
    match = match.but(diagnosis={id: why for id, why in match.diagnosis.items() if id in stays_short})
    change = _settled_as_it_is_now(match, scene, other, (*events, *given_back))
    return resumed(with_word(change, scene) if match.stalled else change, scene)


def _with_offers_as_now(
    match: Match, spec: NeedSpec, turned: bool, elsewhere: bool, scene: Scene
) -> tuple[Match, list[Event]]:
    """What was offered of lines that go on, offered anew to whom it is for now."""
    worse = in_crisis(spec) and not in_crisis(match.need)
    if turned:
        return taken_from_the_public(match, scene)
    if not (elsewhere or worse):
        return match, []
    match, events = _asked_anew(match, scene, elsewhere)
    return _with_whoever_a_crisis_may_reach(match) if worse else match, events


def _settled_as_it_is_now(match: Match, scene: Scene, other: bool, said: Sequence[Event]) -> Change[Match]:
    """Settled; if its people lines are `other` ones, nothing has gone ahead that does not go ahead now."""
    match = match.but(went_ahead=match.went_ahead and not other)
    change = settled(weighed(match, scene) if match.stalled else match, scene, *said)
    if other and change.record.status == MatchStatus.SEARCHING:
        # Said to be reopened, it counts as what it was before.
        return Change(change.record.but(went_ahead=False), *change.events)
    return change


def _relined(match: Match, kept_goods: set[str], before: NeedSpec, scene: Scene) -> Match:
    """The match with the lines of its need and no others."""
    people = {line.id: match.people[line.id] for line in match.need.people}
    gone = {id: max(s.opened, len(s.seats)) for id, s in match.people.items() if id not in people}
    match = match.but(people=people, numbers_used={**match.numbers_used, **gone})
    return goods_relined(match, kept_goods, before, scene)


def _same_people(line: PeopleLine, before: NeedSpec) -> bool:
    """Whether those who were asked for this line would still be asked the same."""
    old = next((other for other in before.people if other.id == line.id), None)
    if old is None:
        return False
    counts = {"seats": line.seats, "minimum": line.minimum, "required": line.required}
    return old.model_copy(update=counts) == line


def _end_people(match: Match, line_id: str, stays: bool) -> tuple[Match, list[Event]]:
    """The end of a line as it was: open offers withdrawn, seats given back. If the line `stays` with other facts, whoever
    has served by then has served it."""
    match, events = withdraw(match, line_id, Closing.CHANGED)
    state = match.people[line_id]
    events += [
        seat_released(match, line_id, number, holder)
        for number, holder in state.numbered
        if holder and holder not in match.done
    ]
    seats = [(number, holder) for number, holder in state.numbered if stays and holder in match.done]
    served = [holder for _, holder in seats]
    asked = {
        id: one._replace(answer=Answer.CHANGED) if one.line_id == line_id and id not in served else one
        for id, one in match.asked.items()
    }
    fresh = PeopleState(seats=state.seats, opened=state.opened).with_seats(seats, len(seats))
    return match.but(asked=asked).with_line(line_id, fresh), events


def _asked_anew(match: Match, scene: Scene, elsewhere: bool) -> tuple[Match, list[Event]]:
    """Whoever was asked was asked for another place or another matter, or in no crisis: those whose answer is awaited are
    told so, and the search begins again with the neighbours. Who said no, or let the time pass, has answered. A yes that
    is on its way to the same place is one still."""
    events = list[Event]()
    for line_id, state in match.people.items():
        match, withdrawn = withdraw(match, line_id, Closing.CHANGED)
        again = state.but(due_at=scene.now, ring=None, waves=0, dry=0) if state.free else state
        match = match.with_line(line_id, again)
        events += withdrawn
    return _answering(match, MAY_BE_ASKED_AGAIN if elsewhere else frozenset(), Answer.CHANGED), events


def _with_whoever_a_crisis_may_reach(match: Match) -> Match:
    """A crisis knows no budget and no quiet hours, which kept it from some of the few who may be asked; and who never
    answered an ordinary offer has not been asked in a crisis."""
    match = _answering(match, frozenset({Answer.REFUSED}), Answer.PASSED)
    return _answering(match, frozenset({Answer.EXPIRED}), Answer.CHANGED)


def _answering(match: Match, these: frozenset[Answer], answer: Answer) -> Match:
    """The match in which all of these answers are this one."""
    asked = {
        id: one._replace(answer=answer) if one.answer in these else one for id, one in match.asked.items()
    }
    return match.but(asked=asked)


def _told_anew(match: Match, before: NeedSpec, elsewhere: bool) -> list[Event]:
    """The seats that are still to be served, said again with what has changed about them; and to those whose answer is
    awaited how urgent it is now."""
    another = match.need.urgency != before.urgency
    if not (elsewhere or another):
        return []
    seats: list[Event] = [
        won(match, line_id, holder)
        for line_id, state in match.people.items()
        for holder in state.seats
        if holder and holder not in match.done
    ]
    open_ = tuple(ref_of(id) for id, one in match.asked.items() if one.answer == Answer.ASKED)
    offers = [OffersChanged(urgency=match.need.urgency, invitations=open_)] if another and open_ else []
    return [*seats, *offers]


def _seated(match: Match, line: PeopleLine, scene: Scene) -> tuple[Match, list[Event]]:
    """The line with as many seats as are asked for now; who sat on one too many is let go, the last first."""
    state = match.people.get(line.id)
    if state is None:
        fresh = PeopleState(seats=(), opened=match.numbers_used.get(line.id, 0), due_at=scene.now)
        return match.with_line(line.id, fresh.with_seats([], line.seats)), []
    resized = _resized(state, line.seats, match.done)
    seats, events = resized.seats, list[Event]()
    for number, holder in state.numbered:
        if holder and holder not in seats and holder not in match.done:
            events.append(seat_released(match, line.id, number, holder))
            match = match.with_answer(holder, match.asked[holder]._replace(answer=Answer.CHANGED))
    due_at = state.due_at or (scene.now if "" in seats else None)
    match = match.with_line(line.id, resized.but(due_at=due_at))
    if "" not in seats:
        match, withdrawn = withdraw(match, line.id, Closing.FILLED)
        events += withdrawn
    return match, events


def _resized(state: PeopleState, wanted: int, done: tuple[str, ...]) -> PeopleState:
    """So many seats, or as many as have been served already. Each keeps its number; those served stay before those
    held, and these before free ones."""
    size = max(wanted, sum(holder in done for holder in state.seats))
    stay = sorted(state.numbered, key=lambda seat: (seat[1] not in done, seat[1] == ""))[:size]
    return state.with_seats(sorted(stay), size)


def _hurried(match: Match, scene: Scene) -> Match:
    """The match without the pauses that an ordinary need is given: what is short is searched for now."""
    people = {id: s.but(due_at=scene.now) if s.free else s for id, s in match.people.items()}
    goods = {id: s.but(due_at=scene.now) if s.due_at and not s.rests else s for id, s in match.goods.items()}
    return match.but(people=people, goods=goods)
