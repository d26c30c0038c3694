"""The wiring of matching."""

from __future__ import annotations

from collections.abc import Callable

from services.matching.domain.bond import Bond
from services.matching.domain.match import Match
from services.matching.domain.wave import Wave
from services.matching.handlers import handlers
from services.matching.index.memory import MemoryIndex
from services.matching.index.port import Index
from services.matching.routes import router
from services.matching.service import Copies, Matching, Stations, Waves
from shared.run.kit import Kit, Service, Sweep

RECORDS = (Match, Wave, Bond)


def build(kit: Kit, ready: Callable[[], bool] = lambda: True, index: Index | None = None) -> Service:
    """`ready` says whether the private reader has caught up; until then no wave is planned. `index` is the one in
    memory unless another is given."""
    index = index or MemoryIndex()
    stations = Stations(kit.clock, kit.atlas)
    waves = Waves(kit.store, stations, index)
    return Service(
        name="matching",
        records=RECORDS,
        router=router(kit.store, waves),
        handlers=handlers(Matching(kit.store, stations)),
        watches=Copies(index).watches(),
        sweeps=(Sweep(Match, waves.wake, ready),),
    )
