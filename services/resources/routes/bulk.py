"""Many lots at once, one JSON object a line; a line that is wrong is named and does not stop the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256

from fastapi import APIRouter, Request
from pydantic import ValidationError

from services.resources.schemas.bulk import Loaded, RowFlaw
from services.resources.schemas.lots import LotRow
from services.resources.service import Lots
from shared.errors import Forbidden, Invalid, KeyReused, Refusal
from shared.http import Access, allow, id_from
from shared.http.bodies import BODY_LIMIT, bulk, read_json
from shared.http.problems import TOO_LARGE, RequestRefused, escaped
from shared.http.words import words_for
from shared.ports import Op

NDJSON = "application/x-ndjson"
CHUNK = 128
"""So many lines are written together and share a commit."""
FLAWS_SHOWN = 1000


class Bulk:
    def __init__(self, lots: Lots) -> None:
        self._lots = lots

    def add_to(self, router: APIRouter) -> None:
        router.post(
            "/lots/bulk",
            operation_id="load_lots",
            summary="List many lots, one JSON object a line",
            openapi_extra={
                "requestBody": {"required": True, "content": {NDJSON: {"schema": {"type": "string"}}}}
            },
        )(self.load)

    @bulk
    async def load(self, request: Request, access: Access = allow("lot.load")) -> Loaded:
        """Every line has a `key` of the charity's own, so that loading the same file again lists nothing twice."""
        answer = Loaded()
        chunk: list[tuple[int, bytes]] = []
        async for line in _lines(request.stream()):
            chunk.append(line)
            if len(chunk) == CHUNK:
                answer = await self._load(chunk, access, answer)
                chunk = []
        return await self._load(chunk, access, answer)

    async def _load(self, chunk: list[tuple[int, bytes]], access: Access, answer: Loaded) -> Loaded:
        rows = await asyncio.gather(*(self._row(number, line, access) for number, line in chunk))
        flaws = [flaw for row in rows if not isinstance(row, bool) for flaw in row]
        created, repeated = rows.count(True), rows.count(False)
        return Loaded(
            lines=answer.lines + len(rows),
            created=answer.created + created,
            repeated=answer.repeated + repeated,
            refused=answer.refused + len(rows) - created - repeated,
            errors=[*answer.errors, *flaws][:FLAWS_SHOWN],
        )

    async def _row(self, number: int, line: bytes, access: Access) -> bool | list[RowFlaw]:
        """True if the line made a lot, False if that lot was there before, else what is wrong with it."""
        try:
            row = LotRow.model_validate(read_json(line))
            return await self._list(row, line, access)
        except RequestRefused as refused:
            return list(_unread(number, refused))
        except ValidationError as error:
            return list(_unfit(number, error))
        except Refusal as refusal:
            zh, en = refusal.words("zh"), refusal.words("en")
            field = "/key" if isinstance(refusal, KeyReused) else refusal.field
            return [RowFlaw(line=number, field=field, code=refusal.code, zh=zh, en=en)]

    async def _list(self, row: LotRow, line: bytes, access: Access) -> bool:
        charity_id = row.charity_id or access.principal.organisation_id
        charity = access.atlas.organisation(charity_id) if charity_id else None
        if charity_id is None or charity is None:
            raise Invalid("/charity_id", zh="没有这个慈善组织", en="there is no such charity")
        if not access.reaches(site_id=charity.site_id, organisation_id=charity_id):
            raise Forbidden("/charity_id")
        named = "\0".join(("lot.load", charity_id, row.key))
        op = Op(sha256(named.encode()).hexdigest(), sha256(line).hexdigest())
        outcome = await self._lots.list_lot(row.lot(id_from(op), charity_id), op)
        return outcome.applied and outcome.version == 1


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
