"""The ledger of a lot: one write-once entry per event that the lot said, from which every balance is recounted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from shared.contracts.base import Message
from shared.contracts.resources import HoldEvent, LotChanged, LotEvent, LotListed, LotWrittenOff
from shared.records import Change, Record, index


class LedgerEntry(Record):
    """What one event did: how much it was about, and the balances after it. `event` is the event's name."""

    kind = "ledger_entry"
    indexes = (index("lot_id", "sequence"),)

    lot_id: str
    sequence: int
    event: str
    quantity: int
    received: int
    held: int
    issued: int
    written_off: int
    need_id: str | None = None
    hold_id: str | None = None
    at: datetime


class Balances(NamedTuple):
    received: int = 0
    held: int = 0
    issued: int = 0
    written_off: int = 0

    def plus(self, received: int = 0, held: int = 0, issued: int = 0, written_off: int = 0) -> Balances:
        return Balances(
            self.received + received, self.held + held, self.issued + issued, self.written_off + written_off
        )


def entry_id(lot_id: str, sequence: int) -> str:
    return f"{lot_id}/{sequence}"


def enter(existing: LedgerEntry | None, event: LotEvent, message: Message) -> Change[LedgerEntry]:
    """Write the entry of this event, once."""
    if existing is not None:
        return Change(existing)
    state = event.state
    return Change(
        LedgerEntry(
            id=entry_id(message.subject, message.sequence),
            lot_id=message.subject,
            sequence=message.sequence,
            event=event.name,
            quantity=_quantity(event),
            received=state.received,
            held=state.held,
            issued=state.issued,
            written_off=state.written_off,
            need_id=event.need_id if isinstance(event, HoldEvent) else None,
            hold_id=event.hold_id if isinstance(event, HoldEvent) else None,
            at=message.time,
        )
    )


def recount(entries: Iterable[LedgerEntry]) -> Balances:
    """The balances that follow from the quantities of the entries alone, in order of sequence.

    A state that was said again (a repeated request) stands in the ledger again and is counted once.
    """
    balances = Balances()
    counted: set[tuple[str, str]] = set()
    for entry in entries:
        if entry.hold_id is not None:
            if (entry.hold_id, entry.event) in counted:
                continue
            counted.add((entry.hold_id, entry.event))
        balances = _after(balances, entry)
    return balances


def _after(balances: Balances, entry: LedgerEntry) -> Balances:
    q = entry.quantity
    match entry.event:
        case "lot.listed" | "lot.changed":
            return balances.plus(received=q)
        case "lot.written_off":
            return balances.plus(written_off=q)
        case "hold.placed":
            return balances.plus(held=q)
        case "hold.expired" | "hold.released":
            return balances.plus(held=-q)
        case "lot.issued":
            return balances.plus(held=-q, issued=q)
        case "lot.returned":
            return balances.plus(issued=-q)
        case _:
            return balances


def _quantity(event: LotEvent) -> int:
    match event:
        case LotListed():
            return event.state.received
        case LotChanged():
            return event.added
        case LotWrittenOff() | HoldEvent():
            return event.quantity
        case _:
            return 0
