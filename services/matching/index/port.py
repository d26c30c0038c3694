"""The seam between planning and searching: what is asked of an index of people and lots, and what it answers.

An index is a copy, and its answers are guesses that the owners of calendars and lots may refuse. It is exact all
the same: `tests/rules/test_matching_index.py` holds every implementation against a plain search through everybody.

People pass the rules of `vocabulary.Rule`, lots those of `GoodsRule`; whoever fails is counted by the first rule
that fails, in that order. Survivors are ordered by the station's criteria, one after another (no weights); who is
alike in all of them goes by fewest contacts in the last seven days, and then by chance that is the same for the
same need, so that not always the same person stands first.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol

from shared.contracts import vocabulary as v
from shared.contracts.goods import Unit
from shared.contracts.parts import CalendarLoad, LineDiagnosis, LotState, Reason, VolunteerState, Window

SMALLEST_CHANGE_FIRST: tuple[v.Rule, ...] = (
    v.Rule.QUIET,
    v.Rule.BUDGET,
    v.Rule.CAP,
    v.Rule.BLOCKED,
    v.Rule.OVERLAP,
    v.Rule.WINDOW,
    v.Rule.REACH,
    v.Rule.RING,
    v.Rule.MODE,
    v.Rule.LANGUAGE,
    v.Rule.CERTIFICATE_EXPIRED,
    v.Rule.CERTIFICATE,
    v.Rule.SKILL,
    v.Rule.ASKED,
    v.Rule.INACTIVE,
)
"""What a coordinator may think of relaxing, from waiting until morning to activating somebody. Never the audience:
a need for a child or in a crisis does not go to the public, however long it waits."""

SMALLEST_GOODS_CHANGE_FIRST: tuple[v.GoodsRule, ...] = (
    v.GoodsRule.AREA,
    v.GoodsRule.ATTRIBUTES,
    v.GoodsRule.UNIT,
    v.GoodsRule.EARMARK_DATE,
    v.GoodsRule.EARMARK_AREA,
    v.GoodsRule.EARMARK_GROUP,
    v.GoodsRule.EARMARK_PURPOSE,
    v.GoodsRule.REFUSED,
)
"""What may be relaxed for goods; an earmark only by its donor. Never an expiry date, and no other category; and what was put aside
as a batch stays so."""


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """Who could take a seat of this line now?

    Asked are at most `wanted` people, from `ring` if at least `least` there can, otherwise from the first wider ring
    that has as many as are wanted, up to `widest`. People in one of `areas` (of the tiers that look as well) count as inside. `named` asks
    only for people with one of `NAMED_CERTIFICATES` in force; `crisis` knows no quiet hours and no budgets.
    `excluded` were asked before: of them the calendars of `refused` said no, who are counted by what else keeps them away now, and
    `engaged` have a seat or may still say yes, so that to ask them again is no advice. `familiar` has done so many tasks for this household. `seed` is the need's id.
    """

    line_id: str
    window: Window
    area: str
    now: datetime
    seed: str
    waiting_since: datetime
    skills: tuple[v.Skill, ...] = ()
    certificates: tuple[v.Certificate, ...] = ()
    languages: tuple[v.Language, ...] = ()
    mode: v.Mode = v.Mode.ON_SITE
    cell: str | None = None
    named: bool = False
    crisis: bool = False
    ring: v.Ring = v.Ring.VILLAGE
    widest: v.Ring = v.Ring.ANYWHERE
    areas: tuple[str, ...] = ()
    wanted: int = 20
    least: int = 1
    excluded: Set[str] = frozenset()
    refused: Set[str] = frozenset()
    engaged: Set[str] = frozenset()
    familiar: Mapping[str, int] = field(default_factory=dict)
    criteria: tuple[v.Criterion, ...] = ()
    explain: bool = False


class Candidate(NamedTuple):
    """One who could be asked, and what the ranking saw, in the order of the station's criteria."""

    volunteer_id: str
    reasons: tuple[Reason, ...]


class PeopleResult(NamedTuple):
    """The best people of `ring`, best first. `diagnosis` counts everybody by rule, if that was asked for; it is
    made in the widest ring."""

    ring: v.Ring
    candidates: tuple[Candidate, ...]
    diagnosis: LineDiagnosis | None = None


@dataclass(frozen=True, slots=True)
class LotsQuery:
    """Which lots could give this much, good until `good_on`, to this need, on `today` (days at the need's site)?

    So much of lots as `going` says goes to other lines of this need in this very wave.
    """

    line_id: str
    category: v.GoodsCategory
    unit: Unit
    quantity: int
    area: str
    today: date
    good_on: date
    purpose: v.Category
    seed: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    target_groups: tuple[v.TargetGroup, ...] = ()
    cell: str | None = None
    widest: v.Ring = v.Ring.ANYWHERE
    areas: tuple[str, ...] = ()
    excluded: Set[str] = frozenset()
    going: Mapping[str, int] = field(default_factory=dict)
    explain: bool = False


class Take(NamedTuple):
    """So much of this lot; the rest is what the choice went by: its last good day, the ring, what is there."""

    lot_id: str
    quantity: int
    available: int
    expires_on: date | None
    ring: v.Ring


class LotsResult(NamedTuple):
    """What to take, together at most the quantity asked for: one lot that has it all, soonest expiry first, then
    nearest ring, then least left over; if there is none, several in that order, each as far as it goes, but not
    more than are asked for at once. `available` is what all that fit have together."""

    takes: tuple[Take, ...]
    looked_at: int
    available: int
    diagnosis: LineDiagnosis | None = None

    @property
    def quantity(self) -> int:
        return sum(take.quantity for take in self.takes)


class Index(Protocol):
    """People and lots as last heard of. An older sequence than the one known changes nothing."""

    def note_person(self, volunteer_id: str, state: VolunteerState, sequence: int) -> None: ...

    def note_load(self, volunteer_id: str, load: CalendarLoad, sequence: int) -> None: ...

    def note_lot(self, lot_id: str, state: LotState, sequence: int) -> None: ...

    def people(self, query: PeopleQuery) -> PeopleResult: ...

    def lots(self, query: LotsQuery) -> LotsResult: ...

    @property
    def size(self) -> int:
        """How many people are known: what an explained answer costs."""
        ...
