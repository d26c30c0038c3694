"""The first index: NumPy columns in the memory of the process."""

from __future__ import annotations

from services.matching.index.lots import Lots
from services.matching.index.people import People
from services.matching.index.port import LotsQuery, LotsResult, PeopleQuery, PeopleResult
from services.matching.index.ranking import candidates
from services.matching.index.search import best, explain
from services.matching.index.sieve import Sieve
from shared.contracts.parts import CalendarLoad, LotState, VolunteerState


class MemoryIndex:
    """Implements `Index`. Noting belongs to one thread; a search may run in another meanwhile, and then sees a
    person before or after a change."""

    def __init__(self) -> None:
        self._people = People()
        self._lots = Lots()

    @property
    def size(self) -> int:
        return len(self._people)

    def note_person(self, volunteer_id: str, state: VolunteerState, sequence: int) -> None:
        self._people.note(volunteer_id, state, sequence)

    def note_load(self, volunteer_id: str, load: CalendarLoad, sequence: int) -> None:
        self._people.note_load(volunteer_id, load, sequence)

    def note_lot(self, lot_id: str, state: LotState, sequence: int) -> None:
        self._lots.note(lot_id, state, sequence)

    def people(self, query: PeopleQuery) -> PeopleResult:
        sieve = Sieve(self._people, query)
        ring, rows = best(sieve)
        return PeopleResult(ring, candidates(sieve, rows), explain(sieve) if query.explain else None)

    def lots(self, query: LotsQuery) -> LotsResult:
        return self._lots.search(query)
