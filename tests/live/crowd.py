"""People who use a server as people do, while it dies and comes back, and who remember what they were promised."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx2

from tests.cast import Cast, Person
from tests.live.http import Answer, Line

TERMINAL = {"completed", "cancelled", "lapsed", "referred"}


@dataclass
class Promises:
    """What was acknowledged: a server that loses any of it has failed."""

    needs: set[str] = field(default_factory=set)
    seats: dict[str, Person] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    unsure: list[tuple[Person, str, dict[str, Any] | None, str]] = field(default_factory=list)


class Crowd:
    """Staff who post and cancel, volunteers who accept, decline, withdraw and serve, a station that issues goods."""

    def __init__(self, cast: Cast, line: Line, people: int, seed: int) -> None:
        self.cast = cast
        self.promises = Promises()
        self.answers: dict[int, int] = {}
        self._line = line
        self._random = Random(seed)
        self._seed = seed
        self._people = people
        self._keys = 0
        self._homes: list[dict[str, Any]] = []

    async def settle_in(self, lots: int = 3, homes: int = 4) -> None:
        """Register everybody; to be called once, on a server that lives."""
        for n in range(self._people):
            await self.cast.volunteer(
                str(n), skills=["home_visit", "meal_delivery"] if n % 2 else ["home_visit"]
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
        """Whoever got no answer asks again with the same key, as they were told to."""
        unsure, self.promises.unsure = self.promises.unsure, []
        for person, path, body, key in unsure:
            first = await self._send(person, path, body, key)
            second = await self._send(person, path, body, key)
            if first is not None and second is not None and first.status < 300 and path == "/api/needs":
                assert first.body == second.body, f"{path}: two answers to one request"

    async def holds_them_to_it(self) -> None:
        """Every acknowledged need is terminal or waits with a reason and a time; every seat that was won stands."""
        self.cast.appoint()
        for id in self.promises.needs:
            need = await self.cast.got(self.cast.staff, f"/api/needs/{id}")
            finished = need["status"] in TERMINAL
            assert finished or (need["waiting"] and need["next_action_at"]), f"need {id} is forgotten: {need}"
        for id in set(self.promises.seats) - self.promises.given_up:
            task = await self.cast.got(self.cast.staff, f"/api/tasks/{id}")
            if task["status"] == "cancelled":
                need = await self.cast.got(self.cast.staff, f"/api/needs/{task['need_id']}")
                assert need["status"] in TERMINAL, (
                    f"seat {id} was taken away, and the need is {need['status']}"
                )
            else:
                assert task["status"] in ("taken", "checked_in", "done", "withdrawn"), task

    async def _work(self, acts: Sequence[Callable[[], Awaitable[None]]], stop: Callable[[], bool]) -> None:
        while not stop():
            try:
                await self._random.choice(acts)()
            except httpx2.HTTPError:
                if stop():
                    return
                await asyncio.sleep(0.02)

    async def _post(self) -> None:
        lines = [self.cast.people_line(seats=self._random.choice((1, 2)), hours=self._random.uniform(1, 200))]
        if self._random.random() < 0.6:
            lines.append(self.cast.goods_line(self._random.randint(1, 5)))
        home = self._random.choice(self._homes)
        body = {"household_id": home["id"], "category": "comfort", "lines": lines}
        answer = await self._asked(self.cast.staff, "/api/needs", body)
        if answer is not None and answer.status == 201:
            self.promises.needs.add(answer.body["id"])

    async def _answer(self) -> None:
        person = self.cast.person(f"v-{self._random.randrange(self._people)}")
        pending = [i for i in await self.cast.invitations(person) if i["status"] == "pending"]
        if not pending:
            await asyncio.sleep(0.01)
            return
        id = self._random.choice(pending)["id"]
        if self._random.random() < 0.2:
            await self._asked(person, f"/api/invitations/{id}/decline", {"reason": "no_time"})
            return
        answer = await self._asked(person, f"/api/invitations/{id}/accept", None)
        if answer is not None and answer.status == 200:
            self.promises.seats[answer.body["id"]] = person

    async def _withdraw(self) -> None:
        held = sorted(set(self.promises.seats) - self.promises.given_up)
        if held and self._random.random() < 0.3:
            id = self._random.choice(held)
            self.promises.given_up.add(id)
            await self._asked(self.promises.seats[id], f"/api/tasks/{id}/withdraw", None)

    async def _cancel(self) -> None:
        if self.promises.needs and self._random.random() < 0.2:
            id = self._random.choice(sorted(self.promises.needs))
            await self._asked(self.cast.staff, f"/api/needs/{id}/cancel", {"reason": "solved"})

    async def _hand_over(self) -> None:
        found = (await self.cast.got(self.cast.staff, "/api/holds?status=confirmed&limit=20"))["items"]
        if not found:
            await asyncio.sleep(0.01)
            return
        id = self._random.choice(found)["id"]
        answer = await self._asked(self.cast.staff, f"/api/holds/{id}/issue", None)
        if answer is not None and answer.status == 200:
            await self._asked(
                self.cast.staff, f"/api/holds/{id}/receipt", {"relation": "family", "by_phone": True}
            )

    async def _asked(self, person: Person, path: str, body: dict[str, Any] | None) -> Answer | None:
        self._keys += 1
        return await self._send(person, path, body, f"crowd-{self._seed}-{self._keys}")

    async def _send(self, person: Person, path: str, body: dict[str, Any] | None, key: str) -> Answer | None:
        try:
            answer = await self._line.call(person.token, "POST", path, body, key=key)
        except httpx2.HTTPError:
            self.promises.unsure.append((person, path, body, key))
            raise
        self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
        assert answer.status < 500 or answer.status == 503, f"{path}: {answer.status} {answer.body}"
        if answer.status in (200, 201) and path == "/api/needs":
            self.promises.needs.add(answer.body["id"])
        return answer
