"""Matching over HTTP: reading only. Whoever wants something changed changes the need, or answers an invitation."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi import Query as Parameter

from services.matching.domain.match import Match
from services.matching.domain.wave import Wave
from services.matching.schemas import MatchView, WaveView, match_view, wave_view
from services.matching.service import Waves
from shared.errors import NotFound
from shared.http import Access, Page, Pages, allow, shown
from shared.ports import Query, Store, Where
from shared.records import Versioned

WAVES_SHOWN = 100
"""From so many of the newest waves the reasons are shown with a match; the rest stand in its waves."""


def router(store: Store, waves: Waves) -> APIRouter:
    routes = MatchRoutes(store, waves)
    api = APIRouter(tags=["matching"])
    api.get(
        "/matches/{need_id}", operation_id="read_match", summary="How the search for a need stands, and why"
    )(routes.read)
    api.get(
        "/matches/{need_id}/waves", operation_id="find_waves", summary="The waves of a search, newest first"
    )(routes.waves)
    return api


class MatchRoutes:
    def __init__(self, store: Store, waves: Waves) -> None:
        self._store = store
        self._waves = waves

    async def read(
        self,
        need_id: str,
        response: Response,
        access: Access = allow("match.read"),
        explain: bool = Parameter(False, description="Count anew why every short line is short"),
    ) -> MatchView:
        """Seats, holds, who was asked and why, what comes next, and what stands in the way."""
        found = await self._reachable(need_id, access)
        match = found.record
        newest = await self._store.find(Wave, _waves_of(need_id, WAVES_SHOWN))
        diagnosis = await self._waves.explain(match) if explain else match.diagnosis
        policy = access.atlas.policy(match.need.site_id)
        view: MatchView = shown(
            response, found, lambda m: match_view(m, [wave.record for wave in newest], policy, diagnosis)
        )
        return view

    async def waves(self, need_id: str, pages: Pages, access: Access = allow("match.read")) -> Page[WaveView]:
        await self._reachable(need_id, access)
        query = pages.query(Where("need_id", "equal", need_id), descending=True)
        return pages.page(await self._store.find(Wave, query), wave_view)

    async def _reachable(self, need_id: str, access: Access) -> Versioned[Match]:
        """The match, if it is known and its site within reach, or while it is searched for one that looks as well. A stub
        is nobody's yet."""
        found = await self._store.get(Match, need_id)
        if found is None or found.record.spec is None:
            raise NotFound()
        match = found.record
        access.require_raised(match.need.site_id, None if match.closed else match.tier_site_id)
        return found


def _waves_of(need_id: str, limit: int) -> Query:
    return Query((Where("need_id", "equal", need_id),), descending=True, limit=limit)
