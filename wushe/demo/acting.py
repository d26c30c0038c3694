"""How people act in the story: they sign in, wait to be asked, answer, and see what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from shared.errors import WusheError
from wushe.client import Account, Refused
from wushe.demo import cast
from wushe.demo.cast import Actor
from wushe.demo.stage import Stage
from wushe.language import Words

PATIENCE = 15.0
PATIENT_ENOUGH = 20


class Stuck(WusheError):
    """Something that the story waits for did not happen."""


class Acting:
    """`head` prints a heading, `act` what a person does; `follow` tells the narrator which need to listen
    to, `pause` waits until what has happened so far is told."""

    def __init__(
        self,
        stage: Stage,
        head: Callable[[str], None],
        act: Callable[[str], None],
        follow: Callable[[str], None],
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self.stage = stage
        self.staff = stage.staff
        self._head = head
        self._act = act
        self._follow = follow
        self._pause = pause
        self.verdicts: dict[str, str] = {}
        self.needs: dict[str, str] = {}
        self.refused_by: list[str] = []

    async def holds(self, need: str) -> list[dict[str, Any]]:
        page = (await self.staff.get("/api/holds", need_id=self.needs[need])).body
        return list(page["items"])

    def holders(self) -> list[Actor]:
        """Those who won a seat and kept it."""
        return [a for a in cast.ACTORS if self.verdicts.get(a.key) == "won" and a is not cast.YULAN]

    async def head(self, zh: str, en: str) -> None:
        await self._pause()
        self._head(Words(zh, en).said(self.stage.language))

    async def act(self, zh: str, en: str, **facts: object) -> None:
        await self._pause()
        language = self.stage.language
        called = {name: f.called(language) if isinstance(f, Actor) else f for name, f in facts.items()}
        self._act(Words(zh, en).said(language, **called))

    @property
    def batch(self) -> dict[str, str]:
        return self.stage.batch

    def of(self, actor: Actor) -> Account:
        return self.stage.accounts[actor.key]

    async def posted(self, household: str, **body: Any) -> str:
        need = await self.stage.need(household, **body)
        self._follow(need)
        return need

    async def invited(self, actor: Actor, need: str) -> str:
        """The invitation of this person for this need, once it is there."""

        def mine(page: Any) -> list[dict[str, Any]]:
            return [i for i in page["items"] if i["need_id"] == self.needs[need]]

        page = await self.of(actor).until("/api/invitations", lambda page: bool(mine(page)), seconds=PATIENCE)
        if not mine(page):
            raise Stuck(self._words("{who}一直没有收到邀约", "{who} was never asked", who=actor.name))
        return str(mine(page)[0]["id"])

    async def accepts(self, actor: Actor, need: str) -> None:
        """Say yes, and note the verdict: won or filled. A 202 is asked about again."""
        invitation = await self.invited(actor, need)
        for _ in range(PATIENT_ENOUGH):
            try:
                answer = await self.of(actor).post(
                    f"/api/invitations/{invitation}/accept", key=f"yes-{invitation[-16:]}"
                )
            except Refused as no:
                self.verdicts[actor.key] = "filled" if no.code == "seat-filled" else no.code
                return
            if answer.status == 200:
                self.verdicts[actor.key] = "won"
                return
            await asyncio.sleep(0.2)
        self.verdicts[actor.key] = "never decided"

    async def task(self, actor: Actor) -> str:
        def taken(page: Any) -> list[dict[str, Any]]:
            return [
                t for t in page["items"] if t["need_id"] == self.needs["visit"] and t["status"] == "taken"
            ]

        page = await self.of(actor).until("/api/tasks", lambda page: bool(taken(page)), seconds=PATIENCE)
        if not taken(page):
            raise Stuck(self._words("{who}没有任务", "{who} has no task", who=actor.name))
        return str(taken(page)[0]["id"])

    async def status(self, need: str, status: str) -> None:
        found = await self.until(need, lambda n: n["status"] == status)
        if found["status"] != status:
            raise Stuck(
                self._words(
                    "需求停在“{is_}”，没有到“{wanted}”",
                    "the need is {is_}, not {wanted}",
                    is_=found["status"],
                    wanted=status,
                )
            )

    async def until(self, need: str, holds: Callable[[Any], bool]) -> Any:
        return await self.staff.until(f"/api/needs/{self.needs[need]}", holds, seconds=PATIENCE)

    def _words(self, zh: str, en: str, **facts: object) -> str:
        return Words(zh, en).said(self.stage.language, **facts)
