"""Many people at once, one JSON object a line; a line that is wrong is named and does not stop the others."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import ValidationError

from services.volunteers.domain.registry import Volunteer
from services.volunteers.schemas.people import VolunteerRow
from services.volunteers.service import Volunteers
from shared.errors import Forbidden, Invalid, Refusal
from shared.http import Access, allow, id_from
from shared.http.bodies import bulk
from shared.http.loading import (
    Loaded,
    RowFlaw,
    came_of,
    flaws_in,
    in_chunks,
    read_line,
    refused,
    row_operation,
)
from shared.http.problems import RequestRefused
from shared.many import Wanted

CHUNK = 128
"""So many lines are written together and share a commit."""


class Bulk:
    def __init__(self, volunteers: Volunteers) -> None:
        self._registry = volunteers.registry

    def add_to(self, router: APIRouter) -> None:
        router.post(
            "/volunteers/bulk",
            operation_id="load_volunteers",
            summary="Register many people, one JSON object a line",
        )(self.load)

    @bulk
    async def load(self, request: Request, access: Access = allow("volunteer.load")) -> Loaded:
        """Every line has a `key` of its own, so that loading the same file again registers nobody twice."""
        answer = Loaded()
        async for chunk in in_chunks(request.stream(), CHUNK):
            answer = await self._load(chunk, access, answer)
        return answer

    async def _load(self, chunk: list[tuple[int, bytes]], access: Access, answer: Loaded) -> Loaded:
        read = [self._read(number, line, access) for number, line in chunk]
        saved = iter(await self._registry.register_all([row for row in read if isinstance(row, Wanted)]))
        return answer.and_then(
            [
                came_of(number, next(saved)) if isinstance(row, Wanted) else row
                for (number, _), row in zip(chunk, read, strict=True)
            ]
        )

    def _read(self, number: int, line: bytes, access: Access) -> Wanted[Volunteer] | list[RowFlaw]:
        """What the line asks for, or what is wrong with it."""
        try:
            return self._wanted(VolunteerRow.model_validate(read_line(line)), line, access)
        except (RequestRefused, ValidationError) as error:
            return flaws_in(number, error)
        except Refusal as refusal:
            return [refused(number, refusal)]

    def _wanted(self, row: VolunteerRow, line: bytes, access: Access) -> Wanted[Volunteer]:
        me = access.principal
        site_id = row.site_id or me.site_id
        if site_id is None:
            raise Invalid("/site_id", zh="请写明所属站点", en="say which station the person belongs to")
        if not access.reaches(site_id=site_id):
            raise Forbidden("/site_id")
        op = row_operation("volunteer.load", me.account_id, row.key, line)
        return self._registry.registering(row.account_id or id_from(op), site_id, row, op, by=me.account_id)
