"""The charity's side: who gave, what was given, and on what conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

import h3
from pydantic import BaseModel

from services.resources.domain.editing import edit
from services.resources.domain.ledger import LedgerEntry
from services.resources.domain.records import Donor, Lot, WriteOffReason
from services.resources.domain.stock import (
    CharityClosed,
    check_listing,
    follow_charity,
    list_lot,
    receive_more,
    set_open,
    write_off,
)
from services.resources.schemas.lots import LotView
from shared.contracts.base import Message
from shared.contracts.directory import OrganisationChanged
from shared.contracts.parts import Earmark
from shared.errors import Invalid, NotFound
from shared.many import Wanted, change_many, outcomes
from shared.ports import Op, Query, Where
from shared.records import Change, Outcome, Record, Versioned
from shared.run.kit import Kit

R = TypeVar("R", bound=Record)
Answer = Callable[[Lot], BaseModel]
AT_ONCE = 200
"""So many lots of a charity are closed or opened together."""


class Lots:
    """Donors and lots. Every lot method answers as the charity that owns the lot sees it."""

    def __init__(self, kit: Kit) -> None:
        self._store = kit.store
        self._clock = kit.clock
        self._atlas = kit.atlas

    async def register_donor(self, donor: Donor, op: Op, answer: dict[str, Any]) -> Outcome[Donor]:
        return await self._store.change(
            Donor, donor.id, lambda there: Change(there or donor, answer=answer), op=op
        )

    async def donor(self, id: str) -> Versioned[Donor]:
        return _there(await self._store.get(Donor, id))

    async def donors(self, query: Query) -> list[Versioned[Donor]]:
        return await self._store.find(Donor, query)

    async def list_lot(self, lot: Lot, op: Op, answer: Answer = LotView.own) -> Outcome[Lot]:
        """Put a lot on the list, once per op. Raises Invalid, naming the field, for what makes no sense."""
        await self._check_donor(lot)

        def decide(there: Lot | None) -> Change[Lot]:
            if there is None or not there.listed:
                self._check_charity(lot)
                self._check(lot)
            return _answered(list_lot(there, lot), answer)

        return await self._store.change(Lot, lot.id, decide, op=op)

    async def lot(self, id: str) -> Versioned[Lot]:
        """A lot that somebody listed."""
        found = _there(await self._store.get(Lot, id))
        if not found.record.listed:
            raise NotFound()
        return found

    async def lots(self, query: Query) -> list[Versioned[Lot]]:
        return await self._store.find(Lot, query)

    async def ledger(self, query: Query) -> list[Versioned[LedgerEntry]]:
        return await self._store.find(LedgerEntry, query)

    async def receive_more(self, id: str, added: int, op: Op) -> Outcome[Lot]:
        return await self._act(id, op, lambda lot: receive_more(lot, added))

    async def write_off(
        self, id: str, quantity: int, reason: WriteOffReason, by: str, op: Op
    ) -> Outcome[Lot]:
        now = self._clock.now()
        return await self._act(id, op, lambda lot: write_off(lot, quantity, reason, by, now))

    async def close_lot(self, id: str, op: Op) -> Outcome[Lot]:
        return await self._act(id, op, lambda lot: set_open(lot, False))

    async def open_lot(self, id: str, op: Op) -> Outcome[Lot]:
        def decide(lot: Lot) -> Change[Lot]:
            self._check_charity(lot)
            return set_open(lot, True)

        return await self._act(id, op, decide)

    async def follow_charity(self, event: OrganisationChanged, cause: Message) -> None:
        """Close the lots of a charity that was closed, or open them again."""
        if self._atlas.knows_newer(cause):
            return
        query = Query((Where("charity_id", "equal", cause.subject),), limit=AT_ONCE)
        while found := await self._store.find(Lot, query):
            wanted = [
                Wanted(v.record.id, lambda lot: follow_charity(_listed(lot), event.active)) for v in found
            ]
            outcomes(await change_many(self._store, Lot, wanted, cause=cause))
            query = replace(query, after=query.cursor(found[-1].record))

    async def edit_lot(self, id: str, expected: int, changes: dict[str, Any]) -> Outcome[Lot]:
        """Change what `changes` names. Raises Stale unless the lot is at version `expected`."""

        def decide(there: Lot | None) -> Change[Lot]:
            lot = _listed(there)
            self._check_places(lot.but(**changes))
            if "earmark" in changes:
                self._check_earmark(changes["earmark"])
            return edit(lot, self._today(lot), **changes)

        return await self._store.change(Lot, id, decide, expect=expected)

    async def _act(self, id: str, op: Op, decide: Callable[[Lot], Change[Lot]]) -> Outcome[Lot]:
        return await self._store.change(
            Lot, id, lambda there: _answered(decide(_listed(there)), LotView.own), op=op
        )

    def _today(self, lot: Lot) -> date:
        """The day where the lot is stored."""
        return self._clock.now().astimezone(self._atlas.zone(lot.site_id or "")).date()

    def _check(self, lot: Lot) -> None:
        check_listing(lot, self._today(lot))
        self._check_places(lot)
        self._check_earmark(lot.earmark)

    def _check_charity(self, lot: Lot) -> None:
        charity = self._atlas.organisation(lot.charity_id)
        if charity is not None and not charity.active:
            raise CharityClosed()

    async def _check_donor(self, lot: Lot) -> None:
        if lot.donor_id is None:
            return
        donor = await self._store.get(Donor, lot.donor_id)
        if donor is None or donor.record.charity_id != lot.charity_id:
            raise Invalid("/donor_id", zh="没有这位捐赠人", en="there is no such donor")

    def _check_places(self, lot: Lot) -> None:
        if self._atlas.area(lot.area) is None:
            raise Invalid("/area", zh="没有这个区划代码", en="there is no such area code")
        if lot.site_id is not None and self._atlas.site(lot.site_id) is None:
            raise Invalid("/site_id", zh="没有这个站点", en="there is no such site")
        if lot.cell is not None and not h3.is_valid_cell(lot.cell):
            raise Invalid("/cell", zh="不是有效的 H3 网格编号", en="is not a valid H3 cell")

    def _check_earmark(self, earmark: Earmark) -> None:
        for n, code in enumerate(earmark.areas):
            if self._atlas.area(code) is None:
                raise Invalid(f"/earmark/areas/{n}", zh="没有这个区划代码", en="there is no such area code")


def _there(found: Versioned[R] | None) -> Versioned[R]:
    if found is None:
        raise NotFound()
    return found


def _listed(lot: Lot | None) -> Lot:
    if lot is None or not lot.listed:
        raise NotFound()
    return lot


def _answered(change: Change[Lot], answer: Answer) -> Change[Lot]:
    return Change(change.record, *change.events, answer=answer(change.record).model_dump(mode="json"))
