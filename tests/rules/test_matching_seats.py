"""Whatever is heard, in whatever order: a seat has one holder, a yes one verdict, and nothing is forgotten."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.award import award, give_back, note_answer, note_done
from services.matching.domain.changing import change_need
from services.matching.domain.closing import close
from services.matching.domain.escalation import raise_tier
from services.matching.domain.holds import note_end, note_expiry, note_hold, note_refusal
from services.matching.domain.match import Match, lines, owner_of
from services.matching.domain.opening import open_search, say_where_it_stands
from services.matching.domain.planning import due_goods, due_people, is_too_late, too_late_plan
from services.matching.domain.scene import Scene, Station, Tier
from services.matching.domain.searching import wake
from services.matching.domain.wave import GoodsPlan, LotChoice, PeoplePlan, Wave, mark, wave_id
from services.matching.domain.words import HANDED_OVER, PROMISED, Answer, MatchStatus, Phase
from shared.contracts.base import Event
from shared.contracts.matching import MatchMade, SeatFilled, SeatReleased, SeatWon
from shared.contracts.needs import NeedChanged
from shared.contracts.parts import LotState, NeedSpec, Offer, SitePolicy
from shared.contracts.resources import (
    HoldConfirmed,
    HoldExpired,
    HoldPlaced,
    HoldRefused,
    HoldReleased,
    LotIssued,
    LotReceived,
    LotReturned,
)
from shared.contracts.vocabulary import Closing, DeclineReason, GoodsRule, ReturnReason, Ring, Rule, SiteKind
from shared.contracts.volunteers import (
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRefused,
    TaskDone,
    TaskNoShow,
    TaskWithdrawn,
)
from shared.errors import Refusal
from shared.records import Change
from tests.services.matching_desk import a_line, a_lot, a_need, some_goods

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
NEED = "n"
STATION = Station(
    SitePolicy(first_wave=2, wave_seconds=600, tier_seconds=3600),
    ZoneInfo("Asia/Shanghai"),
    (Tier("east", SiteKind.STATION, "522702102"), Tier("main", SiteKind.MAIN_STATION, "522702")),
)


class Story:
    """A match to which things happen by chance, and what must be true after each of them."""

    def __init__(self, seed: int, *, edits: bool) -> None:
        self.r = random.Random(seed)
        self.edits = edits
        self.now = START
        self.match: Match | None = None
        self.version = 0
        self.spec = a_need(a_line("p1", self.r.randint(1, 3)), a_line("p2", 1), some_goods("g1", 6))
        self.people = 0
        self.said: list[Event] = []
        self.holders: dict[str, str] = {}

    @property
    def scene(self) -> Scene:
        return Scene(self.now, lambda _: STATION)

    def happens(self) -> None:
        """Something that could come next, or be repeated, or come far too late."""
        step = self.r.choice(
            [self.hears_people, self.hears_people, self.hears_lots, self.hears_need, self.passes]
        )
        step()

    def applies(self, decide: Callable[[Match | None], Change[Match]]) -> Sequence[Event]:
        try:
            change = decide(self.match)
        except Refusal:
            return ()
        if change.record is not self.match or change.events:
            self.version += 1
        before, self.match = self.match, Match.model_validate_json(change.record.model_dump_json())
        assert self.match == change.record, "it comes back from the store as it went in"
        self.said += change.events
        self.holds_true(before, change.events)
        return change.events

    def hears_people(self) -> None:
        asked = list(self.match.asked) if self.match else []
        invitation = self.r.choice([*asked, *asked, "nobody~0"])
        line_id = self.match.asked[invitation].line_id if self.match and invitation in asked else "p1"
        facts: dict[str, Any] = {"invitation_id": invitation, "need_id": NEED, "line_id": line_id}
        match self.r.randrange(9):
            case 0 | 1 | 2:
                yes = InvitationAccepted(**facts, again=self.r.random() < 0.3)
                told = self.applies(lambda m: award(m, yes, self.scene))
                self.one_verdict(invitation, told)
            case 3:
                no = InvitationDeclined(**facts, reason=DeclineReason.OTHER)
                self.applies(lambda m: note_answer(m, no, Answer.DECLINED, self.scene))
            case 4:
                late = InvitationExpired(**facts)
                self.applies(lambda m: note_answer(m, late, Answer.EXPIRED, self.scene))
            case 5:
                refused = InvitationRefused(**facts, rule=Rule.CAP)
                self.applies(lambda m: note_answer(m, refused, Answer.REFUSED, self.scene))
            case 6:
                away = TaskWithdrawn(**facts, seat_id="?")
                self.free_up(invitation)
                self.applies(lambda m: give_back(m, away, self.scene))
            case 7:
                absent = TaskNoShow(**facts, seat_id="?")
                self.free_up(invitation)
                self.applies(lambda m: give_back(m, absent, self.scene))
            case _:
                if self.match and self.match.asked.get(invitation, ("", 0, None))[2] == Answer.WON:
                    done = TaskDone(
                        **facts, seat_id="?", household_id="h", started_at=START, ended_at=START, minutes=0
                    )
                    self.applies(lambda m: note_done(m, done, self.scene))

    def hears_lots(self) -> None:
        holds = list(self.match.holds) if self.match else []
        if not holds:
            return
        hold_id = self.r.choice(holds)
        assert self.match is not None
        hold = self.match.holds[hold_id]
        facts: dict[str, Any] = {
            "state": a_lot(), "hold_id": hold_id, "need_id": NEED, "line_id": hold.line_id, "quantity": hold.quantity,
        }  # fmt: skip
        match self.r.randrange(8):
            case 0 | 1:
                placed = HoldPlaced(**facts, expires_at=self.now)
                self.applies(lambda m: note_hold(m, placed, self.scene))
            case 2 | 3:
                confirmed = HoldConfirmed(**facts, pick_up_by=self.now)
                self.applies(lambda m: note_hold(m, confirmed, self.scene))
            case 4:
                refused = HoldRefused(**facts, rule=GoodsRule.QUANTITY)
                self.applies(lambda m: note_refusal(m, refused, self.scene))
            case 5:
                self.applies(lambda m: note_expiry(m, HoldExpired(**facts), self.scene))
            case 6:
                issued = self.r.choice([LotIssued, LotReceived])(**facts)
                self.applies(lambda m: note_hold(m, issued, self.scene))
            case _:
                ends: list[LotReturned | HoldReleased] = [
                    LotReturned(**facts, reason=self.r.choice([None, *ReturnReason])),
                    HoldReleased(**facts, reason=self.r.choice([Closing.BY_STAFF, Closing.NOT_NEEDED])),
                ]
                over = self.r.choice(ends)
                self.applies(lambda m: note_end(m, over, self.scene))

    def hears_need(self) -> None:
        match self.r.randrange(14):
            case 0:
                reason = self.r.choice([Closing.CANCELLED, Closing.LAPSED, Closing.COMPLETED])
                self.applies(lambda m: close(m, NEED, "east", reason, self.scene))
            case 1 | 2 if self.edits:
                self.spec = self.edited()
                self.applies(lambda m: change_need(m, NEED, NeedChanged(spec=self.spec), self.scene))
            case 3 | 4:
                self.applies(lambda m: say_where_it_stands(m, NEED, self.spec, self.scene))
            case _:
                self.applies(lambda m: open_search(m, NEED, self.spec, self.scene))

    def edited(self) -> NeedSpec:
        people = [a_line("p1", self.r.randint(1, 3), minimum=1)]
        if self.r.random() < 0.5:
            people.append(a_line("p2", 1))
        return a_need(*people, some_goods("g1", self.r.choice([3, 6, 9])))

    def passes(self) -> None:
        """Time passes, and the sweeper comes with what it finds."""
        self.now += timedelta(seconds=self.r.choice([1, 60, 700, 4000, 40_000]))
        if self.match is None or self.match.due_at is None or self.match.due_at > self.now:
            return
        before = self.match
        raised, _ = raise_tier(before, self.scene)
        wave = self.planned(raised) if before.spec and not before.closed else None
        self.applies(lambda m: wake(m or before, wave, self.scene))
        assert self.match.due_at is None or self.match.due_at > self.now, "a wake moves what was due"

    def planned(self, match: Match) -> Wave:
        people = tuple(
            too_late_plan(match, line, self.scene)
            if is_too_late(line, self.now)
            else PeoplePlan(line_id=line.id, ring=Ring.VILLAGE, wanted=2, offers=self.offers(match, line.id))
            for line in due_people(match, self.now)
        )
        goods = tuple(
            GoodsPlan(line_id=line.id, missing=1, choices=self.choices(match, line.id, line.quantity))
            for line in due_goods(match, self.now)
        )
        id = wave_id(NEED, self.version)
        return Wave(id=id, need_id=NEED, number=match.wave + 1, at=self.now, people=people, goods=goods)

    def offers(self, match: Match, line_id: str) -> tuple[Offer, ...]:
        digest, found = mark(NEED, line_id, match.wave + 1), []
        for _ in range(self.r.randint(0, 3)):
            self.people += 1
            found.append(Offer(invitation_id=f"v{self.people}~{digest}", volunteer_id=f"v{self.people}"))
        return tuple(found)

    def choices(self, match: Match, line_id: str, quantity: int) -> tuple[LotChoice, ...]:
        short = quantity - match.promised(line_id)
        if short <= 0 or self.r.random() < 0.2:
            return ()
        taken = self.r.randint(1, short)
        hold_id = f"lot~{mark(NEED, line_id, match.wave + 1)}"
        return (LotChoice(hold_id=hold_id, lot_id="lot", quantity=taken, available=9, ring=Ring.COUNTY),)

    def free_up(self, invitation: str) -> None:
        if self.match and invitation in self.match.done:
            return
        self.holders = {seat: holder for seat, holder in self.holders.items() if holder != invitation}

    def one_verdict(self, invitation: str, told: Sequence[Event]) -> None:
        """Every yes gets its verdict, unless the need is still to come."""
        verdicts = [e for e in told if isinstance(e, SeatWon | SeatFilled) and e.invitation_id == invitation]
        assert self.match is not None
        early = self.match.spec is None and not self.match.closed
        assert len(verdicts) == (0 if early else 1)

    def holds_true(self, before: Match | None, events: Sequence[Event]) -> None:
        assert self.match is not None
        match = self.match
        for event in events:
            if isinstance(event, SeatReleased):
                self.free_up(event.invitation_id)
            if isinstance(event, SeatWon):
                holder = self.holders.setdefault(event.seat_id, event.invitation_id)
                assert holder == event.invitation_id, f"{event.seat_id} has two holders"
        seated = [h for state in match.people.values() for h in state.seats if h]
        assert len(seated) == len(set(seated))
        assert all(match.asked[h].answer == Answer.WON for h in seated)
        assert {id for id, a in match.asked.items() if a.answer == Answer.WON} == set(seated)
        if match.spec is None:
            return
        if match.closed:
            assert all(h.phase in HANDED_OVER | {Phase.RELEASING} for h in match.holds.values())
            assert not any(a.answer == Answer.ASKED for a in match.asked.values())
            assert not any(state.due_at for state in match.people.values())
            return
        for line in match.spec.people:
            served = sum(holder in match.done for holder in match.people[line.id].seats)
            assert len(match.people[line.id].seats) == max(line.seats, served)
        for goods in match.spec.goods:
            promised = match.promised(goods.id)
            open_ = [h.quantity for h in match.holds.values() if h.phase in PROMISED - HANDED_OVER]
            assert not open_ or promised <= goods.quantity, "nothing is held that could be given back"
        full = all(match.is_full(line) for line in lines(match.spec))
        sure = not any(h.phase in (Phase.HELD, Phase.CONFIRMING) for h in match.holds.values())
        assert (match.status == MatchStatus.MADE) == (full and sure)
        assert full or match.due_at is not None, "a search that is not over has a next time"
        if match.status == MatchStatus.MADE and (before is None or before.status != MatchStatus.MADE):
            assert isinstance(next(e for e in reversed(events) if isinstance(e, MatchMade)), MatchMade)


@given(seed=st.integers(0, 10**9))
@settings(max_examples=150, deadline=None)
def test_a_seat_never_has_two_holders_whatever_is_heard(seed: int) -> None:
    story = Story(seed, edits=False)
    for _ in range(80):
        story.happens()


@given(seed=st.integers(0, 10**9))
@settings(max_examples=150, deadline=None)
def test_an_edited_need_keeps_every_promise_it_still_can(seed: int) -> None:
    story = Story(seed, edits=True)
    for _ in range(80):
        story.happens()


def _made_of(order: Sequence[int]) -> tuple[object, ...]:
    """The end of a story without races, heard in this order of its sources."""
    scene = Scene(START, lambda _: STATION)
    spec = a_need(a_line("p1", 2), some_goods("g1", 6))
    match = open_search(None, NEED, spec, scene).record
    offers = tuple(Offer(invitation_id=f"{v}~1", volunteer_id=v) for v in ("li", "wang", "zhao"))
    choices = tuple(
        LotChoice(hold_id=f"{lot}~1", lot_id=lot, quantity=3, available=3, ring=Ring.COUNTY)
        for lot in ("a", "b")
    )
    people = PeoplePlan(line_id="p1", ring=Ring.VILLAGE, wanted=4, offers=offers)
    goods = GoodsPlan(line_id="g1", missing=6, choices=choices)
    wave = Wave(id="w", need_id=NEED, number=1, at=START, people=(people,), goods=(goods,))
    match = wake(match, wave, scene).record

    def about(v: str) -> dict[str, str]:
        return {"invitation_id": f"{v}~1", "need_id": NEED, "line_id": "p1"}

    def held(lot: str) -> dict[str, Any]:
        state: LotState = a_lot()
        return {"state": state, "hold_id": f"{lot}~1", "need_id": NEED, "line_id": "g1", "quantity": 3}

    no = InvitationDeclined(**about("zhao"), reason=DeclineReason.OTHER)
    steps: list[Callable[[Match], Change[Match]]] = [
        lambda m: award(m, InvitationAccepted(**about("li")), scene),
        lambda m: award(m, InvitationAccepted(**about("wang")), scene),
        lambda m: note_answer(m, no, Answer.DECLINED, scene),
        lambda m: note_hold(m, HoldPlaced(**held("a"), expires_at=START), scene),
        lambda m: note_hold(m, HoldPlaced(**held("b"), expires_at=START), scene),
    ]
    for number in order:
        match = steps[number](match).record
    for lot in ("b", "a"):
        match = note_hold(match, HoldConfirmed(**held(lot), pick_up_by=START), scene).record
    seats = sorted(owner_of(holder) for holder in match.people["p1"].seats)
    answers = Counter(asked.answer for asked in match.asked.values() if asked.answer == Answer.WON)
    return match.status, seats, answers, {id: hold.phase for id, hold in match.holds.items()}, match.due_at


def test_a_story_without_races_ends_the_same_in_every_order() -> None:
    ends = [_made_of(order) for order in permutations(range(5))]
    assert all(end == ends[0] for end in ends)
    assert ends[0][0] == MatchStatus.MADE


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_whoever_comes_first_wins_and_the_other_is_told(order: tuple[int, int]) -> None:
    scene = Scene(START, lambda _: STATION)
    match = open_search(None, NEED, a_need(a_line()), scene).record
    offers = tuple(Offer(invitation_id=f"v{n}~1", volunteer_id=f"v{n}") for n in range(2))
    plan = PeoplePlan(line_id="p1", ring=Ring.VILLAGE, wanted=2, offers=offers)
    match = wake(match, Wave(id="w", need_id=NEED, number=1, at=START, people=(plan,)), scene).record
    told: list[Event] = []
    for number in order:
        yes = InvitationAccepted(invitation_id=f"v{number}~1", need_id=NEED, line_id="p1")
        change = award(match, yes, scene)
        match, told = change.record, [*told, *change.events]
    assert [e.volunteer_id for e in told if isinstance(e, SeatWon)] == [f"v{order[0]}"]
    assert [e.volunteer_id for e in told if isinstance(e, SeatFilled)] == [f"v{order[1]}"]
