"""Keeping track of who comes from elsewhere."""

from __future__ import annotations

from services.volunteers.domain.helpers import Helper
from services.volunteers.domain.registry import Volunteer
from shared.ports import Query
from shared.records import Change, Versioned
from shared.run.kit import Kit


class Helpers:
    """A station finds its own people by their site, and those of other stations by these records."""

    def __init__(self, kit: Kit) -> None:
        self._store = kit.store

    async def note(self, site_id: str, volunteer_id: str) -> None:
        """This person has a task at a need of this site: remember it, if they are of another."""
        person = await self._store.get(Volunteer, volunteer_id)
        if person is not None and person.record.site_id != site_id:
            await self.remember(site_id, volunteer_id)

    async def remember(self, site_id: str, volunteer_id: str) -> None:
        helper = Helper.at(site_id, volunteer_id)
        await self._store.change(Helper, helper.id, lambda known: Change(known or helper))

    async def list(self, query: Query) -> list[Versioned[Helper]]:
        return await self._store.find(Helper, query)
