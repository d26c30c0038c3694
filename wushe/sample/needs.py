"""What the thirty households need, and how far each need has come: one or more in every status."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal, NamedTuple

from shared.contracts.vocabulary import Category as C
from shared.contracts.vocabulary import Certificate, GoodsCategory, Language, Mode, Skill, Urgency
from shared.contracts.vocabulary import Field as F
from wushe.language import HERE

Course = Literal[
    "draft", "seek", "decline", "part", "match", "drop_out", "begin", "hand_over", "serve", "rate", "cancel", "lapse",
    "ask_referral", "refer",
]  # fmt: skip


class Line(NamedTuple):
    """What is asked for; `day` counts from tomorrow, `hour` is the local hour at which a window of two hours begins."""

    people: int = 0
    skills: tuple[Skill, ...] = ()
    day: int = 0
    hour: int = 10
    minimum: int | None = None
    certificates: tuple[Certificate, ...] = ()
    languages: tuple[Language, ...] = ()
    mode: Mode = Mode.ON_SITE
    goods: GoodsCategory | None = None
    quantity: int = 1
    unit: str = "份"

    def body(self, base_at: datetime) -> dict[str, Any]:
        if self.goods is not None:
            return {"kind": "goods", "category": self.goods, "quantity": self.quantity, "unit": self.unit}
        day = base_at.astimezone(HERE).date() + timedelta(days=1 + self.day)
        start = datetime.combine(day, time(self.hour), HERE).astimezone(UTC)
        return {
            "kind": "people",
            "seats": self.people,
            "minimum": self.minimum,
            "skills": self.skills,
            "certificates": self.certificates,
            "languages": self.languages,
            "mode": self.mode,
            "window": {"start_at": start.isoformat(), "end_at": (start + timedelta(hours=2)).isoformat()},
        }


class NeedRow(NamedTuple):
    """A need of a household: for whom of it, what for, and its course."""

    household: str
    course: Course
    category: C
    lines: tuple[Line, ...]
    field: F = F.ELDERLY
    urgency: Urgency = Urgency.ORDINARY
    person: int = 0
    score: int = 5
    note: str = ""


FOOD = Line(goods=GoodsCategory.FOOD, quantity=2)


def _people(skill: Skill, day: int, hour: int = 10, people: int = 1, **more: Any) -> Line:
    return Line(people=people, skills=(skill,), day=day, hour=hour, **more)


NEEDS = (
    NeedRow("atie", "draft", C.SOCIAL_ASSISTANCE, (FOOD,), F.HARDSHIP, note="等家里人回来再确认数量"),
    NeedRow("gulong", "draft", C.SOCIAL_SUPPORT, (), F.HARDSHIP, person=0),
    NeedRow("gejing", "seek", C.COMFORT, (_people(Skill.HOME_VISIT, 0, 9), FOOD)),
    NeedRow("yunding", "seek", C.COMFORT, (_people(Skill.PHONE_COMPANY, 1, 15, mode=Mode.REMOTE),)),
    NeedRow("daoxing", "seek", C.SOCIAL_SUPPORT, (_people(Skill.MEDICAL_ESCORT, 1, 8),), urgency=Urgency.URGENT),
    NeedRow("xiaoman", "seek", C.CAPACITY, (_people(Skill.TUTORING, 2, 16),), F.CHILDREN, person=1),
    NeedRow("chenxi", "seek", C.CRISIS_INTERVENTION, (_people(Skill.COUNSELLING, 0, 14),), F.HARDSHIP, Urgency.CRISIS),
    NeedRow(
        "shuiyun", "seek", C.SOCIAL_SUPPORT,
        (_people(Skill.REHABILITATION, 3, certificates=(Certificate.REHABILITATION_THERAPIST,)),), F.DISABILITY,
    ),
    NeedRow("longjing", "seek", C.SOCIAL_ASSISTANCE, (Line(goods=GoodsCategory.FURNITURE, quantity=9, unit="件"),)),
    NeedRow("jinghua", "decline", C.SOCIAL_SUPPORT, (_people(Skill.ERRANDS, 2, 9),), F.HARDSHIP),
    NeedRow("luoao", "part", C.SOCIAL_SUPPORT, (_people(Skill.ERRANDS, 3, 9, 2, minimum=1),), urgency=Urgency.URGENT),
    NeedRow("shuanggu", "match", C.SOCIAL_SUPPORT, (_people(Skill.TRANSPORT, 4, 9), FOOD), F.HARDSHIP),
    NeedRow("yuyou", "match", C.COMFORT, (_people(Skill.HOME_VISIT, 4, 15),)),
    NeedRow("fengming", "match", C.SOCIAL_ASSISTANCE, (Line(goods=GoodsCategory.CLOTHING, quantity=2, unit="床"),)),
    NeedRow("qiaotou", "drop_out", C.POLICY_ADVICE, (_people(Skill.POLICY_HELP, 5, 9),), F.HARDSHIP),
    NeedRow("lishan", "begin", C.SOCIAL_SUPPORT, (_people(Skill.MEAL_DELIVERY, 0, 11),)),
    NeedRow("ganba", "hand_over", C.SOCIAL_ASSISTANCE, (FOOD,), F.HARDSHIP),
    NeedRow("yanglao", "serve", C.SOCIAL_SUPPORT, (_people(Skill.HAIRCUT, 5, 14),)),
    NeedRow("shaping", "rate", C.COMFORT, (_people(Skill.HOME_VISIT, 6, 9), FOOD), F.DISABILITY),
    NeedRow("xianren", "rate", C.COMFORT, (_people(Skill.INTERPRETING, 6, 15, languages=(Language.MIAO,)),), score=4),
    NeedRow("tiantou", "rate", C.SOCIAL_SUPPORT, (_people(Skill.REPAIR, 7, 9),), score=2),
    NeedRow("niujiao", "cancel", C.SOCIAL_SUPPORT, (_people(Skill.ERRANDS, 7, 15),)),
    NeedRow("dahuashui", "lapse", C.RIGHTS, (_people(Skill.MEDIATION, 0),), F.GOVERNANCE),
    NeedRow("xiangping", "ask_referral", C.CAPACITY, (_people(Skill.REHABILITATION, 8),), F.DISABILITY, person=1),
    NeedRow("xiaoba", "refer", C.INTEGRATION, (_people(Skill.REHABILITATION, 9),), F.DISABILITY, person=0),
)  # fmt: skip
