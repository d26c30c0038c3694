"""Many people at once, one JSON object a line; a line that is wrong is named and does not stop the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from hashlib import sha256

from fastapi import APIRouter, Request
from pydantic import ValidationError

from services.volunteers.domain.registry import Volunteer
from services.volunteers.schemas.bulk import Loaded, RowFlaw
from services.volunteers.schemas.people import VolunteerRow
from services.volunteers.service import Volunteers
from shared.errors import Forbidden, Invalid, Refusal
from shared.http import Access, allow, id_from
from shared.http.bodies import BODY_LIMIT, bulk, read_json
from shared.http.problems import TOO_LARGE, RequestRefused, escaped
from shared.http.words import words_for
from shared.many import Wanted
from shared.ports import Op
from shared.records import Outcome

CHUNK = 128
"""So many lines are written together and share a commit."""
FLAWS_SHOWN = 1000


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
        chunk: list[tuple[int, bytes]] = []
        async for line in _lines(request.stream()):
            chunk.append(line)
            if len(chunk) == CHUNK:
                answer = await self._load(chunk, access, answer)
                chunk = []
        return await self._load(chunk, access, answer)

    async def _load(self, chunk: list[tuple[int, bytes]], access: Access, answer: Loaded) -> Loaded:
        read = [self._read(number, line, access) for number, line in chunk]
        saved = iter(await self._registry.register_all([row for row in read if isinstance(row, Wanted)]))
        rows = [
            _came_of(number, next(saved)) if isinstance(row, Wanted) else row
            for (number, _), row in zip(chunk, read, strict=True)
        ]
        flaws = [flaw for row in rows if not isinstance(row, bool) for flaw in row]
        created, repeated = rows.count(True), rows.count(False)
        return Loaded(
            lines=answer.lines + len(rows),
            created=answer.created + created,
            repeated=answer.repeated + repeated,
            refused=answer.refused + len(rows) - created - repeated,
            errors=[*answer.errors, *flaws][:FLAWS_SHOWN],
        )

    def _read(self, number: int, line: bytes, access: Access) -> Wanted[Volunteer] | list[RowFlaw]:
        """What the line asks for, or what is wrong with it."""
        try:
            return self._wanted(VolunteerRow.model_validate(read_json(line)), line, access)
        except RequestRefused as refused:
            return list(_unread(number, refused))
        except ValidationError as error:
            return list(_unfit(number, error))
        except Refusal as refusal:
            return [_refused(number, refusal)]

    def _wanted(self, row: VolunteerRow, line: bytes, access: Access) -> Wanted[Volunteer]:
        me = access.principal
        site_id = row.site_id or me.site_id
        if site_id is None:
            raise Invalid("/site_id", zh="请写明所属站点", en="say which station the person belongs to")
        if not access.reaches(site_id=site_id):
            raise Forbidden("/site_id")
        named = "\0".join(("volunteer.load", me.account_id, row.key))
        op = Op(sha256(named.encode()).hexdigest(), sha256(line).hexdigest())
        return self._registry.registering(row.account_id or id_from(op), site_id, row, op, by=me.account_id)


def _came_of(number: int, outcome: Outcome[Volunteer] | Exception) -> bool | list[RowFlaw]:
    """True if the line registered somebody, False if it had done so before, else why it was refused."""
    if isinstance(outcome, Refusal):
        return [_refused(number, outcome)]
    if isinstance(outcome, Exception):
        raise outcome
    return outcome.applied


def _refused(number: int, refusal: Refusal) -> RowFlaw:
    zh, en = refusal.words("zh"), refusal.words("en")
    return RowFlaw(line=number, field=refusal.field, code=refusal.code, zh=zh, en=en)


async def _lines(stream: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes]]:
    """The lines that are not empty, numbered from 1 as an editor numbers them. A line has the limit of a body."""
    rest, number = b"", 0
    async for chunk in stream:
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > BODY_LIMIT:
            raise RequestRefused(TOO_LARGE)
        for line in whole:
            number += 1
            if line.strip():
                yield number, line.removeprefix(b"\xef\xbb\xbf")
    if rest.strip():
        yield number + 1, rest.removeprefix(b"\xef\xbb\xbf")


def _unread(number: int, refused: RequestRefused) -> Iterator[RowFlaw]:
    problem = refused.problem
    if not refused.flaws:
        yield RowFlaw(line=number, field=None, code=problem.code, zh=problem.zh, en=problem.en)
    for flaw in refused.flaws:
        yield RowFlaw(line=number, field=flaw.pointer, code=problem.code, zh=flaw.zh, en=flaw.en)


def _unfit(number: int, error: ValidationError) -> Iterator[RowFlaw]:
    for found in error.errors(include_input=False):
        zh, en = words_for(found["type"], found.get("ctx", {}))
        field = "".join(f"/{escaped(part)}" for part in found["loc"])
        yield RowFlaw(line=number, field=field, code="invalid", zh=zh, en=en)
