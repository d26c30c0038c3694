"""Needs in bulk: JSON lines, saved many at a time, each line on its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import NamedTuple

from pydantic import ValidationError

from services.needs.domain import ordering
from services.needs.domain.household import Household
from services.needs.domain.need import Need
from services.needs.domain.ordering import Moment
from services.needs.domain.words import Channel
from services.needs.schemas.needs import NeedRow
from services.needs.service.needs import Needs
from shared.errors import Invalid, Refusal
from shared.http import Access, id_from
from shared.http.loading import (
    Loaded,
    Place,
    RowFlaw,
    came_of,
    flaws_in,
    in_chunks,
    read_line,
    refused,
    row_operation,
)
from shared.http.problems import RequestRefused
from shared.many import Wanted, change_many
from shared.records import Change

CHUNK = 512
"""So many lines are written together and share a commit."""
_KINDS = frozenset({"people", "goods"})


class Row(NamedTuple):
    """A line that could be read."""

    number: int
    text: bytes
    asked: NeedRow


Read = Row | list[RowFlaw]


class Loading(Needs):
    async def load(self, access: Access, stream: AsyncIterator[bytes], *, skip: bool) -> Loaded:
        """Save every line that makes sense; what is counted as created is durable when this returns.

        Without `skip` it stops after the chunk that holds the first bad line. A line is named by its `key` within
        its site, so the same file can be sent again after mending it, and only what is new is created.
        """
        tally = Loaded()
        async for chunk in in_chunks(stream, CHUNK):
            tally = await self._load(access, chunk, tally)
            if tally.refused and not skip:
                return tally.model_copy(update={"stopped_at": tally.errors[0].line})
        return tally

    async def _load(self, access: Access, chunk: Sequence[tuple[int, bytes]], tally: Loaded) -> Loaded:
        read = [_read(number, line) for number, line in chunk]
        households = await self._households(access, read)
        moments = {site_id: self._moment(site_id) for site_id in {h.site_id for h in households.values()}}
        asked = [self._asked(access, one, households, moments) for one in read]
        saved = iter(await change_many(self._store, Need, [one for one in asked if isinstance(one, Wanted)]))
        return tally.and_then(
            [
                came_of(number, next(saved)) if isinstance(one, Wanted) else one
                for (number, _), one in zip(chunk, asked, strict=True)
            ]
        )

    async def _households(self, access: Access, chunk: Sequence[Read]) -> dict[str, Household]:
        """The households of these lines that are within reach."""
        ids = {read.asked.household_id for read in chunk if isinstance(read, Row)}
        found = await asyncio.gather(*(self._store.get(Household, id) for id in ids))
        return {h.record.id: h.record for h in found if h and access.reaches(site_id=h.record.site_id)}

    def _asked(
        self, access: Access, read: Read, households: dict[str, Household], moments: dict[str, Moment]
    ) -> Wanted[Need] | list[RowFlaw]:
        """The change that this line asks for, or what is wrong with it."""
        if not isinstance(read, Row):
            return read
        try:
            household = _household(read.asked, households)
        except Refusal as refusal:
            return [refused(read.number, refusal)]
        owner = household.first_site_id or household.site_id
        op = row_operation("need.load", owner, read.asked.key, read.text)
        id, at, by = id_from(op), moments[household.site_id], access.principal.account_id
        return Wanted(id, partial(_post, id, read.asked, household, by, at), op)


def _post(
    id: str, asked: NeedRow, household: Household, by: str, at: Moment, need: Need | None
) -> Change[Need]:
    if need is not None:
        return Change(need)
    if asked.site_id is not None and asked.site_id != household.site_id:
        raise Invalid("/site_id", zh="这户属于另一个站点", en="this household belongs to another site")
    order = asked.order(channel=Channel.LOADED)
    return ordering.post(None, ordering.write_order(id, order, household, by, at), order.lines, at)


def _household(asked: NeedRow, households: dict[str, Household]) -> Household:
    household = households.get(asked.household_id)
    if household is None:
        raise Invalid("/household_id", zh="没有这户的档案", en="there is no file of this household")
    return household


def _read(number: int, line: bytes) -> Read:
    """The line as an order, or what is wrong with it."""
    try:
        return Row(number, line, NeedRow.model_validate(read_line(line)))
    except (RequestRefused, ValidationError) as error:
        return flaws_in(number, error, _in_the_row)


def _in_the_row(place: Place) -> Place:
    """Behind /lines/<n> stands which kind of line was tried, which is no part of the row."""
    return tuple(part for n, part in enumerate(place) if not (n == 2 and part in _KINDS))
