"""Needs in bulk: JSON lines, saved many at a time, each line on its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from hashlib import sha256
from typing import NamedTuple

from pydantic import ValidationError

from services.needs.domain import ordering
from services.needs.domain.household import Household
from services.needs.domain.need import Need
from services.needs.domain.ordering import Moment
from services.needs.domain.words import Channel
from services.needs.schemas.loading import Loaded, RowFlaw
from services.needs.schemas.needs import NeedRow
from services.needs.service.needs import Needs
from shared.errors import Invalid, KeyReused, Refusal
from shared.http import Access, id_from
from shared.http.bodies import BODY_LIMIT, read_json
from shared.http.problems import BROKEN_JSON, TOO_LARGE, RequestRefused, escaped
from shared.http.words import words_for
from shared.many import Wanted, change_many
from shared.ports import Op
from shared.records import Change, Outcome

CHUNK = 512
"""So many lines are written together and share a commit."""
FLAWS_SHOWN = 1000
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
        chunk: list[Read] = []
        async for number, line in _lines(stream):
            chunk.append(_read(number, line))
            if len(chunk) == CHUNK:
                tally, chunk = await self._load(access, chunk, tally), []
                if tally.refused and not skip:
                    return tally.model_copy(update={"stopped_at": tally.errors[0].line})
        tally = await self._load(access, chunk, tally)
        stopped_at = tally.errors[0].line if tally.refused and not skip else None
        return tally.model_copy(update={"stopped_at": stopped_at})

    async def _load(self, access: Access, chunk: Sequence[Read], tally: Loaded) -> Loaded:
        households = await self._households(access, chunk)
        moments = {site_id: self._moment(site_id) for site_id in {h.site_id for h in households.values()}}
        asked = [self._asked(access, read, households, moments) for read in chunk]
        saved = iter(await change_many(self._store, Need, [one for one in asked if isinstance(one, Wanted)]))
        results = [
            _came_of(read, next(saved)) if isinstance(one, Wanted) else one
            for read, one in zip(chunk, asked, strict=True)
        ]
        flaws = [flaw for result in results if not isinstance(result, bool) for flaw in result]
        created, repeated = results.count(True), results.count(False)
        return Loaded(
            lines=tally.lines + len(results),
            created=tally.created + created,
            repeated=tally.repeated + repeated,
            refused=tally.refused + len(results) - created - repeated,
            errors=(*tally.errors, *flaws)[:FLAWS_SHOWN],
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
            return [_refused(read.number, refusal)]
        op = _operation(read, household)
        id, at, by = id_from(op), moments[household.site_id], access.principal.account_id
        return Wanted(id, partial(_post, id, read.asked, household, by, at), op)


def _came_of(read: Read, outcome: Outcome[Need] | Exception) -> bool | list[RowFlaw]:
    """True if the line made a need, False if that need was there before, else why it was refused."""
    if isinstance(outcome, Refusal) and isinstance(read, Row):
        return [_refused(read.number, outcome)]
    if isinstance(outcome, Exception):
        raise outcome
    return outcome.applied


def _refused(number: int, refusal: Refusal) -> RowFlaw:
    field = "/key" if isinstance(refusal, KeyReused) else refusal.field
    return _flaw(number, field, refusal.code, (refusal.words("zh"), refusal.words("en")))


def _post(
    id: str, asked: NeedRow, household: Household, by: str, at: Moment, need: Need | None
) -> Change[Need]:
    if need is not None:
        return Change(need)
    order = asked.order(channel=Channel.LOADED)
    return ordering.post(None, ordering.write_order(id, order, household, by, at), order.lines, at)


def _household(asked: NeedRow, households: dict[str, Household]) -> Household:
    household = households.get(asked.household_id)
    if household is None:
        raise Invalid("/household_id", zh="没有这户的档案", en="there is no file of this household")
    if asked.site_id is not None and asked.site_id != household.site_id:
        raise Invalid("/site_id", zh="这户属于另一个站点", en="this household belongs to another site")
    return household


def _operation(row: Row, household: Household) -> Op:
    named = "\0".join(("need.load", household.site_id, row.asked.key))
    return Op(sha256(named.encode()).hexdigest(), sha256(row.text).hexdigest())


async def _lines(stream: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes]]:
    """The lines that are not empty, numbered from 1 as an editor numbers them. A line has the limit of a body."""
    rest, number = b"", 0
    async for piece in stream:
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > BODY_LIMIT:
            raise RequestRefused(TOO_LARGE)
        for line in whole:
            number += 1
            if line.strip():
                yield number, line.removeprefix(b"\xef\xbb\xbf")
    if rest.strip():
        yield number + 1, rest.removeprefix(b"\xef\xbb\xbf")


def _read(number: int, line: bytes) -> Read:
    """The line as an order, or what is wrong with it."""
    try:
        if b"\\u" in line:
            return Row(number, line, NeedRow.model_validate(read_json(line)))
        return Row(number, line, NeedRow.model_validate_json(line))
    except RequestRefused as refused:
        code, broken = refused.problem.code, (refused.problem.zh, refused.problem.en)
        return [_flaw(number, f.pointer, code, (f.zh, f.en)) for f in refused.flaws] or [
            _flaw(number, None, code, broken)
        ]
    except ValidationError as error:
        return list(_unfit(number, error))


def _unfit(number: int, error: ValidationError) -> Iterator[RowFlaw]:
    for found in error.errors(include_input=False, include_url=False):
        if found["type"] == "json_invalid":
            yield _flaw(number, None, BROKEN_JSON.code, (BROKEN_JSON.zh, BROKEN_JSON.en))
            continue
        # Behind /lines/<n> stands which kind of line was tried, which is no part of the row.
        parts = [part for n, part in enumerate(found["loc"]) if not (n == 2 and part in _KINDS)]
        pointer = "".join(f"/{escaped(part)}" for part in parts)
        yield _flaw(number, pointer, "invalid", words_for(found["type"], found.get("ctx", {})))


def _flaw(number: int, field: str | None, code: str, words: tuple[str, str]) -> RowFlaw:
    return RowFlaw(line=number, field=field, code=code, zh=words[0], en=words[1])
