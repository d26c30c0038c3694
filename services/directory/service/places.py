"""Areas and sites."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from services.directory.domain.places import (
    Site,
    Village,
    add_village,
    edit_site,
    hang_below,
    open_site,
    village_code,
)
from services.directory.schemas.places import AreaView, SiteView
from shared.errors import Invalid, NotFound
from shared.http import answering
from shared.places import Area, Divisions, divisions
from shared.places.divisions import ancestors
from shared.ports import Op, Query
from shared.records import Change, Outcome, Versioned
from shared.run.kit import Kit
from shared.times import zone_of


class Places:
    """The area tree, whose villages are records here, and the site tree."""

    def __init__(self, kit: Kit, areas: Divisions | None = None) -> None:
        self._store = kit.store
        self._areas = areas or divisions()

    async def area(self, code: str) -> Area:
        area = self._areas.get(code)
        if area is None:
            village = await self._store.get(Village, code)
            if village is None:
                raise NotFound()
            area = _area_of(village.record)
        return area

    async def lineage(self, code: str) -> list[Area]:
        """The area itself and those that hold it, from the province down."""
        own = await self.area(code)
        above = (self._areas.get(c) for c in ancestors(code) if c != code)
        return [*reversed([area for area in above if area]), own]

    async def areas_below(self, parent: str | None, query: Query) -> list[Versioned[Village]]:
        """The areas directly below this one, in order of code: villages below a township, else the national table."""
        if parent is not None:
            await self.area(parent)
        if parent is not None and len(parent) == 9:
            return await self._store.find(Village, query)
        behind = query.after[1] if query.after else ""
        found = [area for area in self._areas.children(parent) if area.code > behind]
        return [Versioned(_as_record(area), 1) for area in found[: query.limit]]

    def area_view(self, record: Village) -> AreaView:
        """An area found by `areas_below`, whether it is a record here or stands in the national table."""
        return AreaView.of(self._areas.get(record.id) or _area_of(record))

    async def add_village(self, code: str, name: str, *, op: Op | None = None) -> Outcome[Village]:
        if self._areas.get(village_code(code)) is None:
            raise Invalid(
                "/code",
                zh="前 9 位不是已知的乡镇（街道）",
                en="the first 9 digits are no township that is known",
            )
        return await self._store.change(
            Village,
            code,
            lambda known: answering(
                add_village(known, code, name), lambda village: AreaView.of(_area_of(village))
            ),
            op=op,
        )

    async def site(self, id: str) -> Versioned[Site]:
        site = await self._store.get(Site, id)
        if site is None:
            raise NotFound()
        return site

    async def sites(self, query: Query) -> list[Versioned[Site]]:
        return await self._store.find(Site, query)

    async def open_site(self, site: Site, *, op: Op | None = None) -> Outcome[Site]:
        """Open this site under its parent. A site of this id that is there already stays as it is."""
        parent = await self._store.get(Site, site.parent_id) if site.parent_id else None
        await self._fit(site)

        def decide(known: Site | None) -> Change[Site]:
            if site.parent_id and (parent is None or not parent.record.active):
                raise Invalid(
                    "/parent_id",
                    zh="没有这个上级站点，或已停用",
                    en="there is no such parent, or it is closed",
                )
            hang_below(site.tier, parent.record.tier if parent else None)
            return answering(open_site(known, site), SiteView.of)

        return await self._store.change(Site, site.id, decide, op=op)

    async def edit_site(
        self, id: str, edit: Callable[[Site], Site], expect: int | None = None
    ) -> Outcome[Site]:
        await self._fit(edit((await self.site(id)).record))
        return await self._store.change(Site, id, partial(_edited, edit), expect=expect)

    async def _fit(self, site: Site) -> None:
        """Refuse an area or a zone that does not exist."""
        if self._areas.get(site.area) is None and await self._store.get(Village, site.area) is None:
            raise Invalid("/area", zh="没有这个区划代码", en="there is no area with this code")
        try:
            zone_of(site.zone)
        except ValueError as e:
            raise Invalid(
                "/zone",
                zh="没有这个时区，例如 Asia/Shanghai",
                en="there is no such time zone; try Asia/Shanghai",
            ) from e


def _edited(edit: Callable[[Site], Site], site: Site | None) -> Change[Site]:
    if site is None:
        raise NotFound()
    return edit_site(site, edit(site))


def _area_of(village: Village) -> Area:
    return Area(village.id, village.name, village.parent)


def _as_record(area: Area) -> Village:
    """An area of the national table in the shape of the records, so that both are paged alike."""
    return Village(id=area.code, name=area.name, parent=area.parent or "")
