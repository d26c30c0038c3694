"""Waking a match: a wave is planned from the index, written down, and carried out if the match is still the same."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from services.matching.domain.bond import Bond
from services.matching.domain.escalation import RINGS, raise_tier
from services.matching.domain.match import Match
from services.matching.domain.planning import (
    ASKED_AT_MOST,
    due_goods,
    due_people,
    goods_plan,
    is_too_late,
    lots_query,
    people_plan,
    people_query,
    too_late_plan,
)
from services.matching.domain.rivals import going_to, rivals_for_goods, rivals_for_people, scarcest_first
from services.matching.domain.scene import Scene
from services.matching.domain.searching import wake
from services.matching.domain.wave import GoodsPlan, PeoplePlan, Wave, wave_id
from services.matching.index.port import Index, LotsQuery, PeopleQuery, PeopleResult
from services.matching.service.stations import Stations
from shared.contracts.parts import GoodsLine, LineDiagnosis, PeopleLine
from shared.errors import NotFound, Stale
from shared.many import first_then
from shared.ports import Store
from shared.records import Change

SEARCH_ASIDE = 250_000
"""With more people than this a search goes to a thread of its own, so that the loop is not held up."""
EXPLAIN_ASIDE = 40_000
"""So does a search that has to account for everybody."""


class Written:
    """The wave that stands in the store for a match as it is: known once its change has been decided."""

    wave: Wave | None = None


class Waves:
    """Plans and carries out."""

    def __init__(self, store: Store, stations: Stations, index: Index) -> None:
        self._store = store
        self._stations = stations
        self._index = index

    async def wake(self, need_id: str) -> None:
        """Let the timers of a match pass. If it changes while the wave is planned, the plan is dropped, and the match,
        still due, is woken again."""
        found = await self._store.get(Match, need_id)
        scene = self._stations.scene()
        if found is None or found.record.due_at is None or found.record.due_at > scene.now:
            return
        raised, _ = raise_tier(found.record, scene)
        if raised.closed or raised.spec is None or not _is_to_search(raised, scene):
            with suppress(Stale):
                await self._carry_out(need_id, found.version, None, scene)
        else:
            await self._search_on(raised, found.version, scene)

    async def explain(self, match: Match) -> dict[str, LineDiagnosis]:
        """Why every line that is short is short, counted anew now."""
        if match.closed or match.spec is None:
            return {}
        scene = self._stations.scene()
        familiar = await self._familiar(match)
        found: dict[str, LineDiagnosis | None] = {}
        for line in match.need.people:
            if not match.is_full(line) and not is_too_late(line, scene.now):
                query = people_query(match, line, scene, familiar, ())
                found[line.id] = (
                    await self._search(replace(query, ring=query.widest, explain=True))
                ).diagnosis
        for goods in match.need.goods:
            if not match.is_full(goods):
                lots = replace(lots_query(match, goods, scene), explain=True)
                found[goods.id] = self._index.lots(lots).diagnosis
        return {id: why for id, why in found.items() if why is not None}

    async def _search_on(self, match: Match, version: int, scene: Scene) -> None:
        """Plan a wave, write it down, carry it out. Only the first wave written down for a version is carried out."""
        planned, written = await self._planned(match, version, scene), Written()

        def write_down(known: Wave | None) -> Change[Wave]:
            written.wave = wave = known or planned
            return Change(wave)

        writing = self._store.change(Wave, planned.id, write_down)
        with suppress(Stale):
            await first_then(self._store, writing, lambda: self._carry_out(match.id, version, written, scene))

    async def _carry_out(self, need_id: str, version: int, written: Written | None, scene: Scene) -> None:
        def decide(match: Match | None) -> Change[Match]:
            if written is not None and written.wave is None:
                raise Stale(current=version)
            return wake(_known(match), written.wave if written else None, scene)

        await self._store.change(Match, need_id, decide, expect=version)

    async def _planned(self, match: Match, version: int, scene: Scene) -> Wave:
        """Rivals are planned one after another, and written down in the order of the need."""
        people: dict[str, PeoplePlan] = {}
        goods: dict[str, GoodsPlan] = {}
        familiar = await self._familiar(match) if match.need.people else {}
        visits, kinds = due_people(match, scene.now), due_goods(match, scene.now)
        for line in await self._people_in_turn(match, visits, scene):
            people[line.id] = await self._people(match, line, scene, familiar, [*people.values()])
        for kind in self._goods_in_turn(match, kinds, scene):
            goods[kind.id] = self._goods(match, kind, scene, [*goods.values()])
        return Wave(
            id=wave_id(match.id, version),
            need_id=match.id,
            number=match.wave + 1,
            at=scene.now,
            people=tuple(people[line.id] for line in visits),
            goods=tuple(goods[line.id] for line in kinds),
        )

    async def _people_in_turn(self, match: Match, due: list[PeopleLine], scene: Scene) -> list[PeopleLine]:
        able: dict[str, int] = {}
        for line in rivals_for_people(due, scene.now):
            query = people_query(match, line, scene, {}, ())
            everybody = replace(query, ring=query.widest, wanted=ASKED_AT_MOST, criteria=())
            able[line.id] = len((await self._search(everybody)).candidates)
        return scarcest_first(due, {line.id: match.people[line.id].free for line in due}, able)

    def _goods_in_turn(self, match: Match, due: list[GoodsLine], scene: Scene) -> list[GoodsLine]:
        queries = {line.id: lots_query(match, line, scene) for line in rivals_for_goods(due)}
        missing = {id: query.quantity for id, query in queries.items()}
        return scarcest_first(due, missing, {id: self._index.lots(q).available for id, q in queries.items()})

    async def _people(
        self,
        match: Match,
        line: PeopleLine,
        scene: Scene,
        familiar: Mapping[str, int],
        planned: list[PeoplePlan],
    ) -> PeoplePlan:
        if is_too_late(line, scene.now):
            return too_late_plan(match, line, scene)
        query = people_query(match, line, scene, familiar, planned)
        found = await self._search(query)
        why = None
        if len(found.candidates) < query.wanted and RINGS.index(found.ring) >= RINGS.index(query.widest):
            why = (await self._search(replace(query, explain=True))).diagnosis
        return people_plan(match, query, found, why)

    def _goods(self, match: Match, line: GoodsLine, scene: Scene, planned: list[GoodsPlan]) -> GoodsPlan:
        query: LotsQuery = replace(lots_query(match, line, scene), going=going_to(planned))
        found = self._index.lots(query)
        short = found.quantity < query.quantity
        why = self._index.lots(replace(query, explain=True)).diagnosis if short else None
        partial = scene.policy(match.need.site_id).allow_partial
        return goods_plan(match, line, found, why, partial)

    async def _search(self, query: PeopleQuery) -> PeopleResult:
        if self._index.size > (EXPLAIN_ASIDE if query.explain else SEARCH_ASIDE):
            return await asyncio.to_thread(self._index.people, query)
        return self._index.people(query)

    async def _familiar(self, match: Match) -> Mapping[str, int]:
        bond = await self._store.get(Bond, match.need.household_id)
        return bond.record.tasks if bond else {}


def _known(match: Match | None) -> Match:
    if match is None:
        raise NotFound()
    return match


def _is_to_search(match: Match, scene: Scene) -> bool:
    return bool(due_people(match, scene.now) or due_goods(match, scene.now))
