"""Volunteers, as they are registered, edited and shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import Field

from services.volunteers.domain.calendar import Task
from services.volunteers.domain.registry import Certified, Volunteer, VolunteerStatus
from services.volunteers.schemas.parts import (
    Home,
    Hours,
    Id,
    MinuteOfDay,
    Name,
    Phone,
    Short,
    Spans,
    known_zone,
    weekly,
    windows,
)
from shared.contracts.parts import Window
from shared.contracts.vocabulary import Certificate, Language, Mode, Skill, TaskStatus
from shared.errors import Invalid
from shared.http import Day, Moment, Schema

Skills = Annotated[tuple[Skill, ...], Field(max_length=len(Skill))]
Languages = Annotated[tuple[Language, ...], Field(max_length=len(Language))]
Modes = Annotated[tuple[Mode, ...], Field(min_length=1, max_length=len(Mode))]
Kilometres = Annotated[int, Field(ge=0, le=500)]
WeekMinutes = Annotated[int, Field(ge=0, le=7 * 24 * 60)]
Contacts = Annotated[int, Field(ge=0, le=100)]
AreaCode = Annotated[str, Field(pattern=r"^(\d{2}|\d{4}|\d{6}|\d{9}|\d{12})$")]


class CertificateNew(Schema):
    certificate: Certificate
    expires_on: Day | None = None

    def certified(self, verified_by: str | None) -> Certified:
        return Certified(certificate=self.certificate, expires_on=self.expires_on, verified_by=verified_by)


class VolunteerNew(Schema):
    """A person who wants to help. `account_id` is the id of an account of the directory; it is left out by those who
    register themselves, and for people who never sign in. Social workers, and staff who are volunteers too, as long as
    they are not registered, must say which: their own id, or null."""

    account_id: Id | None = None
    name: Name
    phone: Phone = ""
    site_id: Id | None = None
    area: AreaCode
    home: Home | None = None
    skills: Skills = ()
    certificates: Annotated[tuple[CertificateNew, ...], Field(max_length=len(Certificate))] = ()
    languages: Languages = (Language.MANDARIN,)
    modes: Modes = (Mode.ON_SITE,)
    reach_km: Kilometres = 20
    zone: Short | None = None
    hours: Hours = ()
    free: Spans = ()
    busy: Spans = ()
    weekly_cap_minutes: WeekMinutes = 600
    weekly_contacts: Contacts = 5
    quiet_from: MinuteOfDay = 22 * 60
    quiet_to: MinuteOfDay = 7 * 60

    def volunteer(
        self,
        id: str,
        site_id: str,
        zone: str,
        status: VolunteerStatus,
        by: str,
        seen_by: str | None,
        now: datetime,
    ) -> Volunteer:
        """The profile that this asks for."""
        return Volunteer(
            id=id,
            name=self.name,
            phone=self.phone,
            site_id=site_id,
            area=self.area,
            cell=self.home.cell if self.home else None,
            skills=once(self.skills),
            certificates=tuple(c.certified(seen_by) for c in self._certificates()),
            languages=once(self.languages),
            modes=once(self.modes),
            reach_km=self.reach_km,
            zone=known_zone(self.zone) if self.zone else zone,
            hours=weekly(self.hours),
            free=windows(self.free, "/free"),
            busy=windows(self.busy, "/busy"),
            weekly_cap_minutes=self.weekly_cap_minutes,
            weekly_contacts=self.weekly_contacts,
            quiet_from=self.quiet_from,
            quiet_to=self.quiet_to,
            status=status,
            registered_at=now,
            registered_by=by,
        )

    def _certificates(self) -> tuple[CertificateNew, ...]:
        seen: set[Certificate] = set()
        for n, given in enumerate(self.certificates):
            if given.certificate in seen:
                raise Invalid(
                    f"/certificates/{n}/certificate",
                    zh="同一证书填了两次",
                    en="this certificate stands here twice",
                )
            seen.add(given.certificate)
        return self.certificates


class CertificateGone(Schema):
    """Which one is to be taken off the file."""

    certificate: Certificate


class VolunteerRow(VolunteerNew):
    """One line of a bulk load; the same `key` loads a person once."""

    key: Annotated[str, Field(min_length=1, max_length=200)]


class VolunteerEdit(Schema):
    """What is to be different; whatever is left out stays as it is. Who moves into another area without a new `home`
    has none any more."""

    name: Name | None = None
    phone: Phone | None = None
    site_id: Id | None = None
    area: AreaCode | None = None
    home: Home | None = None
    skills: Skills | None = None
    languages: Languages | None = None
    modes: Modes | None = None
    reach_km: Kilometres | None = None
    zone: Short | None = None
    hours: Hours | None = None
    free: Spans | None = None
    busy: Spans | None = None
    weekly_cap_minutes: WeekMinutes | None = None
    weekly_contacts: Contacts | None = None
    quiet_from: MinuteOfDay | None = None
    quiet_to: MinuteOfDay | None = None

    def changes(self) -> dict[str, Any]:
        """The fields of the record that this changes, in the record's own form. `home: null` forgets the cell."""
        plain = ("name", "phone", "site_id", "area", "reach_km", "weekly_cap_minutes", "weekly_contacts",
                 "quiet_from", "quiet_to")  # fmt: skip
        changed: dict[str, Any] = {f: v for f in plain if (v := getattr(self, f)) is not None}
        lists = {f: once(v) for f in ("skills", "languages", "modes") if (v := getattr(self, f)) is not None}
        spans = {f: windows(v, f"/{f}") for f in ("free", "busy") if (v := getattr(self, f)) is not None}
        if self.hours is not None:
            changed["hours"] = weekly(self.hours)
        if self.zone is not None:
            changed["zone"] = known_zone(self.zone)
        if "home" in self.model_fields_set:
            changed["cell"] = self.home.cell if self.home else None
        return changed | lists | spans


class Block(Schema):
    """Until when this person is asked nothing; null lifts the block."""

    until: Moment | None


class CertificateView(Schema):
    certificate: Certificate
    expires_on: date | None
    verified: bool


class VolunteerView(Schema):
    """A profile, for the person themselves and for staff. `can_answer` is false once the account is closed, or lost the roles
    that answer invitations: then nobody asks them."""

    id: str
    name: str
    phone: str
    status: VolunteerStatus
    can_answer: bool
    site_id: str
    area: str
    cell: str | None
    skills: tuple[Skill, ...]
    certificates: tuple[CertificateView, ...]
    languages: tuple[Language, ...]
    modes: tuple[Mode, ...]
    reach_km: int
    zone: str
    hours: tuple[int, ...]
    free: tuple[Window, ...]
    busy: tuple[Window, ...]
    weekly_cap_minutes: int
    weekly_contacts: int
    quiet_from: int
    quiet_to: int
    blocked_until: datetime | None
    team_ids: tuple[str, ...]
    registered_at: datetime

    @classmethod
    def of(cls, volunteer: Volunteer) -> Self:
        same = {f: getattr(volunteer, f) for f in cls.model_fields if f != "certificates"}
        certificates = tuple(
            CertificateView(certificate=c.certificate, expires_on=c.expires_on, verified=bool(c.verified_by))
            for c in volunteer.certificates
        )
        return cls(**same, certificates=certificates)


class HelperView(Schema):
    """Who comes, for those who expect them; `phone` only as long as the task is ahead or goes on. `active` is false for
    somebody who is asked no more, deactivated or without an account by now: it may be wise to call."""

    volunteer_id: str
    name: str
    phone: str | None
    active: bool

    @classmethod
    def of(cls, volunteer: Volunteer, task: Task) -> Self:
        ahead = task.status in (TaskStatus.TAKEN, TaskStatus.CHECKED_IN)
        return cls(
            volunteer_id=volunteer.id,
            name=volunteer.name,
            phone=(volunteer.phone or None) if ahead else None,
            active=volunteer.active,
        )


def once(terms: Sequence[Any]) -> tuple[Any, ...]:
    """Each of them once, in the order given."""
    return tuple(dict.fromkeys(terms))
