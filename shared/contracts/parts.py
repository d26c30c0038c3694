"""The values that events are made of: windows, lines, earmarks, copies of state. No personal data, ever."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from shared.contracts import vocabulary as v
from shared.contracts.base import Part
from shared.contracts.goods import Attributes, Unit


class Window(Part):
    """A half-open interval [start_at, end_at) in UTC."""

    start_at: datetime
    end_at: datetime

    def overlaps(self, other: Window) -> bool:
        return self.start_at < other.end_at and other.start_at < self.end_at

    @property
    def minutes(self) -> int:
        return int((self.end_at - self.start_at).total_seconds() // 60)


class PeopleLine(Part):
    """So many seats for people who can do this, at this time, in this way.

    `minimum` seats must be filled for the need to go ahead; a line that is not `required` may stay empty.
    All of `skills` must be had, one of `certificates` in force on the day (none asked: empty), and one of
    `languages` spoken (empty: any).
    """

    kind: Literal["people"] = "people"
    id: str
    seats: int
    minimum: int
    required: bool = True
    skills: tuple[v.Skill, ...] = ()
    certificates: tuple[v.Certificate, ...] = ()
    languages: tuple[v.Language, ...] = ()
    mode: v.Mode = v.Mode.ON_SITE
    window: Window


class GoodsLine(Part):
    """So much of this kind of goods (or money in fen, or services); `attributes` must all be equal."""

    kind: Literal["goods"] = "goods"
    id: str
    category: v.GoodsCategory
    quantity: int
    minimum: int
    unit: Unit
    required: bool = True
    attributes: Attributes = Field(default_factory=dict)
    needed_by: datetime | None = None


class NeedSpec(Part):
    """All that matching needs to know of a need: whose file it is stays in the needs service.

    `area` is the resident's village or township code, `cell` a coarse H3 cell (resolution 7, about 5 km²).
    `audience` is set by needs: anything for a person under 18 or in a crisis is `named`.
    """

    site_id: str
    area: str
    cell: str | None = None
    household_id: str
    category: v.Category
    field: v.Field = v.Field.OTHER
    urgency: v.Urgency = v.Urgency.ORDINARY
    audience: v.Audience = v.Audience.PUBLIC
    target_groups: tuple[v.TargetGroup, ...] = ()
    people: tuple[PeopleLine, ...] = ()
    goods: tuple[GoodsLine, ...] = ()
    posted_at: datetime
    deadline_at: datetime


class Earmark(Part):
    """专款专用: what a gift may be used for. An empty tuple or None sets no condition.

    `areas` are codes; an area counts when the need's area lies in it. `from_day` and `to_day` are inclusive,
    in the zone of the site.
    """

    purposes: tuple[v.Category, ...] = ()
    target_groups: tuple[v.TargetGroup, ...] = ()
    areas: tuple[str, ...] = ()
    from_day: date | None = None
    to_day: date | None = None


class LotState(Part):
    """A lot as matching sees it: the newest is enough. held + issued <= received, always.

    `available` is what may still be promised: received - held - issued - written_off, where `held` counts
    unconfirmed and confirmed holds and `issued` counts what was handed over and not returned.
    """

    charity_id: str
    kind: v.LotKind
    category: v.GoodsCategory
    unit: Unit
    received: int
    held: int
    issued: int
    written_off: int
    attributes: Attributes = Field(default_factory=dict)
    expires_on: date | None = None
    area: str
    cell: str | None = None
    earmark: Earmark = Earmark()
    open: bool = True

    @property
    def available(self) -> int:
        return max(0, self.received - self.held - self.issued - self.written_off)


class CertificateHeld(Part):
    certificate: v.Certificate
    expires_on: date | None = None


class VolunteerState(Part):
    """A volunteer as matching sees them: the newest is enough.

    `hours` are the hours of the week (0 = Monday 00:00, 167 = Sunday 23:00, in `zone`) in which the person is
    usually free; `free` adds and `busy` takes away single windows. `reach_km` limits on-site tasks.
    `weekly_cap_minutes` is a hard cap of task time per calendar week, `weekly_contacts` how often a person may be
    asked in seven days. `quiet_from`/`quiet_to` are minutes of the day, in `zone`, without invitations.
    """

    active: bool = True
    site_id: str
    area: str
    cell: str | None = None
    skills: tuple[v.Skill, ...] = ()
    certificates: tuple[CertificateHeld, ...] = ()
    languages: tuple[v.Language, ...] = ()
    modes: tuple[v.Mode, ...] = (v.Mode.ON_SITE,)
    reach_km: int = 20
    zone: str = "Asia/Shanghai"
    hours: tuple[int, ...] = ()
    free: tuple[Window, ...] = ()
    busy: tuple[Window, ...] = ()
    weekly_cap_minutes: int = 600
    weekly_contacts: int = 5
    quiet_from: int = 22 * 60
    quiet_to: int = 7 * 60
    blocked_until: datetime | None = None
    team_ids: tuple[str, ...] = ()


class CalendarLoad(Part):
    """How busy a person is, as whole state in every event of their calendar: the newest is enough. `turn` counts the
    changes of the calendar, so that the newest is known whoever says it.

    `busy` are the windows of claimed slots and tasks that are not over; `contacted_at` the invitations of the last
    seven days; `minutes_by_week` the task minutes per ISO week ("2026-W47") and `tasks_by_month` the tasks taken
    per month ("2026-11"), both in the person's zone.
    """

    turn: int = 0
    busy: tuple[Window, ...] = ()
    contacted_at: tuple[datetime, ...] = ()
    minutes_by_week: dict[str, int] = Field(default_factory=dict)
    tasks_by_month: dict[str, int] = Field(default_factory=dict)


class SitePolicy(Part):
    """What a station decides for itself: criteria in order, and every timer, in seconds.

    A need's waves: the first asks `first_wave` people for each open seat, each later one `wave_growth` times more;
    the next wave goes out after `wave_seconds` or as soon as everybody asked has answered. `tier_seconds` without
    a full match raise a need a tier, `lead_seconds` (`crisis_lead_seconds`) without a decision a lead, at most `max_hops` times.
    """

    criteria: tuple[v.Criterion, ...] = (
        v.Criterion.FIT, v.Criterion.DISTANCE, v.Criterion.LOAD, v.Criterion.CONTINUITY, v.Criterion.WAITING,
    )  # fmt: skip
    first_wave: int = 5
    wave_growth: float = 2.0
    wave_seconds: int = 15 * 60
    urgent_wave_seconds: int = 3 * 60
    invitation_seconds: int = 60 * 60
    urgent_invitation_seconds: int = 10 * 60
    hold_seconds: int = 4 * 60 * 60
    pick_up_seconds: int = 3 * 24 * 60 * 60
    tier_seconds: int = 4 * 60 * 60
    max_hops: int = 3
    lead_seconds: int = 24 * 60 * 60
    crisis_lead_seconds: int = 30 * 60
    confirm_seconds: int = 3 * 24 * 60 * 60
    no_show_seconds: int = 30 * 60
    allow_partial: bool = True


class Offer(Part):
    """One person asked for one people line; `reasons` are what the ranking saw, best first."""

    invitation_id: str
    volunteer_id: str
    reasons: tuple[Reason, ...] = ()


class Reason(Part):
    """Why a candidate stands where it stands: a criterion and what was seen, in numbers.

    `fit`: extra matching facts; `distance`: km; `load`: tasks this month; `continuity`: tasks done for this
    household; `waiting`: minutes the need has waited.
    """

    criterion: v.Criterion
    value: float


class Removed(Part):
    """How many people (or lots) a rule removed, counted in order: each is counted by the first rule that fails."""

    rule: str
    count: int


class Relaxation(Part):
    """The smallest change that would help: drop `rule`, and `gain` people (or lots) remain."""

    rule: str
    gain: int


class LineDiagnosis(Part):
    """Why a line is not filled: who was there, what removed them, what would help."""

    line_id: str
    looked_at: int
    removed: tuple[Removed, ...] = ()
    remaining: int = 0
    relaxations: tuple[Relaxation, ...] = ()


Offer.model_rebuild()
