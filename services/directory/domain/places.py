"""Villages and sites: the two trees that everything else hangs on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from shared.contracts import topics
from shared.contracts.directory import SiteChanged, VillageAdded
from shared.contracts.parts import SitePolicy
from shared.contracts.vocabulary import Criterion, SiteKind
from shared.errors import Invalid, Refusal
from shared.records import Change, Record, index

ABOVE: dict[SiteKind, SiteKind | None] = {
    SiteKind.CENTER: None,
    SiteKind.MAIN_STATION: SiteKind.CENTER,
    SiteKind.STATION: SiteKind.MAIN_STATION,
    SiteKind.ROOM: SiteKind.STATION,
}
"""Which tier each tier of the site tree hangs on."""

_VILLAGE_CODE = re.compile(r"[0-9]{12}")


class AreaExists(Refusal):
    code = "area-exists"
    zh = "这个区划代码已经登记"
    en = "This area code is in the tree already"


class Village(Record):
    """A village or community (12 digits), the one level of the area tree that people add here. The code is the id."""

    kind: ClassVar = "area"
    topic: ClassVar = topics.AREA
    indexes: ClassVar = (index("parent"),)

    name: str
    parent: str


class Site(Record):
    """A node of the site tree: 指导中心 – 总站 – 社工站 – 社工室. `tier` says which."""

    kind: ClassVar = "site"
    topic: ClassVar = topics.SITE
    indexes: ClassVar = (index("parent_id"), index("tier"), index("area"))

    name: str
    tier: SiteKind
    parent_id: str | None
    area: str
    zone: str = "Asia/Shanghai"
    policy: SitePolicy = SitePolicy()
    active: bool = True


def village_code(code: str) -> str:
    """The township below which this village lies. Raises Invalid for what is no village's code."""
    if not _VILLAGE_CODE.fullmatch(code):
        raise Invalid("/code", zh="村（社区）代码须为 12 位数字", en="the code of a village has 12 digits")
    return code[:9]


def add_village(known: Village | None, code: str, name: str) -> Change[Village]:
    if known is not None:
        raise AreaExists("/code")
    village = Village(id=code, name=name, parent=village_code(code))
    return Change(village, VillageAdded(area_name=name, parent=village.parent))


def hang_below(tier: SiteKind, parent: SiteKind | None) -> None:
    """Refuse a parent that is not of the tier above."""
    above = ABOVE[tier]
    if parent is above:
        return
    if above is None:
        raise Invalid(
            "/parent_id",
            zh="指导中心没有上级站点，请留空",
            en="a guidance centre has no parent; leave it out",
        )
    raise Invalid("/parent_id", zh=f"上级站点应为{above.zh}", en=f"the parent must be a {above.en}")


def open_site(known: Site | None, site: Site) -> Change[Site]:
    """A site that was opened before stays as it is."""
    return Change(known) if known is not None else Change(site, site_changed(site))


def edit_site(site: Site, edited: Site) -> Change[Site]:
    """The site as edited; says nothing if nothing changed."""
    return Change(site) if edited == site else Change(edited, site_changed(edited))


def site_changed(site: Site) -> SiteChanged:
    return SiteChanged(
        site_name=site.name,
        kind=site.tier,
        parent_id=site.parent_id,
        area=site.area,
        zone=site.zone,
        policy=site.policy,
        active=site.active,
    )


def in_full(criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """The order of criteria, in which each stands once: a station orders them, it does not drop any."""
    if sorted(criteria) != sorted(Criterion):
        raise Invalid(
            "/policy/criteria",
            zh=f"须把全部 {len(Criterion)} 项排序，每项一次：{'、'.join(c.zh for c in Criterion)}",
            en=f"put all {len(Criterion)} in order, each once: {', '.join(Criterion)}",
        )
    return tuple(criteria)
