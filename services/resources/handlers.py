"""What charity resources hears: that a charity was closed, matching's requests, and its own events, from which ledger and
cards are kept."""

from __future__ import annotations

from typing import Any

from services.resources.service import Holds, Lots
from shared.contracts.directory import OrganisationChanged
from shared.contracts.matching import HoldConfirmationRequested, HoldReleaseRequested, HoldRequested
from shared.contracts.resources import (
    HoldConfirmed,
    HoldExpired,
    HoldPlaced,
    HoldRefused,
    HoldReleased,
    LotChanged,
    LotIssued,
    LotListed,
    LotReceived,
    LotReturned,
    LotWrittenOff,
)
from shared.run.kit import Handler, on


def handlers(lots: Lots, holds: Holds) -> list[Handler[Any]]:
    return [
        on(OrganisationChanged, lots.follow_charity),
        on(HoldRequested, holds.place_hold),
        on(HoldConfirmationRequested, holds.confirm_hold),
        on(HoldReleaseRequested, holds.release_hold),
        on(LotListed, holds.keep_books),
        on(LotChanged, holds.keep_books),
        on(LotWrittenOff, holds.keep_books),
        on(HoldPlaced, holds.keep_books),
        on(HoldRefused, holds.keep_books),
        on(HoldConfirmed, holds.keep_books),
        on(HoldExpired, holds.keep_books),
        on(HoldReleased, holds.keep_books),
        on(LotIssued, holds.keep_books),
        on(LotReceived, holds.keep_books),
        on(LotReturned, holds.keep_books),
    ]
