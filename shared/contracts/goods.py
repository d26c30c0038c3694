"""How goods are told apart: units and attributes. Both are closed lists, because they travel in events, and free text never does.

To add a word, add it here; codes that are there stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from shared.contracts.vocabulary import GoodsCategory, Term
from shared.errors import Invalid


class Unit(Term):
    """What goods are counted in. The code is the measure word itself: so it stands in every charity's own lists."""

    BAG = "袋", "袋", "bag(s)"
    PACKET = "包", "包", "packet(s)"
    BOX = "箱", "箱", "box(es)"
    PACK = "盒", "盒", "pack(s)"
    JAR = "桶", "桶", "jug(s)"
    BOTTLE = "瓶", "瓶", "bottle(s)"
    TIN = "罐", "罐", "tin(s)"
    PARCEL = "份", "份", "parcel(s)"
    SET = "套", "套", "set(s)"
    PIECE = "件", "件", "piece(s)"
    ITEM = "个", "个", "item(s)"
    PAIR = "双", "双", "pair(s)"
    COUPLE = "副", "副", "pair(s)"
    QUILT = "床", "床", "quilt(s)"
    STRIP = "条", "条", "length(s)"
    HAT = "顶", "顶", "piece(s)"
    MACHINE = "台", "台", "unit(s)"
    VEHICLE = "辆", "辆", "vehicle(s)"
    HANDLE = "把", "把", "piece(s)"
    BLOCK = "块", "块", "block(s)"
    STICK = "支", "支", "stick(s)"
    BOOK = "本", "本", "volume(s)"
    TICKET = "张", "张", "ticket(s)"
    TIME = "次", "次", "time(s)"
    HOUR = "小时", "小时", "hour(s)"
    KILOGRAM = "公斤", "公斤", "kg"
    JIN = "斤", "斤", "half kilo(s)"
    TON = "吨", "吨", "ton(s)"
    LITRE = "升", "升", "litre(s)"
    METRE = "米", "米", "metre(s)"
    FEN = "fen", "分", "fen"


class Attribute(Term):
    """What goods of a category may differ in, so that a need can ask for it."""

    SIZE = "size", "尺码", "size"
    HEIGHT = "height", "身高（厘米）", "body height in cm"
    SHOE_SIZE = "shoe_size", "鞋码", "shoe size"
    BED_SIZE = "bed_size", "床宽（厘米）", "bed width in cm"
    GENDER = "gender", "男女款", "cut"
    AGE_BAND = "age_band", "适用年龄", "age band"
    SEASON = "season", "季节", "season"
    DIET = "diet", "饮食要求", "diet"
    PACK = "pack", "每件含量", "contents of one"
    SCHOOL_STAGE = "school_stage", "学段", "stage of school"
    SCRIPT = "script", "文字", "script"
    FORM = "form", "剂型", "form"
    SIDE = "side", "左右", "side"
    POWER = "power", "动力", "power"
    SERVICE = "service", "服务项目", "service"
    BATCH = "batch", "专用批次", "batch put aside"


Values = Mapping[str, tuple[str, str]]
"""Codes with their labels in Chinese and English."""


def _numbers(numbers: Iterable[int], zh: str, en: str) -> Values:
    return {str(n): (zh.format(n), en.format(n)) for n in numbers}


def _alike(*codes: str) -> Values:
    return {code: (code, code) for code in codes}


VALUES: Mapping[Attribute, Values] = {
    Attribute.SIZE: {**_alike("XS", "S", "M", "L", "XL", "2XL", "3XL", "4XL"), "one_size": ("均码", "one size")},
    Attribute.HEIGHT: _numbers((52, 59, 66, 73, 80, 90, *range(100, 196, 5)), "{}厘米", "{} cm"),
    Attribute.SHOE_SIZE: _numbers(range(15, 49), "{}码", "size {}"),
    Attribute.BED_SIZE: _numbers((60, 90, 100, 120, 135, 150, 180, 200), "{}厘米", "{} cm"),
    Attribute.GENDER: {"women": ("女款", "women's"), "men": ("男款", "men's"), "unisex": ("男女通用", "for all")},
    Attribute.AGE_BAND: {
        "infant": ("0–1岁", "under 1"), "toddler": ("1–3岁", "1 to 3"), "preschool": ("3–6岁", "3 to 6"),
        "child": ("6–12岁", "6 to 12"), "youth": ("12–18岁", "12 to 18"), "adult": ("成人", "adult"),
        "elder": ("老年人", "elder"),
    },
    Attribute.SEASON: {
        "winter": ("冬季", "winter"), "spring_autumn": ("春秋", "spring and autumn"), "summer": ("夏季", "summer"),
    },
    Attribute.DIET: {
        "halal": ("清真", "halal"), "vegetarian": ("素食", "vegetarian"), "low_sugar": ("低糖", "low sugar"),
        "low_salt": ("低盐", "low salt"), "lactose_free": ("无乳糖", "lactose-free"), "soft": ("软食", "soft food"),
    },
    Attribute.PACK: _alike(
        "100g", "250g", "500g", "1kg", "2.5kg", "5kg", "10kg", "15kg", "25kg", "250ml", "500ml", "1L", "1.8L", "2.5L", "5L", "10L"
    ),
    Attribute.SCHOOL_STAGE: {
        "kindergarten": ("幼儿园", "kindergarten"), "primary": ("小学", "primary school"),
        "junior": ("初中", "junior middle school"), "senior": ("高中", "senior middle school"),
        "vocational": ("中职", "vocational school"),
    },
    Attribute.SCRIPT: {
        "zh": ("汉文", "Chinese"), "bo": ("藏文", "Tibetan"), "ug": ("维吾尔文", "Uyghur"), "ii": ("彝文", "Yi"),
        "hmn": ("苗文", "Miao"), "pcc": ("布依文", "Bouyei"), "en": ("英文", "English"),
        "large_print": ("大字", "large print"), "braille": ("盲文", "Braille"),
    },
    Attribute.FORM: {
        "tablet": ("片剂", "tablets"), "capsule": ("胶囊", "capsules"), "granules": ("颗粒", "granules"),
        "liquid": ("口服液", "liquid"), "ointment": ("软膏", "ointment"), "patch": ("贴剂", "patch"),
        "spray": ("喷雾", "spray"), "device": ("器械", "device"), "consumable": ("耗材", "consumable"),
    },
    Attribute.SIDE: {"left": ("左", "left"), "right": ("右", "right"), "both": ("双侧", "both")},
    Attribute.POWER: {
        "electric": ("电动", "electric"), "manual": ("手动", "manual"), "gas": ("燃气", "gas"),
        "coal": ("燃煤", "coal"), "solar": ("太阳能", "solar"),
    },
    Attribute.SERVICE: {
        "haircut": ("理发", "haircut"), "housekeeping": ("家政", "housekeeping"), "bathing": ("助浴", "bathing"),
        "meal": ("用餐", "meals"), "health_check": ("体检", "health check"),
        "counselling": ("心理咨询", "counselling"), "library": ("图书借阅", "library"), "travel": ("出行", "travel"),
    },
}  # fmt: skip
"""Every value there is, but for batches."""

_BATCH = re.compile(r"B[0-9]{4}")
BATCH_ZH, BATCH_EN = "字母 B 加四位数字，如 B0417", "the letter B and four digits, such as B0417"

ATTRIBUTES: Mapping[GoodsCategory, tuple[Attribute, ...]] = {
    GoodsCategory.FOOD: (Attribute.DIET, Attribute.AGE_BAND, Attribute.PACK, Attribute.BATCH),
    GoodsCategory.CLOTHING: (
        Attribute.SIZE, Attribute.HEIGHT, Attribute.SHOE_SIZE, Attribute.BED_SIZE, Attribute.GENDER,
        Attribute.AGE_BAND, Attribute.SEASON, Attribute.BATCH,
    ),
    GoodsCategory.SCHOOL: (Attribute.SCHOOL_STAGE, Attribute.AGE_BAND, Attribute.SCRIPT, Attribute.BATCH),
    GoodsCategory.MEDICAL: (Attribute.FORM, Attribute.SIZE, Attribute.AGE_BAND, Attribute.BATCH),
    GoodsCategory.AIDS: (
        Attribute.SIZE, Attribute.SIDE, Attribute.POWER, Attribute.AGE_BAND, Attribute.BATCH,
    ),
    GoodsCategory.FURNITURE: (Attribute.BED_SIZE, Attribute.POWER, Attribute.BATCH),
    GoodsCategory.CASH_GIFT: (Attribute.BATCH,),
    GoodsCategory.VOUCHER: (Attribute.SERVICE, Attribute.AGE_BAND, Attribute.BATCH),
}  # fmt: skip
"""What may be said of goods of each category. A batch keeps goods for one campaign: only who names it is given them."""


def check_attributes(category: GoodsCategory, given: Mapping[str, str], at: str = "") -> None:
    """Refuse what may not be said of goods of this category. The refusal points below `at` and lists what may be said,
    without quoting what was sent."""
    allowed = ATTRIBUTES[category]
    for name, value in given.items():
        field = f"{at}/attributes/{name.replace('~', '~0').replace('/', '~1')}"
        attribute = next((a for a in allowed if a == name), None)
        if attribute is None:
            zh, en = (_listed({a.value: (a.zh, a.en) for a in allowed}, language) for language in (0, 1))
            raise Invalid(
                field, zh=f"“{category.zh}”可填的规格：{zh}", en=f"what may be said of {category.en}: {en}"
            )
        if not _known(attribute, value):
            raise Invalid(
                field, zh=f"可填：{_choice(attribute, 0)}", en=f"must be one of: {_choice(attribute, 1)}"
            )


def label(attribute: str, value: str, language: str) -> str:
    """A value in words; the code itself where it has none."""
    known = next((values for a, values in VALUES.items() if a == attribute), {})
    return known.get(value, (value, value))[0 if language == "zh" else 1]


def _known(attribute: Attribute, value: str) -> bool:
    if attribute is Attribute.BATCH:
        return _BATCH.fullmatch(value) is not None
    return value in VALUES[attribute]


def _choice(attribute: Attribute, language: int) -> str:
    if attribute is Attribute.BATCH:
        return (BATCH_ZH, BATCH_EN)[language]
    return _listed(VALUES[attribute], language)


def _listed(values: Values, language: int) -> str:
    """Every code, with what it means where that is not the same."""
    means = "{}（{}）" if language == 0 else "{} ({})"
    said = (
        code if code.replace("_", " ") == labels[language] else means.format(code, labels[language])
        for code, labels in values.items()
    )
    return ("、" if language == 0 else ", ").join(said)


def _only_known(given: dict[str, str]) -> dict[str, str]:
    for name, value in given.items():
        if not any(a == name and _known(a, value) for a in Attribute):
            raise ValueError("not in the vocabulary of goods")
    return given


def attributes_schema() -> dict[str, Any]:
    fields: dict[str, Any] = {
        a.value: {"type": "string", "enum": list(values)} for a, values in VALUES.items()
    }
    fields[Attribute.BATCH.value] = {"type": "string", "pattern": f"^{_BATCH.pattern}$"}
    return {"type": "object", "properties": fields, "additionalProperties": False}


Attributes = Annotated[dict[str, str], AfterValidator(_only_known), WithJsonSchema(attributes_schema())]
"""Attributes in an event: no word that is not in this vocabulary can travel."""

GivenAttributes = Annotated[
    dict[str, str], Field(max_length=len(Attribute)), WithJsonSchema(attributes_schema())
]
"""Attributes in a request: looked at by `check_attributes`, which knows the category."""
