"""A large invented country for load: real area codes, invented people, gifts and needs, the same for the same seed.

Eighty cities by Zipf's law, a part of the people in the country; skills by Zipf's law, one to five a person; hours of
the week in blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

from shared.contracts.vocabulary import Category, GoodsCategory, Language, Skill, TargetGroup
from shared.places import Area, divisions

CITIES = 80
ZIPF_CITIES = 1.05
ZIPF_SKILLS = 1.1
RURAL = 0.15
UNITS = {"food": "份", "clothing": "件", "school": "套", "medical": "盒", "aids": "件", "furniture": "台"}
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方"
_GIVEN = "春夏秋冬山水云月星河松竹梅兰菊石泉安宁和平喜乐康健明亮晨曦晓雨雪霜露文书礼义仁智信勇思远志诚真善美"


class City(NamedTuple):
    """A prefecture, with those of its townships that the sample uses."""

    area: Area
    county: Area
    townships: tuple[Area, ...]
    weight: float

    @property
    def place(self) -> tuple[float, float]:
        return self.area.lat or 30.0, self.area.lon or 110.0


def cities(seed: int) -> list[City]:
    """The cities, the largest first."""
    random = Random(seed)
    table = divisions()
    found = [p for province in table.children(None) for p in table.children(province.code) if p.lat]
    random.shuffle(found)
    made = [_city(area, rank) for rank, area in enumerate(found, 1)]
    return [city for city in made if city][:CITIES]


def _city(area: Area, rank: int) -> City | None:
    counties = [c for c in divisions().children(area.code) if divisions().children(c.code)]
    if not counties:
        return None
    townships = [t for c in counties[:6] for t in divisions().children(c.code)[:10]]
    return City(area, counties[0], tuple(townships), rank**-ZIPF_CITIES)


class Crowd:
    """Makes rows, each the same whatever else is made. `sites` are site ids by city code, `households` (id, city code) of those who are in need."""

    def __init__(self, seed: int, sites: dict[str, str], now: datetime) -> None:
        self._random = Random(seed)
        self._cities = cities(seed)
        self._weights = list(accumulate(city.weight for city in self._cities))
        self._skills = list(Skill)
        self._skill_weights = list(accumulate((n + 1) ** -ZIPF_SKILLS for n in range(len(self._skills))))
        self._sites = sites
        self._now = now
        self._seed = seed

    def people(self, count: int) -> Iterator[bytes]:
        for n in range(count):
            yield _line(self._person(n))

    def lots(self, count: int, charities: list[str]) -> Iterator[bytes]:
        for n in range(count):
            yield _line(self._lot(n, charities))

    def needs(self, count: int, households: list[str]) -> Iterator[bytes]:
        for n in range(count):
            yield _line(self._need(n, households[n % len(households)]))

    def household(self, number: int, city: City) -> dict[str, Any]:
        self._begin(f"household/{number}")
        lat, lon = self._near(city, 0.1)
        return {
            "site_id": self._sites[city.area.code],
            "area": self._random.choice(city.townships).code,
            "address": f"样例路{number}号",
            "location": {"lat": lat, "lon": lon},
            "target_groups": self._random.sample(list(TargetGroup)[6:], 1),
            "residents": [{"name": self._name(), "birth_date": "1950-01-01", "relation": "head"}],
        }

    def _begin(self, row: str) -> None:
        self._random.seed(f"{self._seed}/{row}")

    def pick(self) -> City:
        return self._random.choices(self._cities, cum_weights=self._weights)[0]

    def _person(self, n: int) -> dict[str, Any]:
        self._begin(f"person/{n}")
        city, rural = self.pick(), self._random.random() < RURAL
        lat, lon = self._near(city, 0.8 if rural else 0.12)
        return {
            "key": f"{self._seed}/{n}",
            "name": self._name(),
            "site_id": self._sites[city.area.code],
            "area": self._random.choice(city.townships).code,
            "home": {"lat": lat, "lon": lon},
            "skills": self._some_skills(self._random.randint(1, 5)),
            "languages": self._languages(),
            "modes": ["on_site", "remote"] if self._random.random() < 0.4 else ["on_site"],
            "reach_km": self._random.choice((10, 20, 30, 50)),
            "hours": self._hours(),
        }

    def _lot(self, n: int, charities: list[str]) -> dict[str, Any]:
        self._begin(f"lot/{n}")
        city = self.pick()
        category = self._random.choice(list(UNITS))
        groups = self._random.sample(list(TargetGroup), 3) if self._random.random() < 0.3 else []
        days = self._random.randint(5, 400)
        return {
            "key": f"{self._seed}/{n}",
            "charity_id": charities[n % len(charities)],
            "category": category,
            "unit": UNITS[category],
            "quantity": self._random.randint(5, 500),
            "expires_on": (self._now + timedelta(days=days)).date().isoformat(),
            "area": self._random.choice(city.townships).code,
            "earmark": {"target_groups": groups},
        }

    def _need(self, n: int, household: str) -> dict[str, Any]:
        self._begin(f"need/{n}")
        start = self._now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=24 + n % 240)
        people = {
            "kind": "people",
            "seats": self._random.randint(1, 3),
            "minimum": 1,
            "skills": self._some_skills(1),
            "window": {"start_at": start.isoformat(), "end_at": (start + timedelta(hours=2)).isoformat()},
        }
        goods = {"kind": "goods", "category": GoodsCategory.FOOD, "quantity": 1, "unit": UNITS["food"]}
        return {
            "key": f"{self._seed}/{n}",
            "household_id": household,
            "category": self._random.choice([c for c in Category if c is not Category.CRISIS_INTERVENTION]),
            "lines": [people, goods] if n % 3 == 0 else [people],
        }

    def _near(self, city: City, degrees: float) -> tuple[float, float]:
        lat, lon = city.place
        random = self._random
        return round(lat + random.gauss(0, degrees), 5), round(lon + random.gauss(0, degrees), 5)

    def _name(self) -> str:
        return self._random.choice(_SURNAMES) + "".join(self._random.choices(_GIVEN, k=2))

    def _some_skills(self, count: int) -> list[str]:
        return sorted(set(self._random.choices(self._skills, cum_weights=self._skill_weights, k=count)))

    def _languages(self) -> list[str]:
        spoken = [Language.MANDARIN]
        if self._random.random() < 0.5:
            spoken.append(Language.DIALECT)
        if self._random.random() < 0.1:
            spoken.append(
                self._random.choice((Language.MIAO, Language.BOUYEI, Language.TIBETAN, Language.SIGN))
            )
        return list(spoken)

    def _hours(self) -> list[dict[str, int]]:
        blocks = []
        for _ in range(self._random.randint(4, 10)):
            start = self._random.randint(7, 19)
            blocks.append(
                {
                    "day": self._random.randint(0, 6),
                    "from": start,
                    "to": min(24, start + self._random.randint(2, 5)),
                }
            )
        return blocks


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"
