"""The stations as the atlas knows them, for the rules."""

from __future__ import annotations

from functools import cache

from services.matching.domain.scene import Scene, Station, Tier
from shared.places import Atlas
from shared.ports import Clock


class Stations:
    """Sets the scene for a rule: this moment, and the stations as they stand."""

    def __init__(self, clock: Clock, atlas: Atlas) -> None:
        self._clock = clock
        self._atlas = atlas

    def scene(self) -> Scene:
        return Scene(self._clock.now(), cache(self._station))

    def _station(self, site_id: str) -> Station:
        atlas = self._atlas
        above = [id for id in reversed(atlas.path(site_id).split("/")) if id]
        tiers = tuple(self._tier(id) for id in above)
        return Station(atlas.policy(site_id), atlas.zone(site_id), tiers)

    def _tier(self, site_id: str) -> Tier:
        site = self._atlas.site(site_id)
        return Tier(site_id, site.facts.kind, site.facts.area) if site else Tier(site_id)
