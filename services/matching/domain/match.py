"""The search for one need: its seats, who was asked, its holds, and its timers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple, Self

from pydantic import Field

from services.matching.domain.words import PROMISED, SECURED, Answer, MatchStatus, Phase
from shared.contracts import topics
from shared.contracts.base import Part, copied
from shared.contracts.parts import GoodsLine, LineDiagnosis, NeedSpec, PeopleLine
from shared.contracts.vocabulary import (
    Audience,
    Closing,
    GoodsRule,
    Ring,
    Waiting,
    is_crisis,
)
from shared.records import Record


class Value(Part):
    """A value inside the record."""

    def but(self, **changes: Any) -> Self:
        return copied(self, changes)


class Asked(NamedTuple):
    """One person asked for one line, in this wave; the invitation's id names the person.

    `answer` is an `Answer`, declared as text: a match with hundreds of them is written hundreds of times when they
    all answer at once, and text is written twice as fast.
    """

    line_id: str
    wave: int
    answer: str = Answer.ASKED


class PeopleState(Value):
    """How the search for a people line goes. `seats` holds the invitation that has each seat, "" for a free one.

    `numbers` are those of the seats, counted from 1 unless given; `opened` is how many were ever given out: no number
    is used again. `waves` counts those since a seat became free, `dry` those in a row that found nobody. `due_at` is when the next
    wave is due; None while nothing is to be searched for.
    """

    seats: tuple[str, ...]
    numbers: tuple[int, ...] = ()
    opened: int = 0
    ring: Ring | None = None
    waves: int = 0
    dry: int = 0
    due_at: datetime | None = None

    @property
    def free(self) -> int:
        return self.seats.count("")

    @property
    def won(self) -> int:
        return len(self.seats) - self.free

    @property
    def numbered(self) -> list[tuple[int, str]]:
        """The seats with their numbers."""
        numbers = self.numbers or range(1, len(self.seats) + 1)
        return list(zip(numbers, self.seats, strict=True))

    def with_seats(self, seats: list[tuple[int, str]], size: int) -> Self:
        """Those of its seats that stay, and new ones up to this size."""
        opened = max(self.opened, len(self.seats))
        new = range(opened + 1, opened + 1 + size - len(seats))
        return self.but(
            seats=(*(holder for _, holder in seats), *("" for _ in new)),
            numbers=(*(number for number, _ in seats), *new),
            opened=opened + len(new),
        )


class GoodsState(Value):
    """How the search for a goods line goes. `refused` are lots that are not to be asked again, and why. `came_back`: some of
    it had been handed over, and has not been found again. While it `rests` nothing brings its time forward but an edit; or,
    if it `yields` to others, that everything else is there; or, if it `waits` only because other goods were left to others,
    that the need is nearer or presses more. `unwanted`: it rests because nobody wants it, wherever they live."""

    refused: dict[str, GoodsRule] = Field(default_factory=dict)
    dry: int = 0
    due_at: datetime | None = None
    came_back: bool = False
    rests: bool = False
    yields: bool = False
    waits: bool = False
    unwanted: bool = False

    def awake(self, due_at: datetime | None) -> GoodsState:
        """It rests no longer."""
        return self.but(due_at=due_at, rests=False, yields=False, waits=False, unwanted=False)


class Hold(Value):
    """So much of a lot for a line. While an answer is awaited, `ask_at` is when it is asked for again."""

    line_id: str
    quantity: int
    phase: Phase = Phase.REQUESTED
    expires_at: datetime | None = None
    ask_at: datetime | None = None
    asks: int = 0
    reason: Closing | None = None
    pick_up_by: datetime | None = None


class Match(Record):
    """Everything about the search for one need; the id is the need's. Without a spec it is a stub: something was
    heard of it before the need.

    `asked` is by invitation, `holds` by hold. `tier_site_id` is the site that looks as well after `hops` escalations;
    `exhausted` when there is none left to raise it to. `partial` says that the first wave's time has passed, so that
    part of it may do; `went_ahead` that all that is required was there once and people were told. `told` is what was last
    said of seats and holds. `early` are accepts that came before the need, `stayed` those whose seats were kept, or had
    been served, when it became one for named people.
    """

    kind = "match"
    topic = topics.MATCH

    spec: NeedSpec | None = None
    status: MatchStatus = MatchStatus.SEARCHING
    closing: Closing | None = None
    people: dict[str, PeopleState] = Field(default_factory=dict)
    goods: dict[str, GoodsState] = Field(default_factory=dict)
    asked: dict[str, Asked] = Field(default_factory=dict)
    holds: dict[str, Hold] = Field(default_factory=dict)
    done: tuple[str, ...] = ()
    numbers_used: dict[str, int] = Field(default_factory=dict)
    """How many seats a line had that was taken away: should it come back, none of their numbers is used again."""
    early: dict[str, str] = Field(default_factory=dict)
    stayed: tuple[str, ...] = ()
    wave: int = 0
    hops: int = 0
    tier_site_id: str | None = None
    exhausted: bool = False
    tier_due_at: datetime | None = None
    partial: bool = False
    partial_at: datetime | None = None
    went_ahead: bool = False
    sent: tuple[str, ...] = ()
    """Who has a seat and was told where to go."""
    told: tuple[str, ...] = ()
    waiting: Waiting = Waiting.SEARCH
    stalled: bool = False
    diagnosis: dict[str, LineDiagnosis] = Field(default_factory=dict)

    @property
    def due_at(self) -> datetime | None:
        return min((at for at in self._timers() if at is not None), default=None)

    @property
    def next_search_at(self) -> datetime | None:
        """When the search will go on by itself: the next wave, or the next tier."""
        people = [state.due_at for state in self.people.values()]
        goods = [state.due_at for state in self.goods.values()]
        return min((at for at in (self.tier_due_at, *people, *goods) if at is not None), default=None)

    @property
    def closed(self) -> bool:
        return self.status == MatchStatus.CLOSED

    @property
    def need(self) -> NeedSpec:
        """What is searched for. Only of a match that is no stub."""
        assert self.spec is not None, "a stub has no need yet"
        return self.spec

    def promised(self, line_id: str) -> int:
        """What was asked for or is held for a goods line."""
        return self._quantity(line_id, PROMISED)

    def secured(self, line_id: str) -> int:
        """What is held for a goods line."""
        return self._quantity(line_id, SECURED)

    def pending(self, line_id: str) -> int:
        """How many have been asked for this line and have not answered."""
        return sum(a.line_id == line_id and a.answer == Answer.ASKED for a in self.asked.values())

    def is_full(self, line: PeopleLine | GoodsLine) -> bool:
        if isinstance(line, PeopleLine):
            return not self.people[line.id].free
        return self.secured(line.id) >= line.quantity

    def has_minimum(self, line: PeopleLine | GoodsLine) -> bool:
        if isinstance(line, PeopleLine):
            return self.people[line.id].won >= line.minimum
        return self.secured(line.id) >= line.minimum

    def with_line(self, line_id: str, state: PeopleState | GoodsState) -> Match:
        if isinstance(state, PeopleState):
            return self.but(people={**self.people, line_id: state})
        return self.but(goods={**self.goods, line_id: state})

    def with_answer(self, invitation_id: str, asked: Asked) -> Match:
        return self.but(asked={**self.asked, invitation_id: asked})

    def with_hold(self, hold_id: str, hold: Hold) -> Match:
        return self.but(holds={**self.holds, hold_id: hold})

    def without_hold(self, hold_id: str) -> Match:
        return self.but(holds={id: hold for id, hold in self.holds.items() if id != hold_id})

    def _quantity(self, line_id: str, phases: frozenset[Phase]) -> int:
        return sum(h.quantity for h in self.holds.values() if h.line_id == line_id and h.phase in phases)

    def _timers(self) -> Iterator[datetime | None]:
        yield self.next_search_at
        yield self.partial_at
        for hold in self.holds.values():
            yield hold.ask_at


def lines(need: NeedSpec) -> Iterator[PeopleLine | GoodsLine]:
    yield from need.people
    yield from need.goods


def owner_of(id: str) -> str:
    """The volunteer of an invitation, the lot of a hold: the part before the `~`."""
    return id.partition("~")[0]


def seat_id(line_id: str, number: int) -> str:
    """Seats are counted from 1."""
    return f"{line_id}/{number}"


def is_named(need: NeedSpec) -> bool:
    """Whether only named, certified people may be asked. Needs says so; a crisis is never left to that alone."""
    return need.audience == Audience.NAMED or in_crisis(need)


def in_crisis(need: NeedSpec) -> bool:
    return is_crisis(need.category, need.urgency)
