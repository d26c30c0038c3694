"""Editing a lot: what it is good for, and what follows for those who are to fetch from it."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.resources.domain.balance import state, with_hold
from services.resources.domain.booking import standing
from services.resources.domain.records import Lot
from services.resources.domain.stock import check_earmark
from shared.contracts.resources import HoldEvent, LotChanged
from shared.contracts.vocabulary import HoldStatus
from shared.errors import Invalid
from shared.records import Change


def edit(lot: Lot, today: date, **changes: Any) -> Change[Lot]:
    """Change conditions, expiry, place or note. Holds that were placed before keep their promise, as long as the goods
    are good."""
    after = lot.but(**changes)
    if after == lot:
        return Change(lot)
    if "expires_day" in changes and after.past_expiry(today):
        raise Invalid("/expires_on", zh="有效期已过", en="The expiry date is in the past")
    check_earmark(after.earmark)
    after, told = _told_until_when(after)
    return Change(after, LotChanged(state=state(after)), *told)


def _told_until_when(lot: Lot) -> tuple[Lot, list[HoldEvent]]:
    """Whoever is to fetch goods hears until when by this expiry, if that is another time than they were told."""
    events: list[HoldEvent] = []
    for hold_id, hold in lot.holds.items():
        until = lot.to_be_fetched_by(hold)
        if hold.status is HoldStatus.CONFIRMED and until != hold.pick_up_by:
            told = hold.but(pick_up_by=until, wanted_by=hold.wanted_by or hold.pick_up_by)
            lot = with_hold(lot, hold_id, told)
            events.append(standing(lot, hold_id, told))
    return lot, events
