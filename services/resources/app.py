"""The wiring of charity resources."""

from __future__ import annotations

from services.resources.domain.filing import HoldCard
from services.resources.domain.ledger import LedgerEntry
from services.resources.domain.records import Donor, Lot
from services.resources.handlers import handlers
from services.resources.routes import router
from services.resources.service import Holds, Lots
from shared.run.kit import Kit, Service, Sweep

RECORDS = (Donor, Lot, LedgerEntry, HoldCard)


def build(kit: Kit) -> Service:
    lots, holds = Lots(kit), Holds(kit)
    return Service(
        name="resources",
        records=RECORDS,
        router=router(lots, holds),
        handlers=handlers(lots, holds),
        sweeps=(Sweep(Lot, holds.wake_lot),),
    )
