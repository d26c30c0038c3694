"""The needs' side: stock is held, confirmed, released by message; issued, signed for, returned by people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime

from services.resources.domain.booking import confirm, place, release
from services.resources.domain.filing import HoldCard, card_of, copy_card, ripe, turn
from services.resources.domain.handover import issue, release_by_staff, sign, take_back
from services.resources.domain.ledger import LedgerEntry, enter, entry_id
from services.resources.domain.records import Hold, Lot, Receipt, lot_of
from services.resources.schemas.holds import HoldView
from shared.contracts.base import Message
from shared.contracts.matching import HoldConfirmationRequested, HoldReleaseRequested, HoldRequested
from shared.contracts.resources import HoldEvent, LotEvent
from shared.contracts.vocabulary import Closing, ReturnReason
from shared.errors import NotFound
from shared.ports import Op, Query
from shared.records import Change, Outcome, Versioned
from shared.run.kit import Kit


class Holds:
    """Holds live in their lot, so that no promise can go beyond it; cards and ledger follow from the lot's events."""

    def __init__(self, kit: Kit) -> None:
        self._store = kit.store
        self._clock = kit.clock
        self._atlas = kit.atlas

    async def place_hold(self, asked: HoldRequested, cause: Message) -> None:
        now, need_id = self._clock.now(), cause.subject
        filed, today = await self._filed(asked.hold_id), self._day(now, asked.site_id)
        zone = self._atlas.zone(asked.site_id).key

        def decide(lot: Lot | None) -> Change[Lot]:
            closed = self._is_closed_with_its_charity(lot)
            return place(lot, asked, need_id, filed, now, today, zone, closed=closed)

        await self._store.change(Lot, asked.lot_id, decide, cause=cause)

    def _is_closed_with_its_charity(self, lot: Lot | None) -> bool:
        """Whether the lot is open though its charity is closed: it was listed in the moment when that happened. It stays as
        it is, since the news that the charity is there again may have come to the lot before it comes here."""
        charity = self._atlas.organisation(lot.charity_id) if lot is not None and lot.listed else None
        return charity is not None and not charity.active

    async def confirm_hold(self, asked: HoldConfirmationRequested, cause: Message) -> None:
        now, need_id, filed = self._clock.now(), cause.subject, await self._filed(asked.hold_id)
        await self._store.change(
            Lot, asked.lot_id, lambda lot: confirm(lot, asked, need_id, filed, now), cause=cause
        )

    async def release_hold(self, asked: HoldReleaseRequested, cause: Message) -> None:
        now, need_id, filed = self._clock.now(), cause.subject, await self._filed(asked.hold_id)
        await self._store.change(
            Lot, asked.lot_id, lambda lot: release(lot, asked, need_id, filed, now), cause=cause
        )

    async def keep_books(self, event: LotEvent, cause: Message) -> None:
        """Our own event: enter it into the lot's ledger, and copy the hold that it is about to its card."""
        entered = self._store.change(
            LedgerEntry,
            entry_id(cause.subject, cause.sequence),
            lambda entry: enter(entry, event, cause),
            cause=cause,
        )
        if isinstance(event, HoldEvent):
            await asyncio.gather(entered, self._copy_card(event.hold_id, cause))
        else:
            await entered

    async def wake_lot(self, lot_id: str) -> None:
        """Let holds lapse whose time or whose goods' time is over, and file closed ones: first onto their cards, then out of the lot."""
        now = self._clock.now()
        found = await self._store.get(Lot, lot_id)
        if found is None:
            return
        filed = ripe(found.record, now)
        cards = [card_of(found.record, found.version, hold_id) for hold_id in filed]
        await asyncio.gather(*(self._write_card(card) for card in cards))
        await self._store.change(Lot, lot_id, lambda lot: turn(_there(lot), filed, now))

    async def hold(self, hold_id: str) -> Versioned[HoldCard]:
        """A hold as it is now: from its lot, or, once it was filed, from its card."""
        found = await self._store.get(Lot, lot_of(hold_id))
        if found is not None and hold_id in found.record.holds:
            card = card_of(found.record, found.version, hold_id)
            if card.hold.asked is not None:
                return Versioned(card, found.version)
        filed = await self._store.get(HoldCard, hold_id)
        if filed is None or filed.record.hold.asked is None:
            raise NotFound()
        return filed

    async def holds(self, query: Query) -> list[Versioned[HoldCard]]:
        return await self._store.find(HoldCard, query)

    async def issue(self, card: HoldCard, by: str, op: Op) -> Outcome[Lot]:
        """Here and below, `card` is the hold as it was found, perhaps filed: then it is refused by how it stands."""
        id, seen, now = card.id, card.hold, self._clock.now()
        return await self._act(
            id, op, lambda lot: issue(lot, id, by, now, self._day_of(lot, id, now), seen), now
        )

    async def sign(self, card: HoldCard, receipt: Receipt, op: Op) -> Outcome[Lot]:
        id, seen = card.id, card.hold
        return await self._act(id, op, lambda lot: sign(lot, id, receipt, seen), receipt.signed_at)

    async def release(self, card: HoldCard, reason: Closing, op: Op) -> Outcome[Lot]:
        id, seen, now = card.id, card.hold, self._clock.now()
        return await self._act(id, op, lambda lot: release_by_staff(lot, id, reason, now, seen), now)

    async def take_back(self, card: HoldCard, reason: ReturnReason, op: Op) -> Outcome[Lot]:
        """Take goods back, even if their hold has left its lot."""
        now = self._clock.now()
        return await self._act(card.id, op, lambda lot: take_back(lot, card.id, card.hold, reason, now), now)

    def now(self) -> datetime:
        return self._clock.now()

    async def _act(
        self, hold_id: str, op: Op, decide: Callable[[Lot], Change[Lot]], now: datetime
    ) -> Outcome[Lot]:
        def decided(there: Lot | None) -> Change[Lot]:
            change = decide(_there(there))
            view = HoldView.of(card_of(change.record, 0, hold_id), now)
            return Change(change.record, *change.events, answer=view.model_dump(mode="json"))

        return await self._store.change(Lot, lot_of(hold_id), decided, op=op)

    async def _filed(self, hold_id: str) -> Hold | None:
        """The copy of a hold: all there is of one that has left its lot. While it is in its lot, the lot counts."""
        card = await self._store.get(HoldCard, hold_id)
        return card.record.hold if card else None

    async def _copy_card(self, hold_id: str, cause: Message) -> None:
        """The hold as it stands in the lot now, which may be newer than the event; filed ones have their card."""
        found = await self._store.get(Lot, cause.subject)
        if found is not None and hold_id in found.record.holds:
            await self._write_card(card_of(found.record, found.version, hold_id), cause)

    async def _write_card(self, card: HoldCard, cause: Message | None = None) -> None:
        await self._store.change(HoldCard, card.id, lambda there: copy_card(there, card), cause=cause)

    def _day(self, now: datetime, site_id: str) -> date:
        return now.astimezone(self._atlas.zone(site_id)).date()

    def _day_of(self, lot: Lot, hold_id: str, now: datetime) -> date:
        """The day at the site of the need that this hold is for."""
        hold = lot.holds.get(hold_id)
        return self._day(now, hold.asked.site_id if hold and hold.asked else "")


def _there(lot: Lot | None) -> Lot:
    if lot is None:
        raise NotFound()
    return lot
