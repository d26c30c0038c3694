"""The one place where balances change, and the rule that may never break: held + issued <= received."""

from __future__ import annotations

from typing import Any

from services.resources.domain.records import Hold, Lot
from shared.contracts.parts import LotState


class OverCommitted(AssertionError):
    """A change would promise more than there is. It is a fault in this code: nothing was written."""


def balanced(lot: Lot, **changes: Any) -> Lot:
    """The lot with these fields changed, `available` kept in step, and the rule checked.

    Raises: OverCommitted, never reached as long as every rule asks for `available` first.
    """
    after = lot.but(**changes)
    available = after.received - after.held - after.issued - after.written_off
    if min(available, after.held, after.issued, after.written_off, after.issued_filed) < 0:
        raise OverCommitted(f"lot {lot.id}: {figures(after)}")
    return after if available == after.available else after.but(available=available)


def with_hold(lot: Lot, hold_id: str, hold: Hold, **changes: Any) -> Lot:
    """The lot with this hold as it is from now on; the balances follow from what the hold was before."""
    before = lot.holds.get(hold_id)
    promised = hold.promised - (before.promised if before else 0)
    handed_over = hold.handed_over - (before.handed_over if before else 0)
    return balanced(
        lot,
        holds={**lot.holds, hold_id: hold},
        held=lot.held + promised,
        issued=lot.issued + handed_over,
        **changes,
    )


def state(lot: Lot) -> LotState:
    """The lot as its events carry it: no donor, no note, no hold."""
    return LotState(
        charity_id=lot.charity_id,
        kind=lot.gift,
        category=lot.category,
        unit=lot.unit,
        received=lot.received,
        held=lot.held,
        issued=lot.issued,
        written_off=lot.written_off,
        attributes=lot.attributes,
        expires_on=lot.expires_on,
        area=lot.area,
        cell=lot.cell,
        earmark=lot.earmark,
        open=lot.open,
    )


def figures(lot: Lot) -> dict[str, int]:
    return {name: getattr(lot, name) for name in ("received", "held", "issued", "written_off")}


def faults(lot: Lot) -> list[str]:
    """What does not add up in a stored lot, recounted from its holds; empty as long as all is well."""
    held = sum(hold.promised for hold in lot.holds.values())
    issued = lot.issued_filed + sum(hold.handed_over for hold in lot.holds.values())
    found = []
    if held != lot.held:
        found.append(f"held is {lot.held}, the holds add up to {held}")
    if issued != lot.issued:
        found.append(f"issued is {lot.issued}, the holds add up to {issued}")
    if lot.available != lot.received - lot.held - lot.issued - lot.written_off:
        found.append(f"available is {lot.available}, which does not follow from {figures(lot)}")
    if min(lot.available, lot.held, lot.issued, lot.written_off) < 0:
        found.append(f"more is promised than was received: {figures(lot)}")
    return found
