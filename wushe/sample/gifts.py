"""Forty lots of three invented charities: goods, funds in fen and service vouchers, some earmarked, some near expiry."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

from shared.contracts.vocabulary import Category, GoodsCategory, LotKind, TargetGroup
from wushe.sample.places import COUNTY, TOWNSHIPS

FOOD, CLOTHING, SCHOOL, MEDICAL, AIDS, FURNITURE, CASH, VOUCHER = GoodsCategory
OLD = (TargetGroup.ELDER_ALONE, TargetGroup.EMPTY_NEST, TargetGroup.ADVANCED_AGE, TargetGroup.DISABLED_ELDER)
YOUNG = (
    TargetGroup.LEFT_BEHIND_CHILD,
    TargetGroup.ORPHAN,
    TargetGroup.UNSUPPORTED_CHILD,
    TargetGroup.CHILD_IN_DIFFICULTY,
)
POOR = (TargetGroup.LOW_INCOME, TargetGroup.EXTREME_POVERTY, TargetGroup.NEAR_LOW_INCOME)
DISABLED = (TargetGroup.DISABLED, TargetGroup.SEVERELY_DISABLED)


class Gift(NamedTuple):
    """What a charity lists; `days` is how many days it keeps."""

    charity: str
    category: GoodsCategory
    quantity: int
    unit: str
    note: str
    days: int | None = None
    groups: tuple[TargetGroup, ...] = ()
    purposes: tuple[Category, ...] = ()
    areas: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    kind: LotKind = LotKind.GOODS
    until_days: int | None = None


GIFTS = (
    Gift("liangyou", FOOD, 120, "份", "米面油礼包", 180),
    Gift("liangyou", FOOD, 60, "袋", "大米，10公斤装", 300, attributes=(("pack", "10kg"),)),
    Gift("liangyou", FOOD, 40, "桶", "菜籽油，5升", 365, attributes=(("pack", "5L"),)),
    Gift("liangyou", FOOD, 30, "箱", "纯牛奶，临期", 9),
    Gift("liangyou", FOOD, 25, "盒", "中老年奶粉，临期", 20, groups=OLD),
    Gift("liangyou", FOOD, 50, "份", "端午粽子礼盒", 45),
    Gift("liangyou", FOOD, 80, "袋", "面条，1公斤装", 240, groups=POOR, attributes=(("pack", "1kg"),)),
    Gift("liangyou", CLOTHING, 35, "床", "棉被", groups=POOR),
    Gift("liangyou", CLOTHING, 40, "件", "羽绒服", attributes=(("size", "L"),)),
    Gift("liangyou", CLOTHING, 30, "件", "羽绒服", attributes=(("size", "M"),)),
    Gift("liangyou", CLOTHING, 60, "双", "保暖棉鞋"),
    Gift("liangyou", FURNITURE, 6, "台", "电取暖器"),
    Gift("tongxin", CASH, 5_000_000, "fen", "临时救助慰问金", kind=LotKind.MONEY),
    Gift(
        "tongxin",
        CASH,
        2_000_000,
        "fen",
        "大病家庭慰问金",
        kind=LotKind.MONEY,
        groups=(TargetGroup.SERIOUSLY_ILL,),
    ),
    Gift("tongxin", CASH, 1_000_000, "fen", "残疾人关爱金", kind=LotKind.MONEY, groups=DISABLED),
    Gift("tongxin", CASH, 800_000, "fen", "仙桥乡专项", kind=LotKind.MONEY, areas=("522702203",)),
    Gift("tongxin", CASH, 600_000, "fen", "年内使用", kind=LotKind.MONEY, until_days=60),
    Gift("tongxin", MEDICAL, 45, "套", "家庭常用药箱", 400),
    Gift("tongxin", MEDICAL, 20, "台", "电子血压计", groups=OLD),
    Gift("tongxin", MEDICAL, 15, "盒", "护理垫，临期", 25, groups=(TargetGroup.DISABLED_ELDER,)),
    Gift("tongxin", AIDS, 12, "件", "轮椅", groups=(*DISABLED, TargetGroup.DISABLED_ELDER)),
    Gift("tongxin", AIDS, 20, "件", "助行器"),
    Gift("tongxin", AIDS, 25, "件", "四脚拐杖", groups=OLD),
    Gift("tongxin", AIDS, 8, "台", "助听器", groups=DISABLED),
    Gift(
        "tongxin",
        VOUCHER,
        100,
        "张",
        "理发服务券",
        120,
        kind=LotKind.SERVICE,
        attributes=(("service", "haircut"),),
    ),
    Gift("tongxin", VOUCHER, 60, "张", "家政服务券（2小时）", 90, kind=LotKind.SERVICE, groups=OLD),
    Gift(
        "tongxin",
        VOUCHER,
        40,
        "张",
        "体检券",
        30,
        kind=LotKind.SERVICE,
        attributes=(("service", "health_check"),),
    ),
    Gift("tongxin", FURNITURE, 5, "件", "护理床", groups=(TargetGroup.DISABLED_ELDER, *DISABLED)),
    Gift("tongxin", FURNITURE, 4, "台", "洗衣机", groups=POOR),
    Gift("zhiyuan", SCHOOL, 80, "套", "书包文具", groups=YOUNG),
    Gift("zhiyuan", SCHOOL, 40, "套", "绘本（双语）"),
    Gift("zhiyuan", SCHOOL, 30, "台", "护眼台灯", groups=YOUNG),
    Gift("zhiyuan", SCHOOL, 12, "台", "学习平板", groups=YOUNG, purposes=(Category.CAPACITY,)),
    Gift(
        "zhiyuan",
        CASH,
        3_000_000,
        "fen",
        "助学金",
        kind=LotKind.MONEY,
        groups=YOUNG,
        purposes=(Category.CAPACITY,),
    ),
    Gift("zhiyuan", CASH, 900_000, "fen", "困境儿童生活补助", kind=LotKind.MONEY, groups=YOUNG),
    Gift("zhiyuan", CLOTHING, 50, "件", "儿童冬衣", groups=YOUNG, attributes=(("height", "130"),)),
    Gift("zhiyuan", CLOTHING, 45, "件", "儿童冬衣", groups=YOUNG, attributes=(("height", "150"),)),
    Gift("zhiyuan", VOUCHER, 50, "张", "心理咨询券", 200, kind=LotKind.SERVICE, groups=YOUNG),
    Gift("zhiyuan", VOUCHER, 30, "张", "图书馆借阅卡", kind=LotKind.SERVICE),
    Gift("zhiyuan", MEDICAL, 60, "盒", "儿童口罩，临期", 14),
)


def lot_body(n: int, gift: Gift, today: date) -> dict[str, Any]:
    """The gift as a request to list a lot; it lies in one of the townships."""
    return {
        "kind": gift.kind,
        "category": gift.category,
        "unit": gift.unit,
        "quantity": gift.quantity,
        "attributes": dict(gift.attributes),
        "expires_on": _day(today, gift.days),
        "area": COUNTY if gift.kind is LotKind.MONEY else TOWNSHIPS[n % len(TOWNSHIPS)].code,
        "earmark": {
            "purposes": gift.purposes,
            "target_groups": gift.groups,
            "areas": gift.areas,
            "to_day": _day(today, gift.until_days),
        },
        "note": gift.note,
    }


def _day(today: date, days: int | None) -> str | None:
    return None if days is None else (today + timedelta(days=days)).isoformat()
