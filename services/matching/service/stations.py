"""The stations as the atlas knows them, for the rules."""

from __future__ import annotations

from collections.abc import Callable

from services.matching.domain.scene import Scene, Station, Tier
from shared.places import Atlas
from shared.ports import Clock


class _Once(dict[str, Station]):
    """Looks each station up once, so that it stays the same within a scene."""

    def __init__(self, look_up: Callable[[str], Station]) -> None:
        super().__init__()
        self._look_up = look_up

    def __missing__(self, site_id: str) -> Station:
        found = self[site_id] = self._look_up(site_id)
        return found


class Stations:
    """Sets the scene for a rule: this moment, and the stations as they stand."""

    def __init__(self, clock: Clock, atlas: Atlas) -> None:
        self._clock = clock
        self._atlas = atlas

    def scene(self) -> Scene:
        return Scene(self._clock.now(), _Once(self._station).__getitem__)

    def _station(self, site_id: str) -> Station:
        atlas = self._atlas
        tiers = tuple(map(self._tier, atlas.upwards(site_id)))
        return Station(atlas.policy(site_id), atlas.zone(site_id), tiers)

    def _tier(self, site_id: str) -> Tier:
        """Nobody sits in a site that was closed. One not heard of yet counts as open."""
        site = self._atlas.site(site_id)
        if site is None:
            return Tier(site_id)
        return Tier(site_id, site.facts.kind, site.facts.area, site.facts.active)
