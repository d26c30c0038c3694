"""Many lots at once, one JSON object a line; a line that is wrong is named and does not stop the others."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from pydantic import ValidationError

from services.resources.schemas.lots import LotRow
from services.resources.service import Lots
from shared.errors import Forbidden, Invalid, Refusal
from shared.http import Access, allow, id_from
from shared.http.bodies import bulk
from shared.http.loading import Loaded, RowFlaw, flaws_in, in_chunks, read_line, refused, row_operation
from shared.http.problems import RequestRefused

CHUNK = 128
"""So many lines are written together and share a commit."""


class Bulk:
    def __init__(self, lots: Lots) -> None:
        self._lots = lots

    def add_to(self, router: APIRouter) -> None:
        router.post(
            "/lots/bulk",
            operation_id="load_lots",
            summary="List many lots, one JSON object a line",
        )(self.load)

    @bulk
    async def load(self, request: Request, access: Access = allow("lot.load")) -> Loaded:
        """Every line has a `key` of the charity's own, so that loading the same file again lists nothing twice."""
        answer = Loaded()
        async for chunk in in_chunks(request.stream(), CHUNK):
            rows = (self._row(number, line, access) for number, line in chunk)
            answer = answer.and_then(await asyncio.gather(*rows))
        return answer

    async def _row(self, number: int, line: bytes, access: Access) -> bool | list[RowFlaw]:
        """True if the line made a lot, False if that lot was there before, else what is wrong with it."""
        try:
            row = LotRow.model_validate(read_line(line))
            return await self._list(row, line, access)
        except (RequestRefused, ValidationError) as error:
            return flaws_in(number, error)
        except Refusal as refusal:
            return [refused(number, refusal)]

    async def _list(self, row: LotRow, line: bytes, access: Access) -> bool:
        charity_id = row.charity_id or access.principal.organisation_id
        charity = access.atlas.organisation(charity_id) if charity_id else None
        if charity_id is None or charity is None:
            raise Invalid("/charity_id", zh="没有这个慈善组织", en="there is no such charity")
        if not access.reaches(site_id=charity.site_id, organisation_id=charity_id):
            raise Forbidden("/charity_id")
        op = row_operation("lot.load", charity_id, row.key, line)
        outcome = await self._lots.list_lot(row.lot(id_from(op), charity_id), op)
        return outcome.applied and outcome.version == 1
