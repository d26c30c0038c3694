"""The records' part of a copy: into one database per service, as documents that the services would write themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from shared.mongo.arrivals import PAGE, Arrivals
from shared.mongo.connection import Connection
from shared.ports import Faults, Ids
from wushe.copy.sums import Sum, canonical, digest_of
from wushe.copy.survey import SHELVES, Shelf, Survey
from wushe.copy.telling import Tell
from wushe.language import say

Document = Mapping[str, Any]


class Records:
    """Named point: `copy.recorded` (after a page of records)."""

    def __init__(self, connection: Connection, ids: Ids, faults: Faults) -> None:
        self._faults = faults
        self._arrivals = {shelf: Arrivals(connection, *shelf, ids) for shelf in SHELVES}

    async def strangers(self, survey: Survey) -> list[str]:
        """What is there that no copy of this source has put there, or that has changed since."""
        found: list[str] = []
        for shelf, arrivals in self._arrivals.items():
            async for there in arrivals.standing():
                here = survey.version(shelf, there.id)
                if here is None or there.touched or there.version > here:
                    found.append(f"{_name(shelf)} {there.id} ({_against(here, there.version)})")
        return found

    async def put(self, survey: Survey, tell: Tell) -> int:
        """Write what is missing or older; how many were written. Raises Overtaken, Outage."""
        written = 0
        for shelf, arrivals in self._arrivals.items():
            await arrivals.prepare()
            advance = tell(_name(shelf), survey.sums[shelf].count)
            for page in _pages(survey.documents(shelf)):
                there = await arrivals.those([document["_id"] for document in page])
                wanting = [each for each in page if _differs(each, there.get(each["_id"]))]
                await arrivals.put(wanting)
                self._faults.reach("copy.recorded")
                written += len(wanting)
                advance(len(page))
        return written

    async def sums(self, survey: Survey, tell: Tell) -> dict[Shelf, Sum]:
        """What is there now, counted from the documents."""
        found: dict[Shelf, Sum] = {}
        for shelf, arrivals in self._arrivals.items():
            advance = tell(_name(shelf), survey.sums[shelf].count)
            found[shelf] = Sum()
            async for document in arrivals.documents():
                found[shelf].add(digest_of(canonical(document)))
                advance(1)
        return found


def _differs(wanted: Document, there: Document | None) -> bool:
    return there is None or canonical(wanted) != canonical(there)


def _against(here: int | None, there: int) -> str:
    if here is None:
        return say("来源中没有", "unknown to the source")
    return say(
        "来源版本 {here}，目标版本 {there}", "version {here} here, {there} there", here=here, there=there
    )


def _name(shelf: Shelf) -> str:
    return f"{shelf[0]}.{shelf[1].kind}"


def _pages(documents: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    waiting = iter(documents)
    while page := list(islice(waiting, PAGE)):
        yield page
