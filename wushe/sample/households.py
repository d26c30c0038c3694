"""Thirty invented households. `key` is how the needs of the sample name them."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from shared.contracts.vocabulary import TargetGroup as G
from wushe.sample.places import VILLAGES, Village
from wushe.sample.volunteers import phone


class Person(NamedTuple):
    """A resident: `age` in years, `sex` f or m, `relation` to the head of the household."""

    name: str
    age: int
    sex: str
    relation: str = "head"
    groups: tuple[G, ...] = ()


class HouseholdRow(NamedTuple):
    key: str
    village: Village
    address: str
    groups: tuple[G, ...]
    people: tuple[Person, ...]

    def body(self, number: int, today: date) -> dict[str, Any]:
        return {
            "area": self.village.code,
            "address": self.address,
            "phone": phone(5000 + number),
            "location": {"lat": self.village.lat, "lon": self.village.lon},
            "target_groups": self.groups,
            "residents": [_resident(p, today) for p in self.people],
        }


def _resident(person: Person, today: date) -> dict[str, Any]:
    return {
        "name": person.name,
        "birth_date": date(today.year - person.age, 1 + person.age % 6, 1 + person.age % 28).isoformat(),
        "sex": "female" if person.sex == "f" else "male",
        "relation": person.relation,
        "target_groups": person.groups,
    }


def _row(key: str, village: int, address: str, groups: tuple[G, ...], *people: Person) -> HouseholdRow:
    return HouseholdRow(key, VILLAGES[village], address, groups, people)


HOUSEHOLDS = (
    _row("laoyang", 0, "桂花巷12号", (G.ELDER_ALONE,), Person("杨树根", 83, "m", groups=(G.ADVANCED_AGE,))),
    _row("atie", 0, "桂花巷27号2单元", (G.LOW_INCOME,), Person("吴阿铁", 71, "m"), Person("潘秀莲", 69, "f", "spouse")),
    _row("xiaoman", 1, "洒金路5号", (), Person("王长安", 66, "m"), Person("王小满", 9, "f", "grandchild", (G.LEFT_BEHIND_CHILD,))),
    _row("chenxi", 1, "洒金路88号", (), Person("陈晨曦", 34, "f", groups=(G.SERIOUSLY_ILL,)), Person("陈豆豆", 6, "m", "child")),
    _row("gejing", 2, "葛镜桥头3号", (G.EMPTY_NEST,), Person("罗启明", 76, "m"), Person("韦兰香", 74, "f", "spouse")),
    _row("lishan", 3, "藜山组9号", (G.ELDER_ALONE,), Person("龙婆婆·阿榜", 88, "f", groups=(G.DISABLED_ELDER,))),
    _row("shuiyun", 3, "藜山组21号", (G.DISABLED,), Person("石水云", 45, "f", groups=(G.SEVERELY_DISABLED,))),
    _row("ganba", 4, "驿站路1号", (G.RESETTLED,), Person("莫大福", 52, "m"), Person("莫𠮷祥", 15, "m", "child", (G.CHILD_IN_DIFFICULTY,))),
    _row("shaping", 5, "沙坪街45号", (G.LOW_INCOME,), Person("黄腊梅", 58, "f", groups=(G.DISABLED,))),
    _row("yuyou", 6, "鱼酉河边7号", (), Person("班永福", 79, "m", groups=(G.ADVANCED_AGE,)), Person("岑月英", 77, "f", "spouse")),
    _row("fengming", 7, "凤鸣上寨2号", (G.EXTREME_POVERTY,), Person("韦老栓", 81, "m")),
    _row("jinfeng", 8, "金凤下寨16号", (), Person("王朝霞", 41, "f", groups=(G.LEFT_BEHIND_WOMAN,)), Person("王稻", 12, "m", "child", (G.LEFT_BEHIND_CHILD,))),
    _row("yanglao", 9, "羊老坝3组", (G.EMPTY_NEST,), Person("罗老幺", 73, "m")),
    _row("xiangping", 10, "香坪大院6号", (G.NEAR_LOW_INCOME,), Person("杨阿蒂", 49, "f"), Person("杨阿略", 19, "m", "child", (G.DISABLED,))),
    _row("fuxing", 11, "福兴组33号", (), Person("潘月半", 70, "f"), Person("潘安安", 8, "m", "grandchild", (G.UNSUPPORTED_CHILD,))),
    _row("tiantou", 12, "𡋾头寨4号", (G.LOW_INCOME,), Person("吴㐂来", 64, "m")),
    _row("longjing", 13, "龙井一组8号", (G.BEREAVED_PARENTS,), Person("周望", 62, "m"), Person("何思", 61, "f", "spouse")),
    _row("yunding", 14, "云顶坡11号", (G.ELDER_ALONE,), Person("田婆婆", 85, "f", groups=(G.ADVANCED_AGE,))),
    _row("xiaoba", 15, "小坝寨15号", (), Person("石磊", 38, "m", groups=(G.SEVERELY_DISABLED,)), Person("石小鱼", 7, "f", "child")),
    _row("shuanggu", 16, "双谷三组2号", (G.RESETTLED,), Person("黄金根", 55, "m"), Person("黄阿蕊", 53, "f", "spouse")),
    _row("niujiao", 17, "牛角田6号", (G.ELDER_ALONE,), Person("朱老石", 80, "m")),
    _row("duolang", 18, "朵郎坪12号", (G.LOW_INCOME,), Person("王朵朗·依", 36, "f"), Person("王星", 4, "f", "child")),
    _row("daoxing", 19, "道兴街9号", (), Person("刘归鸿", 67, "m", groups=(G.DISABLED_ELDER,)), Person("刘燕回", 65, "f", "spouse")),
    _row("gulong", 20, "谷龙村部旁", (G.DISASTER_AFFECTED,), Person("冯山", 47, "m"), Person("冯小川", 10, "m", "child")),
    _row("luoao", 21, "罗坳7号", (G.EXTREME_POVERTY,), Person("蒙阿公", 78, "m")),
    _row("yuetang", 22, "月塘边5号", (), Person("阿榜·龙", 72, "f"), Person("龙小月", 11, "f", "grandchild", (G.ORPHAN,))),
    _row("dahuashui", 23, "大花水2组", (G.NEAR_LOW_INCOME,), Person("杨高山", 50, "m"), Person("杨流水", 22, "m", "child")),
    _row("xianren", 24, "仙人桥畔1号", (G.ELDER_ALONE,), Person("石阿婆·蝶", 86, "f", groups=(G.ADVANCED_AGE,))),
    _row("jinghua", 0, "桂花巷40号", (), Person("赵镜花", 29, "f"), Person("赵一一", 1, "f", "child")),
    _row("qiaotou", 2, "葛镜桥头19号", (G.LOW_INCOME,), Person("孙望桥", 60, "m", groups=(G.SERIOUSLY_ILL,))),
)  # fmt: skip
