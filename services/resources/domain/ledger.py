"""The ledger of a lot: one write-once entry per event that the lot said, from which every balance is recounted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    """The balances that follow from the quantities of the entries alone, in order of sequence."""
    return [Balances(), *running(entries)][-1]


def running(entries: Iterable[LedgerEntry]) -> Iterator[Balances]:
    """The same after each entry.

    A state that was said again (a repeated request) stands in the ledger again and moves nothing: stock of a hold
    is promised only when it is not, and handed over or given back only when it is promised. Said again with less, the
    rest is free.
    """
    balances = Balances()
    stands: dict[str | None, tuple[str, int]] = {}
    for entry in entries:
        before, after = _MOVES.get(entry.event, (None, None))
        where, promised = stands.get(entry.hold_id, ("free", 0))
        if entry.event in _SAID_OF_HELD and where == "held":
            stands[entry.hold_id] = "held", entry.quantity
            balances = _moved(balances, "held", "free", promised - entry.quantity)
        elif before is None:
            balances = _counted(balances, entry)
        elif where == before and after is not None:
            stands[entry.hold_id] = after, entry.quantity
            balances = _moved(balances, before, after, entry.quantity)
        yield balances


_SAID_OF_HELD = ("hold.placed", "hold.confirmed")


_MOVES = {
    "hold.placed": ("free", "held"),
    "hold.expired": ("held", "free"),
    "hold.released": ("held", "free"),
    "lot.issued": ("held", "issued"),
    "lot.returned": ("issued", "free"),
}


def _moved(balances: Balances, before: str, after: str, quantity: int) -> Balances:
    changes = {
        name: getattr(balances, name) + by
        for name, by in ((before, -quantity), (after, quantity))
        if name != "free"
    }
    return balances._replace(**changes)


def _counted(balances: Balances, entry: LedgerEntry) -> Balances:
    match entry.event:
        case "lot.listed" | "lot.changed":
            return balances._replace(received=balances.received + entry.quantity)
        case "lot.written_off":
            return balances._replace(written_off=balances.written_off + entry.quantity)
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
