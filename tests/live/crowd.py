"""People who use a server as people do, while it dies and comes back, and who remember what they were promised."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

import httpx2

from tests.cast import Cast, Person, volunteer_id
from tests.live.http import Answer, Line

TERMINAL = {"completed", "cancelled", "lapsed", "referred"}
AT_ONCE = 8
"""How many ask at the same time once everything is well again."""
VERDICT_SECONDS = 60.0


class ComeAgain(Exception):
    """Somebody was told that it cannot be done just now."""


class Wait(NamedTuple):
    """How long somebody waited for an answer, and which one it was, 0 for none; `come_again` is its Retry-After."""

    seconds: float
    method: str
    path: str
    status: int
    come_again: str | None


@dataclass
class Promises:
    """What was acknowledged: a server that loses any of it has failed."""

    needs: set[str] = field(default_factory=set)
    seats: dict[str, Person] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    unsure: list[tuple[Person, str, dict[str, Any] | None, str]] = field(default_factory=list)


class Crowd:
    """Staff who post and cancel, volunteers who accept, decline, withdraw and serve, a station that issues goods.

    `name` sets its volunteers apart from those of another crowd; `pace` is the longest pause between two acts of one of
    its members, in seconds.
    """

    def __init__(
        self, cast: Cast, line: Line, people: int, seed: int, *, name: str = "", pace: float = 0.0
    ) -> None:
        self.cast = cast
        self.promises = Promises()
        self.answers: dict[int, int] = {}
        self.waits: list[Wait] = []
        self._name = name
        self._pace = pace
        self.line = line
        self._random = Random(seed)
        self._seed = seed
        self._people = people
        self._keys = 0
        self._homes: list[dict[str, Any]] = []

    def speaks_over(self, line: Line) -> None:
        """From now on everybody asks over this line."""
        self.line = line
        self.cast.call = line.call

    @property
    def summary(self) -> str:
        """What was acknowledged, and which answers there were how often."""
        acknowledged = f"{len(self.promises.needs)} needs and {len(self.promises.seats)} seats acknowledged"
        return f"{acknowledged}, answers {dict(sorted(self.answers.items()))}"

    async def settle_in(self, lots: int = 3, homes: int = 4) -> None:
        """Register everybody; to be called once, on a server that lives."""
        for n in range(self._people):
            await self.cast.volunteer(
                f"{self._name}{n}", skills=["home_visit", "meal_delivery"] if n % 2 else ["home_visit"]
            )
        for _ in range(lots):
            await self.cast.lot(100_000)
        self._homes = [await self.cast.household() for _ in range(homes)]

    async def live(self, stop: Callable[[], bool]) -> None:
        """Go on until told to stop, or until nobody answers any more."""
        acts = [
            self._post,
            self._post,
            self._answer,
            self._answer,
            self._answer,
            self._withdraw,
            self._cancel,
            self._hand_over,
        ]
        workers = [self._work(acts, stop) for _ in range(6)]
        await asyncio.gather(*workers)

    async def ask_again(self) -> None:
        """Whoever got no answer, or was put off, asks again with the same key, as they were told to: until there is a
        verdict."""
        unsure, self.promises.unsure = self.promises.unsure, []
        await _each(self._insist(*asked) for asked in unsure)
        self.promises.unsure.clear()

    async def _insist(self, person: Person, path: str, body: dict[str, Any] | None, key: str) -> None:
        end = time.monotonic() + VERDICT_SECONDS
        while (first := await self._send(person, path, body, key)).status in (202, 503):
            assert time.monotonic() < end, f"{path}: no verdict in {VERDICT_SECONDS} s, but {first.status}"
            await asyncio.sleep(0.2)
        second = await self._send(person, path, body, key)
        if first.status < 300 and path == "/api/needs":
            assert first.body == second.body, f"{path}: two answers to one request"

    async def holds_them_to_it(self) -> None:
        """Every acknowledged need is terminal or waits with a reason and a time; every seat that was won stands."""
        self.cast.appoint()
        await _each(self._is_not_forgotten(id) for id in self.promises.needs)
        await _each(self._stands(id) for id in set(self.promises.seats) - self.promises.given_up)

    async def leaves(self) -> None:
        """Cancels what is open, so that it is quiet for those who come next."""
        self.cast.appoint()
        await _each(
            self.cast.does(self.cast.staff, f"/api/needs/{id}/cancel", {"reason": "solved"})
            for id in self.promises.needs
        )

    async def _is_not_forgotten(self, id: str) -> None:
        need = await self.cast.got(self.cast.staff, f"/api/needs/{id}")
        finished = need["status"] in TERMINAL
        assert finished or (need["waiting"] and need["next_action_at"]), f"need {id} is forgotten: {need}"

    async def _stands(self, id: str) -> None:
        task = await self.cast.got(self.cast.staff, f"/api/tasks/{id}")
        if task["status"] == "cancelled":
            need = await self.cast.got(self.cast.staff, f"/api/needs/{task['need_id']}")
            assert need["status"] in TERMINAL, f"seat {id} was taken away, and the need is {need['status']}"
        else:
            assert task["status"] in ("taken", "checked_in", "done", "withdrawn"), task

    async def _work(self, acts: Sequence[Callable[[], Awaitable[None]]], stop: Callable[[], bool]) -> None:
        while not stop():
            try:
                await self._random.choice(acts)()
                await asyncio.sleep(self._random.uniform(0, self._pace))
            except (httpx2.HTTPError, ComeAgain):
                if stop():
                    return
                await asyncio.sleep(0.02 + self._pace)

    async def _post(self) -> None:
        lines = [self.cast.people_line(seats=self._random.choice((1, 2)), hours=self._random.uniform(1, 200))]
        if self._random.random() < 0.6:
            lines.append(self.cast.goods_line(self._random.randint(1, 5)))
        home = self._random.choice(self._homes)
        body = {"household_id": home["id"], "category": "comfort", "lines": lines}
        answer = await self._asked(self.cast.staff, "/api/needs", body)
        if answer.status == 201:
            self.promises.needs.add(answer.body["id"])

    async def _answer(self) -> None:
        person = self.cast.person(volunteer_id(f"{self._name}{self._random.randrange(self._people)}"))
        asked = await self._got(person, f"/api/invitations?volunteer_id={person.id}")
        pending = [i for i in asked["items"] if i["status"] == "pending"]
        if not pending:
            await asyncio.sleep(0.01)
            return
        id = self._random.choice(pending)["id"]
        if self._random.random() < 0.2:
            await self._asked(person, f"/api/invitations/{id}/decline", {"reason": "no_time"})
            return
        await self._asked(person, f"/api/invitations/{id}/accept", None)

    async def _withdraw(self) -> None:
        held = sorted(set(self.promises.seats) - self.promises.given_up)
        if held and self._random.random() < 0.3:
            id = self._random.choice(held)
            self.promises.given_up.add(id)
            await self._asked(self._today(self.promises.seats[id]), f"/api/tasks/{id}/withdraw", None)

    async def _cancel(self) -> None:
        if self.promises.needs and self._random.random() < 0.2:
            id = self._random.choice(sorted(self.promises.needs))
            await self._asked(self.cast.staff, f"/api/needs/{id}/cancel", {"reason": "solved"})

    async def _hand_over(self) -> None:
        found = (await self._got(self.cast.staff, "/api/holds?status=confirmed&limit=20"))["items"]
        if not found:
            await asyncio.sleep(0.01)
            return
        id = self._random.choice(found)["id"]
        answer = await self._asked(self.cast.staff, f"/api/holds/{id}/issue", None)
        if answer.status == 200:
            await self._asked(
                self.cast.staff, f"/api/holds/{id}/receipt", {"relation": "family", "by_phone": True}
            )

    async def _asked(self, person: Person, path: str, body: dict[str, Any] | None) -> Answer:
        self._keys += 1
        return await self._send(person, path, body, f"crowd-{self._name}{self._seed}-{self._keys}")

    async def _send(self, person: Person, path: str, body: dict[str, Any] | None, key: str) -> Answer:
        try:
            answer = await self._timed(self._today(person), "POST", path, body, key)
        except httpx2.HTTPError:
            self.promises.unsure.append((person, path, body, key))
            raise
        self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
        assert answer.status < 500 or answer.status == 503, f"{path}: {answer.status} {answer.body}"
        if answer.status in (202, 503):
            self.promises.unsure.append((person, path, body, key))
        if answer.status in (200, 201) and path == "/api/needs":
            self.promises.needs.add(answer.body["id"])
        if answer.status == 200 and path.endswith("/accept"):
            self.promises.seats[answer.body["id"]] = person
        return answer

    async def _got(self, person: Person, path: str) -> dict[str, Any]:
        answer = await self._timed(person, "GET", path)
        if answer.status == 503:
            raise ComeAgain(path)
        assert answer.status == 200, f"GET {path}: {answer.status} {answer.body}"
        found: dict[str, Any] = answer.body
        return found

    async def _timed(
        self, person: Person, method: str, path: str, body: Any = None, key: str | None = None
    ) -> Answer:
        began, status, later = time.monotonic(), 0, None
        try:
            answer = await self.line.call(person.token, method, path, body, key=key)
            status, later = answer.status, answer.headers.get("retry-after")
        finally:
            self.waits.append(Wait(time.monotonic() - began, method, path, status, later))
        return answer

    def _today(self, person: Person) -> Person:
        """The same person with a token that has not ended meanwhile."""
        return self.cast.staff if person.id == self.cast.staff.id else self.cast.person(person.id)


async def _each(calls: Iterable[Awaitable[Any]]) -> None:
    """All of these, a few at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(call: Awaitable[Any]) -> None:
        async with gate:
            await call

    await asyncio.gather(*(one(call) for call in calls))
