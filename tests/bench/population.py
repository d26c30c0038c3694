"""The same invented people and asks for both sides: eighty cities of unlike size, forty skills, weekly hours.

Sixteen of the skills are the field's own; both sides are given the same ones. Seeded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import numpy as np

from shared.contracts.vocabulary import Language, Skill
from shared.places import divisions

SKILLS = [skill for skill in Skill if skill is not Skill.CHILD_MINDING]  # which goes to named people only
LANGUAGES = list(Language)
ZIPF = 1.1
ENOUGH = 30


class Person(NamedTuple):
    number: int
    area: str
    lat: float
    lon: float
    skills: tuple[int, ...]
    languages: tuple[int, ...]
    hours: tuple[int, ...]
    reach_km: int


class City(NamedTuple):
    county: str
    townships: tuple[str, ...]
    lat: float
    lon: float


def cities(random: Random, count: int = 80) -> list[City]:
    """Real counties with their townships; where they lie is the county's own place."""
    counties = [
        a for a in (divisions().get(c) for c in _counties()) if a and a.lat is not None and a.lon is not None
    ]
    chosen = random.sample(counties, count)
    return [
        City(a.code, tuple(t.code for t in divisions().children(a.code)), a.lat, a.lon)  # type: ignore[arg-type]
        for a in chosen
        if divisions().children(a.code)
    ]


def _counties() -> list[str]:
    found = []
    for province in divisions().children(None):
        for prefecture in divisions().children(province.code):
            found += [county.code for county in divisions().children(prefecture.code)]
    return found


def people(count: int, seed: int = 7) -> Iterator[Person]:
    random = Random(seed)
    places = cities(random)
    weights = [1 / (n + 1) ** 1.05 for n in range(len(places))]
    skill_weights = [1 / (n + 1) ** ZIPF for n in range(len(SKILLS))]
    for number in range(count):
        city = random.choices(places, weights)[0]
        spread = 0.05 if random.random() < 0.85 else 0.3
        skills = set(random.choices(range(len(SKILLS)), skill_weights, k=random.randint(1, 5)))
        languages = {0} if random.random() < 0.9 else {random.randrange(1, len(LANGUAGES))}
        yield Person(
            number,
            random.choice(city.townships),
            city.lat + random.gauss(0, spread),
            city.lon + random.gauss(0, spread),
            tuple(sorted(skills)),
            tuple(sorted(languages)),
            _hours(random),
            random.choice((10, 20, 30, 50)),
        )


def _hours(random: Random) -> tuple[int, ...]:
    found: set[int] = set()
    for _ in range(random.randint(4, 10)):
        start = random.randrange(168)
        found.update((start + n) % 168 for n in range(random.randint(4, 12)))
    return tuple(sorted(found))


class Asked(NamedTuple):
    """A need: one seat for one skill at one place, in an hour and a half's time window of the coming week."""

    number: int
    area: str
    lat: float
    lon: float
    skill: int
    start_at: datetime
    end_at: datetime

    @property
    def hours(self) -> tuple[int, int]:
        """The weekly slots it covers, in China's zone."""
        local = self.start_at + timedelta(hours=8)
        first = local.weekday() * 24 + local.hour
        return first, (first + 1) % 168


class Crowd:
    """Counts who of these people could come: who has the skill, the language and the hours, and lives near enough."""

    def __init__(self, everybody: Sequence[Person]) -> None:
        self._place = np.array([(p.lat, p.lon, p.reach_km - 2) for p in everybody]).T
        self._skills = np.array([sum(1 << s for s in p.skills) for p in everybody], dtype=np.uint64)
        self._speaks = np.array([0 in p.languages for p in everybody])
        self._free = np.zeros((len(everybody), 168), dtype=bool)
        for row, person in zip(self._free, everybody, strict=True):
            row[list(person.hours)] = True

    def can_meet(self, asked: Asked) -> bool:
        first, second = asked.hours
        lat, lon, reach = self._place
        near = np.hypot(lat - asked.lat, (lon - asked.lon) * 0.9) * 111.0 <= reach
        able = (self._skills & np.uint64(1 << asked.skill)) > 0
        fit = near & able & self._speaks & self._free[:, first] & self._free[:, second]
        return int(fit.sum()) >= ENOUGH


def asks(count: int, now: datetime, crowd: int = 0, places: int = 400, seed: int = 11) -> list[Asked]:
    """Needs at so many places where people live, in turn: common skills mostly, by the same weights.

    With a crowd of so many people each of the asks can be met by `ENOUGH` of them, so that both sides have the
    whole work to do.
    """
    random = Random(seed)
    everybody = list(people(crowd or 2000))
    can_meet = Crowd(everybody).can_meet if crowd else lambda asked: True
    homes: list[Person] = []
    while len(homes) < places:
        home = random.choice(everybody)
        if sum(can_meet(_asked(random, 0, home, now)) for _ in range(10)) >= 2:
            homes.append(home)
    found: list[Asked] = []
    while len(found) < count:
        asked = _asked(random, len(found), homes[len(found) % places], now)
        if can_meet(asked):
            found.append(asked)
    return found


def _asked(random: Random, number: int, home: Person, now: datetime) -> Asked:
    start = (now + timedelta(hours=random.randint(12, 150))).replace(minute=0, second=0, microsecond=0)
    skill = random.choices(range(len(SKILLS)), [1 / (n + 1) ** ZIPF for n in range(len(SKILLS))])[0]
    return Asked(number, home.area, home.lat, home.lon, skill, start, start + timedelta(minutes=90))


def as_row(person: Person, site_id: str) -> bytes:
    """The person as a line of `POST /api/volunteers/bulk`."""
    row: dict[str, Any] = {
        "key": f"p{person.number}",
        "name": f"志愿者{person.number}",
        "site_id": site_id,
        "area": person.area,
        "home": {"lat": person.lat, "lon": person.lon},
        "skills": [SKILLS[s] for s in person.skills],
        "languages": [LANGUAGES[n] for n in person.languages],
        "hours": person.hours,
        "reach_km": person.reach_km,
        "quiet_from": 0,
        "quiet_to": 0,
        "weekly_contacts": 100,
        "weekly_cap_minutes": 6000,
    }
    return json.dumps(row, ensure_ascii=False).encode()


def slots(hours: tuple[int, ...]) -> tuple[int, int, int]:
    """Weekly hours as three integers of 56 bits, as the peer's table holds them."""
    parts = [0, 0, 0]
    for hour in hours:
        parts[hour // 56] |= 1 << (hour % 56)
    return parts[0], parts[1], parts[2]
