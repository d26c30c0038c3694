"""点单: how a need is ordered, kept as a draft, posted, and edited while there is time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from services.needs.domain import refusals as no
from services.needs.domain.facts import Search
from services.needs.domain.gone_ahead import goes_ahead
from services.needs.domain.household import Household, beneficiary_of, is_child, not_here
from services.needs.domain.lifecycle import FIRST_WORD, progress, settle
from services.needs.domain.lines import Line, Lines, check, deadline, minds_children, number
from services.needs.domain.need import Need
from services.needs.domain.said import Applicant, Relayer
from services.needs.domain.spec import spec
from services.needs.domain.words import Channel
from shared.contracts import vocabulary as v
from shared.contracts.dates import over_at
from shared.contracts.needs import NeedChanged, NeedPosted
from shared.contracts.parts import SitePolicy
from shared.errors import Invalid
from shared.records import Change
from shared.times import milliseconds


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, as it came in. `beneficiary_id` may be left out for a household of one."""

    household_id: str
    category: v.Category
    lines: tuple[Line, ...]
    beneficiary_id: str | None = None
    applicant: Applicant | None = None
    relayer: Relayer | None = None
    channel: Channel = Channel.STAFF
    field: v.Field = v.Field.OTHER
    urgency: v.Urgency = v.Urgency.ORDINARY
    note: str | None = None
    lead_id: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, the day that this is at the site, and the site's policy: all that a decision may know of the world."""

    now: datetime
    day: date
    policy: SitePolicy


def write_order(id: str, order: Order, household: Household, by: str, at: Moment) -> Need:
    """The need as a draft. The beneficiary must be one of the household, and so must an applicant given by id."""
    beneficiary = beneficiary_of(household, order.beneficiary_id)
    applicant_id = order.applicant.resident_id if order.applicant else None
    if applicant_id and household.resident(applicant_id) is None:
        raise not_here("/applicant/resident_id")
    groups = household.groups_of(beneficiary)
    child = is_child(household, beneficiary, at.day)
    lines = number(order.lines, Lines((), (), 0, 0))
    return Need(
        id=id,
        site_id=household.site_id,
        household_id=household.id,
        area=household.area,
        cell=household.cell,
        beneficiary_id=beneficiary.id,
        applicant=order.applicant,
        relayer=order.relayer,
        channel=order.channel,
        lead_id=order.lead_id,
        created_by=by,
        created_at=at.now,
        created_ms=milliseconds(at.now),
        category=order.category,
        field=order.field,
        urgency=_urgency(order.category, order.urgency),
        audience=_audience(order, groups, named=child),
        minor=child,
        target_groups=groups,
        note=order.note,
        people=lines.people,
        goods=lines.goods,
        people_numbered=lines.people_numbered,
        goods_numbered=lines.goods_numbered,
    )


def save_draft(need: Need, at: Moment) -> Change[Need]:
    """Keep a draft: it waits for its submission, and is brought up again every seven days."""
    change = settle(None, need, at.now, at.policy)
    return Change(change.record, progress(change.record))


def post(before: Need | None, need: Need, lines: tuple[Line, ...], at: Moment) -> Change[Need]:
    """受理: from now on somebody is looking. `before` is the draft that it was, if it was one."""
    check(lines, at.now)
    deadline_at = deadline(lines, at.now)
    first_word_at = at.now + FIRST_WORD
    posted = need.but(
        posted_at=at.now,
        deadline_at=deadline_at,
        over_at=over_at(lines, deadline_at),
        search=Search(next_action_at=first_word_at, ask_at=first_word_at),
    )
    said = NeedPosted(spec=spec(posted), lead_id=posted.lead_id)
    return settle(before, posted, at.now, at.policy, said)


def submit(need: Need, household: Household, at: Moment) -> Change[Need]:
    """Post a draft: what the file says of the household is looked at anew."""
    if need.ended:
        raise no.NeedClosed()
    if need.posted_at is not None:
        raise no.NotADraft()
    if household.site_id != need.site_id:
        raise Invalid(
            "/household_id", zh="这户已移交另一个站点", en="this household was handed over to another site"
        )
    beneficiary = household.resident(need.beneficiary_id)
    if beneficiary is None:
        raise not_here("/beneficiary_id")
    groups = household.groups_of(beneficiary)
    child = is_child(household, beneficiary, at.day)
    fresh = need.but(
        area=household.area,
        cell=household.cell,
        target_groups=groups,
        minor=child,
        audience=_audience(need, groups, named=child),
    )
    return post(need, fresh, (*need.people, *need.goods), at)


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be different; None leaves a thing as it is."""

    lines: tuple[Line, ...] | None = None
    category: v.Category | None = None
    field: v.Field | None = None
    urgency: v.Urgency | None = None
    note: str | None = None


def edit(need: Need, wanted: Edit, at: Moment) -> Change[Need]:
    """Change what is asked for, before all of it is taken. A need that was for named people stays so."""
    if need.ended:
        raise no.NeedClosed()
    if need.started:
        raise no.AlreadyInService()
    if need.complete:
        raise no.AlreadyMatched()
    plain = {name: getattr(wanted, name) for name in ("category", "field", "urgency", "note")}
    after = need.but(**{name: value for name, value in plain.items() if value is not None})
    after = after.but(urgency=_urgency(after.category, after.urgency))
    if wanted.lines is not None:
        after = _relined(after, wanted.lines)
    after = after.but(audience=_audience(after, need.target_groups, named=need.audience is v.Audience.NAMED))
    if need.posted_at is None:
        return settle(need, after, at.now, at.policy)
    if wanted.lines is not None:
        check(wanted.lines, at.now)
        deadline_at = deadline(wanted.lines, at.now)
        ahead = {"deadline_passed": False, "over": False, "over_at": over_at(wanted.lines, deadline_at)}
        same = after.people == need.people  # then it has gone ahead as before, for matching too
        told = goes_ahead(need, need.seats) or (same and need.went_ahead)
        after = after.but(deadline_at=deadline_at, search=_not_over(after.search), went_ahead=told, **ahead)
    said = [NeedChanged(spec=spec(after))] if spec(after) != spec(need) else []
    return settle(need, after, at.now, at.policy, *said)


def _not_over(search: Search | None) -> Search | None:
    """The search of a need that has been given more time."""
    return search.model_copy(update={"last_asked_at": None}) if search else None


def protect(need: Need, household: Household, at: Moment) -> Change[Need]:
    """What the file tells now counts for a need that was posted before: one for a child is for named people from now
    on, and never the other way round. What is sought is sought for where they live and for whom they are. Goods that are
    promised stay so, and where a service has begun, whoever has a seat keeps it."""
    beneficiary = household.resident(need.beneficiary_id)
    if need.ended or beneficiary is None:
        return Change(need)
    child = is_child(household, beneficiary, at.day)
    named, groups = child or need.audience is v.Audience.NAMED, household.groups_of(beneficiary)
    audience = _audience(need, groups, named=named)
    after = need.but(audience=audience, minor=need.minor or child, target_groups=groups)
    if not need.settled_there:
        after = after.but(area=household.area, cell=household.cell)
    if after.audience is not need.audience:
        # Everybody is asked anew, unless somebody has begun.
        after = after.but(went_ahead=need.went_ahead and need.begun, public_stayed=need.begun)
    if after == need:
        return Change(need)
    if need.posted_at is None or spec(after) == spec(need):
        return settle(need, after, at.now, at.policy)
    changed = NeedChanged(spec=spec(after), begun=need.begun)
    return settle(need, after, at.now, at.policy, changed)


def _relined(need: Need, wanted: tuple[Line, ...]) -> Need:
    """The need with these lines. What somebody has already taken stays as they took it, or grows."""
    lines = number(wanted, need.lines)
    after = lines.by_id
    for line in need.people:
        taken = sum(s.line_id == line.id for s in need.seats)
        if taken:
            _keeps(line, after.get(line.id), "seats", taken)
    for goods in need.goods:
        held = sum(g.quantity for g in need.held_goods if g.line_id == goods.id)
        if held:
            _keeps(goods, after.get(goods.id), "quantity", held)
    return need.but(
        people=lines.people,
        goods=lines.goods,
        people_numbered=lines.people_numbered,
        goods_numbered=lines.goods_numbered,
    )


def _keeps(line: Line, after: Line | None, number_field: str, taken: int) -> None:
    may_change = {"minimum", "required", number_field}
    if (
        after is None
        or getattr(after, number_field) < taken
        or line.model_dump(exclude=may_change) != after.model_dump(exclude=may_change)
    ):
        raise no.LineTaken("/lines")


def _urgency(category: v.Category, urgency: v.Urgency) -> v.Urgency:
    """A crisis stands in every list as one, whichever way it was said to be one."""
    return v.Urgency.CRISIS if v.is_crisis(category, urgency) else urgency


def _audience(asked: Order | Need, groups: tuple[v.TargetGroup, ...], *, named: bool) -> v.Audience:
    """Anything for a child, a guardian's order or minding too, or in a crisis is for named, certified people; nobody can
    choose otherwise."""
    named = named or v.is_crisis(asked.category, asked.urgency) or asked.field is v.Field.CHILDREN
    minding = minds_children(asked.people if isinstance(asked, Need) else asked.lines)
    child = minding or not v.CHILD_GROUPS.isdisjoint(groups)
    return v.Audience.NAMED if named or child else v.Audience.PUBLIC
