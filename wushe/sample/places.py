"""Fuquan (福泉市, 522702) as the sample knows it: real townships, invented villages, and the pattern 1+8+N."""

from __future__ import annotations

from typing import NamedTuple

from shared.contracts.vocabulary import OrganisationKind, SiteKind

CITY = "5227"
COUNTY = "522702"


class Township(NamedTuple):
    """A real township, with villages made up for the sample. `lat`/`lon` are rough."""

    key: str
    code: str
    name: str
    lat: float
    lon: float
    villages: tuple[str, ...]


TOWNSHIPS = (
    Township(
        "jinshan", "522702001", "金山街道", 26.690, 107.520, ("桂香社区", "洒金桥社区", "葛镜社区", "藜山村")
    ),
    Township("machangping", "522702002", "马场坪街道", 26.603, 107.462, ("甘粑哨社区", "沙坪社区", "鱼酉村")),
    Township("fengshan", "522702102", "凤山镇", 26.552, 107.418, ("凤鸣村", "金凤村", "羊老坝村")),
    Township("luping", "522702103", "陆坪镇", 26.742, 107.742, ("香坪村", "福兴村", "𡋾头村")),
    Township("longchang", "522702105", "龙昌镇", 26.768, 107.488, ("龙井村", "云顶村", "小坝寨村")),
    Township("niuchang", "522702106", "牛场镇", 26.882, 107.462, ("双谷村", "牛角田村", "朵郎坪村")),
    Township("daoping", "522702107", "道坪镇", 26.938, 107.592, ("道兴村", "谷龙村", "罗坳村")),
    Township("xianqiao", "522702203", "仙桥乡", 26.808, 107.655, ("月塘村", "大花水村", "仙人桥村")),
)


class Village(NamedTuple):
    """A village or community; the last three digits of the code are made up."""

    code: str
    name: str
    township: Township
    lat: float
    lon: float


def _villages() -> tuple[Village, ...]:
    found = []
    for township in TOWNSHIPS:
        for n, name in enumerate(township.villages, 1):
            lat, lon = township.lat + 0.012 * (n - 2), township.lon + 0.010 * (2 - n)
            found.append(
                Village(f"{township.code}{900 + n:03}", name, township, round(lat, 4), round(lon, 4))
            )
    return tuple(found)


VILLAGES = _villages()


class SiteRow(NamedTuple):
    key: str
    name: str
    kind: SiteKind
    parent: str | None
    area: str


SITES = (
    SiteRow("center", "黔南州社会工作指导中心", SiteKind.CENTER, None, CITY),
    SiteRow("main", "福泉市社会工作总站", SiteKind.MAIN_STATION, "center", COUNTY),
    *(SiteRow(t.key, f"{t.name}社工站", SiteKind.STATION, "main", t.code) for t in TOWNSHIPS),
    SiteRow("guixiang", "桂香社区社工室", SiteKind.ROOM, "jinshan", "522702001901"),
    SiteRow("lishan", "藜山村社工室", SiteKind.ROOM, "jinshan", "522702001904"),
    SiteRow("shuanggu", "双谷村社工室", SiteKind.ROOM, "niuchang", "522702106901"),
    SiteRow("yuetang", "月塘村社工室", SiteKind.ROOM, "xianqiao", "522702203901"),
)


class PartnerRow(NamedTuple):
    key: str
    name: str
    kind: OrganisationKind
    site: str


PARTNERS = (
    PartnerRow("guixiang", "桂香社区居民委员会", OrganisationKind.COMMUNITY, "jinshan"),
    PartnerRow("shuanggu", "双谷村村民委员会", OrganisationKind.COMMUNITY, "niuchang"),
    PartnerRow("nuanyang", "暖阳社会工作服务中心", OrganisationKind.SOCIAL_WORK, "main"),
    PartnerRow("qixing", "启星儿童发展中心", OrganisationKind.SOCIAL_ORGANISATION, "main"),
    PartnerRow("kangle", "康乐老年互助会", OrganisationKind.SOCIAL_ORGANISATION, "machangping"),
    PartnerRow("luse", "绿马甲志愿服务队", OrganisationKind.VOLUNTEER_TEAM, "main"),
    PartnerRow("aduo", "阿朵双语志愿服务队", OrganisationKind.VOLUNTEER_TEAM, "xianqiao"),
    PartnerRow("tongxin", "福泉同心慈善会", OrganisationKind.CHARITY, "main"),
    PartnerRow("liangyou", "惠民粮油爱心仓", OrganisationKind.CHARITY, "machangping"),
    PartnerRow("zhiyuan", "致远助学基金", OrganisationKind.CHARITY, "main"),
)
