"""The dead-letter desk over HTTP: list, show, resend, discard, for an administrator."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import Field

from shared.errors import NotFound
from shared.http import Access, Operation, Page, Pages, Schema, allow, answered
from shared.ports import Query, Store, Where
from shared.records import Outcome
from shared.run.dead_letters import OPEN, DeadLetter, LetterStatus, discard, resend
from shared.run.kit import Service
from shared.run.unit import Unit


class LetterView(Schema):
    """A message that could not be applied. `value` is the untouched message, base64."""

    service: str
    id: str
    status: LetterStatus
    type: str
    topic: str
    partition: int
    offset: int
    record: str
    reason: str
    detail: str
    attempts: int
    first_failed_at: str
    note: str
    value: str


class LetterAnswer(Schema):
    id: str
    status: LetterStatus


class Discard(Schema):
    reason: str = Field(min_length=2, max_length=200)


class Desk:
    """The dead letters of the services in this process."""

    def __init__(self, units: Mapping[str, Unit]) -> None:
        self._units = units

    def store(self, service: str) -> Store:
        unit = self._units.get(service)
        if unit is None:
            raise NotFound("/path/service")
        return unit.adapters.store

    def now(self, service: str) -> datetime:
        """The present moment, by the clock of that service."""
        return self._units[service].adapters.clock.now()

    async def listed(self, service: str, pages: Pages, status: LetterStatus | None) -> Page[LetterView]:
        statuses = (status,) if status else OPEN
        query: Query = pages.query(Where("status", "one_of", statuses))
        return pages.page(await self.store(service).find(DeadLetter, query), lambda r: view(service, r))

    async def shown(self, service: str, id: str) -> LetterView:
        found = await self.store(service).get(DeadLetter, id)
        if found is None:
            raise NotFound()
        return view(service, found.record)


def view(service: str, letter: DeadLetter) -> LetterView:
    return LetterView(
        service=service,
        id=letter.id,
        status=letter.status,
        type=letter.type,
        topic=letter.topic_name,
        partition=letter.partition,
        offset=letter.offset,
        record=letter.key,
        reason=letter.reason,
        detail=letter.detail,
        attempts=letter.attempts,
        first_failed_at=letter.first_failed_at.isoformat(),
        note=letter.note,
        value=letter.value,
    )


def letters_service(units: Mapping[str, Unit]) -> Service:
    """The desk as a service without records of its own."""
    desk = Desk(units)
    router = APIRouter(prefix="/dead-letters", tags=["operations"])
    _add_reading(router, desk)
    _add_handling(router, desk)
    return Service("operations", (), router)


def _add_reading(router: APIRouter, desk: Desk) -> None:
    @router.get("/{service}", operation_id="list_dead_letters", summary="Messages a service could not apply")
    async def list_dead_letters(
        service: str,
        pages: Pages,
        status: LetterStatus | None = None,
        access: Access = allow("dead_letter.read"),
    ) -> Page[LetterView]:
        access.require()
        return await desk.listed(service, pages, status)

    @router.get("/{service}/{id}", operation_id="show_dead_letter", summary="One of them, with its bytes")
    async def show_dead_letter(
        service: str, id: str, access: Access = allow("dead_letter.read")
    ) -> LetterView:
        access.require()
        return await desk.shown(service, id)


def _add_handling(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/{service}/{id}/resend",
        operation_id="resend_dead_letter",
        summary="Play it, and what waits behind it, again",
    )
    async def resend_dead_letter(
        service: str, id: str, op: Operation, response: Response, access: Access = allow("dead_letter.handle")
    ) -> LetterAnswer:
        access.require()
        return _answer(response, await resend(desk.store(service), id, desk.now(service), op))

    @router.post(
        "/{service}/{id}/discard", operation_id="discard_dead_letter", summary="Give it up, with a reason"
    )
    async def discard_dead_letter(
        service: str, id: str, body: Discard, op: Operation, response: Response,
        access: Access = allow("dead_letter.handle"),
    ) -> LetterAnswer:  # fmt: skip
        access.require()
        return _answer(response, await discard(desk.store(service), id, body.reason, op))


def _answer(response: Response, outcome: Outcome[DeadLetter]) -> LetterAnswer:
    return LetterAnswer.model_validate(answered(response, outcome))
