"""Organisations of the five parties."""

from __future__ import annotations

from collections.abc import Callable

from services.directory.domain.organisations import Organisation, edit, register
from services.directory.domain.places import Site
from services.directory.schemas.places import OrganisationView
from shared.errors import Invalid, NotFound
from shared.http import answering
from shared.ports import Op, Query
from shared.records import Change, Outcome, Versioned
from shared.run.kit import Kit


class Organisations:
    """Who takes part in the linkage."""

    def __init__(self, kit: Kit) -> None:
        self._store = kit.store

    async def organisation(self, id: str) -> Versioned[Organisation]:
        organisation = await self._store.get(Organisation, id)
        if organisation is None:
            raise NotFound()
        return organisation

    async def organisations(self, query: Query) -> list[Versioned[Organisation]]:
        return await self._store.find(Organisation, query)

    async def register(self, organisation: Organisation, *, op: Op | None = None) -> Outcome[Organisation]:
        """Register this organisation. One of this id that is there already stays as it is."""
        await self._fit(organisation)
        return await self._store.change(
            Organisation,
            organisation.id,
            lambda known: answering(register(known, organisation), OrganisationView.of),
            op=op,
        )

    async def edit(
        self, id: str, how: Callable[[Organisation], Organisation], expect: int | None = None
    ) -> Outcome[Organisation]:
        await self._fit(how((await self.organisation(id)).record))

        def decide(organisation: Organisation | None) -> Change[Organisation]:
            if organisation is None:
                raise NotFound()
            return edit(organisation, how(organisation))

        return await self._store.change(Organisation, id, decide, expect=expect)

    async def _fit(self, organisation: Organisation) -> None:
        if organisation.site_id and await self._store.get(Site, organisation.site_id) is None:
            raise Invalid("/site_id", zh="没有这个站点", en="there is no such site")
