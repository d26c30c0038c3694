"""Sixty invented volunteers: where they live, what they can do, when they are free, which languages they speak."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple

from shared.contracts.vocabulary import Certificate, Language, Mode, Skill
from wushe.sample.places import VILLAGES, Village

SEED = 522702

NAMES = (
    "杨春桃", "韦小满", "龙正平", "周予", "阿朵·仰", "罗开阳", "王砚秋", "吴阿妹", "石敢当", "潘月亮",
    "陈𬱖", "田青麦", "黄阿蕾", "莫问津", "蒙喜鹊", "岑寂", "班文书", "何以宁", "欧阳冬青", "李彧",
    "张稻香", "刘半夏", "金花·朗", "赵云生", "钱多余", "孙晓阳", "郑立春", "冯远志", "褚向阳", "卫平安",
    "蒋山青", "沈知秋", "韩𠮷", "朱槿", "秦岭南", "尤加", "许诺", "吕梁", "施小雨", "张㐂",
    "孔明亮", "曹禾", "严实", "华年", "魏紫", "陶然", "姜芽", "戚继善", "谢晚晴", "邹喻",
    "阿依·莎", "水生", "窦苗", "章台柳", "云朵·阿", "苏木", "潘麟", "葛根", "奚望", "范舟",
)  # fmt: skip


class Kind(NamedTuple):
    """A sort of helper: skills they have, certificates they hold, and how many of the sixty are of this sort."""

    share: int
    skills: tuple[Skill, ...]
    certificates: tuple[Certificate, ...] = ()


KINDS = (
    Kind(12, (Skill.MEAL_DELIVERY, Skill.ERRANDS, Skill.HOME_VISIT, Skill.PHONE_COMPANY)),
    Kind(10, (Skill.HOME_VISIT, Skill.MEDICAL_ESCORT, Skill.ERRANDS), (Certificate.FIRST_AID,)),
    Kind(8, (Skill.TRANSPORT, Skill.REPAIR, Skill.ERRANDS), (Certificate.DRIVER,)),
    Kind(6, (Skill.TUTORING, Skill.CHILD_MINDING)),
    Kind(6, (Skill.HOME_VISIT, Skill.TUTORING, Skill.CHILD_MINDING), (Certificate.CHILD_DIRECTOR,)),
    Kind(6, (Skill.COUNSELLING, Skill.HOME_VISIT, Skill.POLICY_HELP), (Certificate.SOCIAL_WORKER,)),
    Kind(4, (Skill.TEMPORARY_CARE, Skill.MEDICAL_ESCORT), (Certificate.NURSE,)),
    Kind(4, (Skill.INTERPRETING, Skill.HOME_VISIT, Skill.MEDICAL_ESCORT)),
    Kind(2, (Skill.HAIRCUT, Skill.HOME_VISIT)),
    Kind(2, (Skill.MEDIATION, Skill.POLICY_HELP)),
)

WEEKDAYS = [{"day": day, "from": 8, "to": 18} for day in range(5)]
EVENINGS = [{"day": day, "from": 17, "to": 22} for day in range(7)]
WEEKEND = [{"day": day, "from": 8, "to": 21} for day in (5, 6)]
ALWAYS = [{"day": day, "from": 0, "to": 24} for day in range(7)]
PATTERNS = (ALWAYS, WEEKDAYS, [*EVENINGS, *WEEKEND], ALWAYS)


class VolunteerRow(NamedTuple):
    """One invented person; `body` is the registration without account and site."""

    key: str
    name: str
    village: Village
    body: dict[str, Any]


def volunteers(today: date) -> list[VolunteerRow]:
    """The sixty, the same every time; certificates run out at various distances from `today`."""
    random = Random(SEED)
    kinds = [kind for kind in KINDS for _ in range(kind.share)]
    kinds = [kinds[i * 7 % len(kinds)] for i in range(len(kinds))]
    return [_row(n, name, kinds[n], random, today) for n, name in enumerate(NAMES)]


def phone(number: int) -> str:
    """A number from a range that no network hands out."""
    return f"1000000{number:04}"


def _row(n: int, name: str, kind: Kind, random: Random, today: date) -> VolunteerRow:
    village = VILLAGES[n * 7 % len(VILLAGES)]
    body = {
        "name": name,
        "phone": phone(n + 1),
        "area": village.code,
        "home": {"lat": _near(random, village.lat), "lon": _near(random, village.lon)},
        "skills": list(kind.skills),
        "certificates": [_certificate(c, random, today) for c in kind.certificates],
        "languages": _languages(n, village, kind),
        "modes": [Mode.ON_SITE, Mode.REMOTE] if n % 3 == 0 else [Mode.ON_SITE],
        "reach_km": random.choice((10, 20, 20, 40)),
        "hours": PATTERNS[n % len(PATTERNS)],
        "weekly_cap_minutes": random.choice((480, 600, 600, 900)),
        "weekly_contacts": random.choice((7, 7, 10)),
        **({} if n % 3 == 2 else {"quiet_from": 0, "quiet_to": 0}),
    }
    return VolunteerRow(f"v{n + 1}", name, village, body)


def _near(random: Random, degrees: float) -> float:
    return round(degrees + random.uniform(-0.01, 0.01), 4)


def _certificate(certificate: Certificate, random: Random, today: date) -> dict[str, Any]:
    days = random.choice((20, 200, 400, 900))
    return {"certificate": certificate, "expires_on": (today + timedelta(days=days)).isoformat()}


def _languages(n: int, village: Village, kind: Kind) -> list[Language]:
    spoken = [Language.MANDARIN]
    if n % 2 == 0:
        spoken.append(Language.DIALECT)
    if village.township.key in ("xianqiao", "luping") or Skill.INTERPRETING in kind.skills:
        spoken.append(Language.MIAO)
    if village.township.key in ("fengshan", "machangping") and n % 2:
        spoken.append(Language.BOUYEI)
    return spoken
