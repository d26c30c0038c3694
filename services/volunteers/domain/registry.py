"""People who help: who they are, what they can do, when, and how often they want to be asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.volunteers.domain.refusals import AlreadyRegistered, CertificateExpired
from shared.contracts import topics
from shared.contracts import vocabulary as v
from shared.contracts.parts import CertificateHeld, VolunteerState, Window
from shared.contracts.volunteers import VolunteerChanged
from shared.places import one_lies_in_the_other
from shared.records import Change, Record, index

_INSTANT = timedelta(microseconds=1)


class VolunteerStatus(v.Term):
    PENDING = "pending", "待激活", "pending"
    ACTIVE = "active", "已激活", "active"
    INACTIVE = "inactive", "已停用", "inactive"


class Certified(CertificateHeld):
    """A certificate on file. Only one that staff have seen counts: `verified_by` is their account."""

    verified_by: str | None = None


class Volunteer(Record):
    """One person's profile. `name` and `phone` stand here and nowhere else; the id is that of their account.

    `hours`, `free`, `busy`, the caps and the quiet hours mean what they mean in `VolunteerState`.
    """

    kind = "volunteer"
    topic = topics.VOLUNTEER
    indexes = (index("site_id", "status"),)

    name: str
    phone: str = ""
    site_id: str
    area: str
    cell: str | None = None
    skills: tuple[v.Skill, ...] = ()
    certificates: tuple[Certified, ...] = ()
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
    status: VolunteerStatus = VolunteerStatus.PENDING
    can_answer: bool = True
    """False once the account is closed or has no role left that answers. Who never signs in answers through the station."""
    team_ids: tuple[str, ...] = ()
    registered_at: datetime
    registered_by: str

    @property
    def active(self) -> bool:
        """Whether this person is to be asked."""
        return self.status == VolunteerStatus.ACTIVE and self.can_answer

    def today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.zone)).date()

    def lacks_papers(self, asked: Collection[v.Certificate], named: bool, window: Window) -> v.Rule | None:
        """The first rule that keeps this person, by their certificates, from a service in this window; None if none does."""
        last = max(window.start_at, window.end_at - _INSTANT).astimezone(ZoneInfo(self.zone)).date()
        seen = [c for c in self.certificates if c.verified_by]
        held = {c.certificate for c in seen}
        in_force = {c.certificate for c in seen if c.expires_on is None or c.expires_on >= last}
        if named and held.isdisjoint(v.NAMED_CERTIFICATES):
            return v.Rule.AUDIENCE
        if asked and held.isdisjoint(asked):
            return v.Rule.CERTIFICATE
        if (named and in_force.isdisjoint(v.NAMED_CERTIFICATES)) or (asked and in_force.isdisjoint(asked)):
            return v.Rule.CERTIFICATE_EXPIRED
        return None

    def state(self) -> VolunteerState:
        """All that others may know: no name, no phone, and only certificates that staff have seen."""
        return VolunteerState(
            active=self.active,
            site_id=self.site_id,
            area=self.area,
            cell=self.cell,
            skills=self.skills,
            certificates=tuple(
                CertificateHeld(certificate=c.certificate, expires_on=c.expires_on)
                for c in self.certificates
                if c.verified_by
            ),
            languages=self.languages,
            modes=self.modes,
            reach_km=self.reach_km,
            zone=self.zone,
            hours=self.hours,
            free=self.free,
            busy=self.busy,
            weekly_cap_minutes=self.weekly_cap_minutes,
            weekly_contacts=self.weekly_contacts,
            quiet_from=self.quiet_from,
            quiet_to=self.quiet_to,
            blocked_until=self.blocked_until,
            team_ids=self.team_ids,
        )


def register(known: Volunteer | None, new: Volunteer, now: datetime) -> Change[Volunteer]:
    """Write a person into the registry, once."""
    if known is not None:
        raise AlreadyRegistered()
    _refuse_expired(new.certificates, new.today(now), "/certificates/{}/expires_on")
    return _changed(new)


def edit(volunteer: Volunteer, changes: dict[str, Any], now: datetime) -> Change[Volunteer]:
    """Change what the person says about themselves; windows that are over are dropped on the way.

    Whoever lives in another area now no longer lives in the old cell: without a new one there is none.
    """
    edited = volunteer.but(**changes)
    if "cell" not in changes and not one_lies_in_the_other(edited.area, volunteer.area):
        edited = edited.but(cell=None)
    free, busy = _not_over(edited.free, now), _not_over(edited.busy, now)
    return _changed(edited.but(free=free, busy=busy))


def activate(volunteer: Volunteer, by: str) -> Change[Volunteer]:
    """Staff have met the person and seen the papers: from now on they are asked, and their certificates count."""
    seen = {c.certificate: c if c.verified_by else _seen(c, by) for c in volunteer.certificates}
    return _changed(volunteer.but(status=VolunteerStatus.ACTIVE, certificates=tuple(seen.values())))


def deactivate(volunteer: Volunteer) -> Change[Volunteer]:
    """No new invitations; what the person has taken stays with them until it is done or given back."""
    return _changed(volunteer.but(status=VolunteerStatus.INACTIVE))


def note_account(volunteer: Volunteer, can_answer: bool) -> Change[Volunteer]:
    """Whoever cannot answer any more is asked no more, as if deactivated: what they have taken stays with them."""
    if volunteer.can_answer == can_answer:
        return Change(volunteer)
    return _changed(volunteer.but(can_answer=can_answer))


def certify(volunteer: Volunteer, new: Certified, now: datetime) -> Change[Volunteer]:
    """Put a certificate on file, in place of an older one of the same kind. One that staff have seen counts on until
    they have seen the new one."""
    _refuse_expired((new,), volunteer.today(now), "/expires_on")
    others = tuple(
        c
        for c in volunteer.certificates
        if c.certificate != new.certificate or (c.verified_by and not new.verified_by)
    )
    return _changed(volunteer.but(certificates=(*others, new)))


def withdraw_certificate(volunteer: Volunteer, kind: v.Certificate) -> Change[Volunteer]:
    """Take a certificate off the file, as one that was taken away or never was true: from now on nobody goes by it. What
    the person has taken stays with them until the station gives it back."""
    kept = tuple(c for c in volunteer.certificates if c.certificate != kind)
    if kept == volunteer.certificates:
        return Change(volunteer)
    return _changed(volunteer.but(certificates=kept))


def block(volunteer: Volunteer, until: datetime | None) -> Change[Volunteer]:
    """Ask this person nothing until then; None lifts the block."""
    return _changed(volunteer.but(blocked_until=until))


def join_or_leave(volunteer: Volunteer, team_id: str, member: bool) -> Change[Volunteer]:
    """Note what the team says about its members."""
    if (team_id in volunteer.team_ids) == member:
        return Change(volunteer)
    others = tuple(t for t in volunteer.team_ids if t != team_id)
    return _changed(volunteer.but(team_ids=(*others, team_id) if member else others))


def _changed(volunteer: Volunteer) -> Change[Volunteer]:
    return Change(volunteer, VolunteerChanged(state=volunteer.state()))


def _seen(certificate: Certified, by: str) -> Certified:
    return certificate.model_copy(update={"verified_by": by})


def _not_over(windows: Iterable[Window], now: datetime) -> tuple[Window, ...]:
    return tuple(w for w in windows if w.end_at > now)


def _refuse_expired(certificates: Iterable[Certified], today: date, pointer: str) -> None:
    for n, held in enumerate(certificates):
        if held.expires_on is not None and held.expires_on < today:
            raise CertificateExpired(pointer.format(n), expires_on=held.expires_on)
