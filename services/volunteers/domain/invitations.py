"""Asking a person, their answer, and the verdict: each decides on the calendar alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.volunteers.domain.asking import Asking
from services.volunteers.domain.calendar import Calendar, Invitation, about
from services.volunteers.domain.refusals import (
    AlreadyAnswered,
    CapReached,
    InvitationLapsed,
    InvitationVoid,
    NeedGone,
    NotActive,
    PapersMissing,
    SeatGone,
    SlotTaken,
)
from services.volunteers.domain.registry import Volunteer
from services.volunteers.domain.timers import FIRST_ASK
from services.volunteers.domain.week import is_quiet
from shared.contracts.matching import SeatsOffered
from shared.contracts.parts import Offer, Window
from shared.contracts.vocabulary import Closing, DeclineReason, InvitationStatus, Rule, Urgency, is_crisis
from shared.contracts.volunteers import (
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRefused,
    InvitationsOpened,
    Opened,
)
from shared.places import ring_around
from shared.records import Change

URGENCIES = list(Urgency)


def drafted(offered: SeatsOffered, need_id: str, now: datetime, grace_seconds: int = 1800) -> Invitation:
    """The invitation that everybody of a wave gets, made out to nobody yet."""
    return Invitation(
        id="",
        need_id=need_id,
        line_id=offered.line_id,
        site_id=offered.site_id,
        household_id=offered.household_id,
        category=offered.category,
        urgency=offered.urgency,
        skills=offered.skills,
        certificates=offered.certificates,
        named=offered.named,
        mode=offered.mode,
        area=offered.area,
        ring=offered.ring,
        window=offered.window,
        week="",
        month="",
        opened_at=now,
        expires_at=offered.expires_at,
        grace_seconds=grace_seconds,
    )


def ask(
    calendar: Calendar, person: Volunteer | None, draft: Invitation, offer: Offer, now: datetime
) -> Change[Calendar]:
    """Open an invitation, or say by which rule this person cannot be asked now. Known already: nothing.

    Whoever lives in the area of a tier that looks as well is asked with a ring that does not hold them: theirs is wider.
    An invitation that opens is not an event of the calendar: `tell` says it once for the whole wave."""
    if offer.invitation_id in calendar.invitations:
        return Change(calendar)
    calendar = calendar.pruned(now)
    zone = person.zone if person else calendar.zone
    if zone != calendar.zone:
        calendar = calendar.but(zone=zone)
    ids = {"invitation_id": offer.invitation_id, "need_id": draft.need_id, "line_id": draft.line_id}
    if now >= draft.expires_at:
        return Change(calendar, InvitationExpired(**ids, unseen=True, load=calendar.load(now)))
    rule = obstacle(calendar, person, draft, now)
    if rule is not None:
        return Change(calendar, InvitationRefused(**ids, rule=rule, load=calendar.load(now)))
    invitation = draft.but(
        id=offer.invitation_id,
        week=calendar.week_of(draft.window),
        month=calendar.month_of(draft.window),
        reasons=offer.reasons,
        ring=ring_around(draft.ring, person.area, draft.area) if person else draft.ring,
    )
    opened = calendar.but(
        invitations={**calendar.invitations, invitation.id: invitation},
        contacted_at=(*calendar.contacted_at, now),
    )
    return Change(opened)


def tell(
    known: Asking | None,
    id: str,
    offered: SeatsOffered,
    need_id: str,
    calendars: Sequence[Calendar],
    now: datetime,
) -> Change[Asking]:
    """Say once for the whole wave who was asked: all of these calendars in which its invitation stands."""
    if known is not None:
        return Change(known)
    ids = {offer.invitation_id for offer in offered.offers}
    opened = tuple(
        Opened(invitation_id=id, volunteer_id=calendar.id, load=calendar.load(now))
        for calendar in calendars
        for id in ids & calendar.invitations.keys()
    )
    asking = Asking(id=id, need_id=need_id, line_id=offered.line_id, asked=len(opened))
    if not opened:
        return Change(asking)
    said = InvitationsOpened(
        need_id=need_id, line_id=offered.line_id, expires_at=offered.expires_at, opened=opened
    )
    return Change(asking, said)


def obstacle(calendar: Calendar, person: Volunteer | None, draft: Invitation, now: datetime) -> Rule | None:
    """The first rule that keeps this person from being asked now. A crisis knows no budget and no quiet hours."""
    if person is None or not person.active:
        return Rule.INACTIVE
    window = draft.window
    if rule := person.lacks_papers(draft.certificates, draft.named, window):
        return rule
    if calendar.is_taken(window):
        return Rule.OVERLAP
    if person.blocked_until is not None and now < person.blocked_until:
        return Rule.BLOCKED
    if not _fits_week(calendar, person, window):
        return Rule.CAP
    if is_crisis(draft.category, draft.urgency):
        return None
    if len(calendar.contacts(now)) >= person.weekly_contacts:
        return Rule.BUDGET
    quiet = is_quiet(now, person.zone, person.quiet_from, person.quiet_to)
    return Rule.QUIET if quiet else None


def accept(
    calendar: Calendar, invitation_id: str, person: Volunteer, by: str, now: datetime
) -> Change[Calendar]:
    """Say yes: the slot is theirs from this moment, the seat once matching has decided."""
    invitation = calendar.invitation(invitation_id)
    if invitation.closing == Closing.FILLED:
        raise SeatGone(other=another(calendar, person, now))
    _must_be_open(invitation, now)
    if not person.active:
        raise NotActive()
    if person.lacks_papers(invitation.certificates, invitation.named, invitation.window):
        raise PapersMissing()
    if calendar.is_taken(invitation.window):
        raise SlotTaken()
    if not _fits_week(calendar, person, invitation.window):
        raise CapReached(cap=person.weekly_cap_minutes)
    claimed = invitation.but(
        status=InvitationStatus.CLAIMED, answered_at=now, answered_by=by, ask_at=now + FIRST_ASK
    )
    after = calendar.put(claimed)
    return Change(after, InvitationAccepted(**about(claimed, after.load(now))))


def decline(
    calendar: Calendar, invitation_id: str, reason: DeclineReason, by: str, now: datetime
) -> Change[Calendar]:
    """Say no; the search goes on at once."""
    invitation = calendar.invitation(invitation_id)
    _must_be_open(invitation, now)
    declined = invitation.but(
        status=InvitationStatus.DECLINED,
        decline_reason=reason,
        answered_at=now,
        answered_by=by,
        closed_at=now,
    )
    after = calendar.put(declined)
    return Change(after, InvitationDeclined(**about(declined, after.load(now)), reason=reason))


def withdraw_offers(calendar: Calendar, ids: list[str], reason: Closing, now: datetime) -> Change[Calendar]:
    """Close what was not answered. A yes is not closed by this: only its verdict decides it."""
    void = [i for id in ids if (i := calendar.invitations.get(id)) and i.status == InvitationStatus.PENDING]
    if not void:
        return Change(calendar)
    closed = {i.id: i.but(status=InvitationStatus.WITHDRAWN, closing=reason, closed_at=now) for i in void}
    return Change(calendar.but(invitations={**calendar.invitations, **closed}))


def another(calendar: Calendar, person: Volunteer, now: datetime) -> Invitation | None:
    """An open invitation that this person could take instead: the most urgent, then the earliest."""
    if not person.active:
        return None
    free = (
        i
        for i in calendar.invitations.values()
        if i.is_open(now)
        and not calendar.is_taken(i.window)
        and _fits_week(calendar, person, i.window)
        and not person.lacks_papers(i.certificates, i.named, i.window)
    )
    return min(free, key=_most_urgent, default=None)


def _most_urgent(i: Invitation) -> tuple[bool, int, datetime, str]:
    return not is_crisis(i.category, i.urgency), URGENCIES.index(i.urgency), i.window.start_at, i.id


def outcome(calendar: Calendar, invitation_id: str, person: Volunteer, now: datetime) -> Invitation:
    """What became of a yes: the invitation, claimed still or accepted. Raises SeatGone with another open one."""
    invitation = calendar.invitation(invitation_id)
    if invitation.status in (InvitationStatus.FILLED, InvitationStatus.WITHDRAWN):
        gone = SeatGone if invitation.closing == Closing.FILLED else NeedGone
        raise gone(other=another(calendar, person, now))
    return invitation


def has_verdict(calendar: Calendar, invitation_id: str) -> bool:
    found = calendar.invitations.get(invitation_id)
    return found is None or found.status != InvitationStatus.CLAIMED


def _fits_week(calendar: Calendar, person: Volunteer, window: Window) -> bool:
    """Whether this much more still lies within the weekly cap of the week in which the window starts."""
    return calendar.minutes_in(calendar.week_of(window)) + window.minutes <= person.weekly_cap_minutes


def _must_be_open(invitation: Invitation, now: datetime) -> None:
    if invitation.is_open(now):
        return
    match invitation.status:
        case InvitationStatus.PENDING | InvitationStatus.EXPIRED:
            raise InvitationLapsed()
        case InvitationStatus.WITHDRAWN | InvitationStatus.FILLED:
            raise InvitationVoid()
        case status:
            raise AlreadyAnswered(status_zh=status.zh, status_en=status.en)
