"""The need (需求单) as it stands on record: what was ordered, by and for whom, what was heard, what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import model_validator

from services.needs.domain.facts import (
    GONE,
    HANDED_OVER,
    SERVING,
    Goods,
    HoldFact,
    Search,
    Seat,
    TaskFact,
    Word,
)
from services.needs.domain.lines import Lines
from services.needs.domain.said import Applicant, Attempt, Ending, Rating, Referral, Relayer
from services.needs.domain.words import Channel
from shared.contracts import topics
from shared.contracts import vocabulary as v
from shared.contracts.parts import GoodsLine, PeopleLine
from shared.records import Record, index


class Need(Record):
    """`status`, `waiting`, `next_action_at`, `wake_at` and `tier_site_id` are always what `lifecycle.settle` computes from the rest."""

    kind: ClassVar[str] = "need"
    topic = topics.NEED
    indexes = (
        index("site_id", "created_ms"),
        index("household_id", "created_ms"),
        index("status", "waiting", "urgency", "created_ms"),
        index("referred_to", "created_ms"),
        index("tier_site_id", "created_ms"),
    )

    site_id: str
    household_id: str
    area: str
    cell: str | None = None
    beneficiary_id: str
    applicant: Applicant | None = None
    relayer: Relayer | None = None
    channel: Channel = Channel.STAFF
    lead_id: str | None = None
    created_by: str
    created_at: datetime
    created_ms: int

    category: v.Category
    field: v.Field = v.Field.OTHER
    urgency: v.Urgency = v.Urgency.ORDINARY
    audience: v.Audience
    minor: bool = False
    target_groups: tuple[v.TargetGroup, ...] = ()
    note: str | None = None
    people: tuple[PeopleLine, ...] = ()
    goods: tuple[GoodsLine, ...] = ()
    people_numbered: int = 0
    goods_numbered: int = 0

    posted_at: datetime | None = None
    deadline_at: datetime | None = None
    over_at: datetime | None = None
    deadline_passed: bool = False
    went_ahead: bool = False
    """Whether anybody was ever told where to go of those who are required: see `gone_ahead`."""
    over: bool = False
    public_stayed: bool = False
    """Whether it became one for named people when somebody had begun, so that whoever had a seat kept it."""

    search: Search | None = None
    match: Word = Word()
    tasks: Mapping[str, TaskFact] = {}
    holds: Mapping[str, HoldFact] = {}

    referrals: tuple[Referral, ...] = ()
    referred_to: str | None = None
    """The organisation whose answer is awaited, or which has accepted."""
    attempts: tuple[Attempt, ...] = ()
    rating: Rating | None = None
    confirm_by: datetime | None = None
    ended: Ending | None = None

    status: v.NeedStatus = v.NeedStatus.DRAFT
    waiting: v.Waiting | None = None
    next_action_at: datetime | None = None
    wake_at: datetime | None = None
    tier_site_id: str | None = None
    """The site that is to look as well, while the need is not over."""

    @model_validator(mode="before")
    @classmethod
    def _with_its_tier(cls, kept: Any) -> Any:
        """Where it was raised to stood in its search alone, in records of an earlier version."""
        search = kept.get("search") if isinstance(kept, dict) else None
        if not isinstance(search, dict) or kept.get("tier_site_id") or kept.get("ended"):
            return kept
        return kept | {"tier_site_id": search.get("tier_site_id")}

    @property
    def due_at(self) -> datetime | None:
        return self.wake_at

    @property
    def lines(self) -> Lines:
        return Lines(self.people, self.goods, self.people_numbered, self.goods_numbered)

    @property
    def referral(self) -> Referral | None:
        """The referral that waits for an answer."""
        return self.referrals[-1] if self.referrals and self.referrals[-1].pending else None

    @property
    def taken_over(self) -> Referral | None:
        """The referral by which an organisation of the directory took the need over."""
        last = self.referrals[-1] if self.referrals else None
        return last if last and last.accepted and last.organisation_id else None

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Seats that are held: won, and not given back as far as anybody has said."""
        return tuple(
            s
            for s in self.match.seats
            if (t := self.tasks.get(s.invitation_id)) is None or t.status not in GONE
        )

    @property
    def held_goods(self) -> tuple[Goods, ...]:
        """Confirmed holds whose goods have not come back, and no more of them than their lot keeps."""
        return tuple(
            g if h is None or g.quantity <= h.quantity else g.model_copy(update={"quantity": h.quantity})
            for g in self.match.goods
            if (h := self.holds.get(g.hold_id)) is None or h.status is not v.HoldStatus.RELEASED
        )

    @property
    def seats_to_serve(self) -> tuple[Seat, ...]:
        return tuple(s for s in self.seats if not self.task_is(s, v.TaskStatus.DONE))

    @property
    def goods_to_receive(self) -> tuple[Goods, ...]:
        return tuple(g for g in self.held_goods if not self.hold_is(g, v.HoldStatus.RECEIVED))

    @property
    def going_on(self) -> bool:
        """Whether it was posted and has not ended."""
        return self.posted_at is not None and self.ended is None

    @property
    def pending(self) -> bool:
        """Whether somebody still has to come or something still has to be received."""
        return bool(self.seats_to_serve or self.goods_to_receive)

    @property
    def started(self) -> bool:
        """Whether anybody has checked in or any goods were handed over."""
        return self.begun or any(h.status in HANDED_OVER for h in self.holds.values())

    @property
    def begun(self) -> bool:
        """Whether anybody has checked in."""
        return any(t.status in SERVING for t in self.tasks.values())

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for is there: the match was made and nothing has dropped out since."""
        word = self.match
        return word.said == "made" and self.seats == word.seats and self.held_goods == word.goods

    @property
    def settled_there(self) -> bool:
        """Whether it stays where its household lived: somebody has begun, goods are promised, or all is there. When that ends it
        says so, and follows a household that has moved meanwhile."""
        return self.started or self.complete or bool(self.held_goods)

    @property
    def served(self) -> bool:
        """Whether all that is there has been done and received, and something has. As long as more can come, the match
        has to say what is there; then what was done and received speaks for itself."""
        if self.pending:
            return False
        if self.match.said and (self.seats or self.held_goods):
            return True
        tasks, holds = ({fact.status for fact in facts.values()} for facts in (self.tasks, self.holds))
        under_way = v.TaskStatus.CHECKED_IN in tasks or v.HoldStatus.ISSUED in holds
        done = v.TaskStatus.DONE in tasks or v.HoldStatus.RECEIVED in holds
        return self.over and done and not under_way

    @property
    def volunteer_ids(self) -> tuple[str, ...]:
        """Who did a task of this need."""
        return tuple(sorted({self.tasks[id].volunteer_id for id in self.invitation_ids}))

    @property
    def invitation_ids(self) -> tuple[str, ...]:
        """The tasks of this need that were done, by their invitations."""
        return tuple(sorted(id for id, task in self.tasks.items() if task.status is v.TaskStatus.DONE))

    def task_is(self, seat: Seat, status: v.TaskStatus) -> bool:
        task = self.tasks.get(seat.invitation_id)
        return task is not None and task.status is status

    def hold_is(self, goods: Goods, status: v.HoldStatus) -> bool:
        hold = self.holds.get(goods.hold_id)
        return hold is not None and hold.status is status

    @property
    def enough(self) -> bool:
        """Whether every required line has its minimum, and anything is there at all."""
        people = all(self._seated(line) >= line.minimum for line in self.people if line.required)
        goods = all(self.held(line) >= line.minimum for line in self.goods if line.required)
        return people and goods and bool(self.seats or self.held_goods)

    @property
    def whole(self) -> bool:
        """Whether every required line has all that it asks for."""
        people = all(self._seated(line) >= line.seats for line in self.people if line.required)
        return people and all(self.held(line) >= line.quantity for line in self.goods if line.required)

    @property
    def given(self) -> bool:
        """Whether goods were asked for and all of them have been received."""
        received = {id for id, hold in self.holds.items() if hold.status is v.HoldStatus.RECEIVED}
        return bool(self.goods) and all(
            sum(g.quantity for g in self.held_goods if g.line_id == line.id and g.hold_id in received)
            >= line.quantity
            for line in self.goods
        )

    def _seated(self, line: PeopleLine) -> int:
        """How many have a seat on this line, or had one until its time and did not come: nobody else can any more, and
        what was promised for later is not taken away for that."""
        missed = [t for t in self.tasks.values() if t.line_id == line.id and t.status is v.TaskStatus.NO_SHOW]
        late = sum(task.at >= line.window.start_at for task in missed)
        return late + sum(s.line_id == line.id for s in self.seats)

    def held(self, line: GoodsLine) -> int:
        """How much is promised of this line, or was received."""
        return sum(g.quantity for g in self.held_goods if g.line_id == line.id)
