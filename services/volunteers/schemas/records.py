"""Service hours and teams, as they are entered and shown."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from services.volunteers.domain.service_hours import ServiceRecord
from services.volunteers.domain.teams import Team
from services.volunteers.schemas.parts import Id, Long, Name
from shared.contracts.vocabulary import HoursKind
from shared.http import Day, Page, Schema

MEMBERS = 500
Members = Annotated[tuple[Id, ...], Field(max_length=MEMBERS)]


def _local(clock: time) -> time:
    if clock.tzinfo is not None:
        raise PydanticCustomError("not_local", "must be a local time without a zone")
    return clock


LocalTime = Annotated[
    time,
    AfterValidator(_local),
    WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2})?$", "examples": ["09:00"]}),
]
"""As the clock on the wall shows it. JSON Schema's own format of a time would demand a zone."""


class HoursNew(Schema):
    """Hours that staff enter afterwards (荣誉时数). With `starts`, the local time at which the service began, it is
    also checked that nobody served twice at once."""

    day: Day
    minutes: Annotated[int, Field(ge=1, le=24 * 60)]
    starts: LocalTime | None = None
    need_id: Id | None = None
    reason: Long


class ServiceRecordView(Schema):
    id: str
    volunteer_id: str
    need_id: str | None
    hours_kind: HoursKind
    day: str
    minutes: int
    started_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    recorded_by: str | None
    recorded_at: datetime

    @classmethod
    def of(cls, record: ServiceRecord) -> Self:
        return cls(**{f: getattr(record, f) for f in cls.model_fields})


class HoursPage(Page[ServiceRecordView]):
    """A page of service records, newest day first, with the totals over all of them in minutes."""

    credit_minutes: int
    honour_minutes: int


class TeamNew(Schema):
    name: Name
    site_id: Id
    organisation_id: Id | None = None
    leader_id: Id
    member_ids: Members = ()

    def team(self, id: str) -> Team:
        return Team(
            id=id,
            name=self.name,
            site_id=self.site_id,
            organisation_id=self.organisation_id,
            leader_id=self.leader_id,
            member_ids=self.member_ids,
        )


class TeamEdit(Schema):
    """What is to be different; whatever is left out stays as it is."""

    name: Name | None = None
    leader_id: Id | None = None
    member_ids: Members | None = None
    active: bool | None = None

    def changes(self) -> dict[str, Any]:
        given = {f: getattr(self, f) for f in self.model_fields_set}
        return {f: v for f, v in given.items() if v is not None}


class TeamView(Schema):
    id: str
    name: str
    site_id: str
    organisation_id: str | None
    leader_id: str
    member_ids: tuple[str, ...]
    active: bool

    @classmethod
    def of(cls, team: Team) -> Self:
        return cls(**{f: getattr(team, f) for f in cls.model_fields})
