"""The peer's search for twenty people in the database, with each index that a good engineer would try.

All answer the same question as the other side's search: the skill, the language, the hours, the week's limits, within the
person's own reach, nearest first. `best` measures them on real asks.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from pymongo import ASCENDING, GEOSPHERE
from pymongo.asynchronous.collection import AsyncCollection

from tests.bench.population import Person

Document = dict[str, Any]
People = AsyncCollection[Document]
Search = Callable[[People, Document], Awaitable[list[int]]]

WANTED = 20
RINGS = (12, 9, 6, 4, 0)
FARTHEST_M = 50_000
FACTS = {"lat": 1, "lon": 1, "reach": 1}


async def make_indexes(people: People) -> None:
    await people.create_index([("skills", ASCENDING), ("area", ASCENDING)])
    await people.create_index([("skills", ASCENDING), ("lat", ASCENDING)])
    await people.create_index([("place", GEOSPHERE)])


def documents(crowd: Iterable[Person]) -> Iterable[Document]:
    """The people as the peer keeps them."""
    for p in crowd:
        yield {
            "_id": p.number, "area": p.area, "lat": p.lat, "lon": p.lon, "reach": p.reach_km,
            "place": {"type": "Point", "coordinates": [p.lon, p.lat]}, "skills": list(p.skills),
            "languages": list(p.languages), "hours": list(p.hours), "minutes_left": 6000,
            "contacts_left": 1_000_000, "active": True,
        }  # fmt: skip


def facts(ask: Document) -> Document:
    """What must hold of a person, wherever they live."""
    return {
        "active": True, "languages": ask["language"], "minutes_left": {"$gte": ask["minutes"]},
        "contacts_left": {"$gt": 0}, "hours": {"$all": ask["hours"]},
    }  # fmt: skip


async def by_area(people: People, ask: Document) -> list[int]:
    """Ring by ring over the index of skill and area, until there are enough."""
    found: list[int] = []
    for digits in RINGS:
        prefix = ask["area"][:digits]
        ring = {"$gte": prefix, "$lt": prefix + ":"}
        found = await _nearest(people, ask, {"skills": ask["skill"], "area": ring, **facts(ask)})
        if len(found) == WANTED:
            break
    return found


async def by_box(people: People, ask: Document) -> list[int]:
    """Box by box over the index of skill and latitude, until there are enough."""
    found: list[int] = []
    for box in (0.05, 0.15, 0.5):
        lat = {"$gte": ask["lat"] - box, "$lte": ask["lat"] + box}
        lon = {"$gte": ask["lon"] - box * 1.2, "$lte": ask["lon"] + box * 1.2}
        found = await _nearest(people, ask, {"skills": ask["skill"], "lat": lat, "lon": lon, **facts(ask)})
        if len(found) == WANTED:
            break
    return found


async def by_place(people: People, ask: Document) -> list[int]:
    """The nearest first, by the database, over a 2dsphere index."""
    near = {
        "near": {"type": "Point", "coordinates": [ask["lon"], ask["lat"]]}, "key": "place", "distanceField": "distance",
        "distanceMultiplier": 0.001, "maxDistance": FARTHEST_M, "query": {"skills": ask["skill"], **facts(ask)},
    }  # fmt: skip
    within = {"$match": {"$expr": {"$lte": ["$distance", "$reach"]}}}
    steps: list[Document] = [{"$geoNear": near}, within, {"$limit": WANTED}, {"$project": {"_id": 1}}]
    return [found["_id"] async for found in await people.aggregate(steps)]


async def _nearest(people: People, ask: Document, where: Document) -> list[int]:
    found = await people.find(where, FACTS).to_list(None)
    near = sorted((_distance_km(ask, p), p["_id"]) for p in found if _distance_km(ask, p) <= p["reach"])
    return [id for _, id in near[:WANTED]]


def _distance_km(ask: Document, person: Document) -> float:
    return 111.0 * math.hypot(ask["lat"] - person["lat"], (ask["lon"] - person["lon"]) * 0.9)


SEARCHES: dict[str, Search] = {"by_area": by_area, "by_box": by_box, "by_place": by_place}


async def best(people: People, asks: Sequence[Document]) -> tuple[str, dict[str, float]]:
    """The fastest search on these asks, and the median milliseconds of each."""
    medians: dict[str, float] = {}
    for name, search in SEARCHES.items():
        times = []
        for ask in asks:
            began = time.perf_counter()
            await search(people, ask)
            times.append((time.perf_counter() - began) * 1000)
        medians[name] = round(statistics.median(times), 1)
    return min(medians, key=lambda name: medians[name]), medians
