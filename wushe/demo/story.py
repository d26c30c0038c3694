"""The story itself: what people do, act by act, over HTTP; and what must have come of it."""

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


class Story:
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

    async def tell(self) -> None:
        await self.order()
        await self.race()
        await self.drop_out()
        await self.serve()
        await self.rate()
        await self.earmark()
        await self.nobody()

    async def order(self) -> None:
        """One need asks for two people and for rice; the first wave is the village, the next one the township."""
        await self.head(
            "一 · 点单：一份需求，同时找人、找物",
            "1 · A need is posted: it looks for people and goods at once",
        )
        await self.stage.lot(
            "rice", "大米", "rice", category="food", unit="袋", quantity=cast.RICE, note="demo"
        )
        await self.act("莲塘爱心社捐来大米{n}袋", "A charity lists {n} bags of rice", n=cast.RICE)
        await self.act(
            "社区工作者为独居的龙阿英（83岁）点单：两人上门探访、修理电路，大米2袋",
            "A community worker posts a need for Long Aying, 83, who lives alone: two people to visit and repair, two bags of rice",
        )
        goods = {"kind": "goods", "category": "food", "quantity": 2, "unit": "袋", "attributes": self._batch}
        people = {"kind": "people", "seats": 2, "skills": cast.SKILLS, "window": self.stage.window()}
        self.needs["visit"] = await self._posted("aying", category="comfort", lines=[people, goods])
        first = await self._invited(cast.ADUO, "visit")
        await self.act("{who}说：这次没时间", "{who} says: no time this week", who=cast.ADUO.name)
        await self._of(cast.ADUO).post(f"/api/invitations/{first}/decline", {"reason": "no_time"})
        await self.act(
            "{who}没看手机……第二轮扩大到全乡",
            "{who} does not look at the phone … the next wave is wider",
            who=cast.CHANGHE.name,
        )

    async def race(self) -> None:
        """Two people press the button for the last seat in the same moment."""
        await self.head("二 · 接单：两人同时抢最后一个席位", "2 · Two volunteers race for the last seat")
        first, *racers = [cast.YULAN, cast.XIAOMAN, cast.CHENYUAN]
        await self.act("{who}接单", "{who} says yes", who=first.name)
        await self._accepts(first, "visit")
        await asyncio.gather(*(self._invited(actor, "visit") for actor in racers))
        await self.act(
            "{a}和{b}同时按下“接单”",
            "{a} and {b} press “yes” in the same moment",
            a=racers[0].name,
            b=racers[1].name,
        )
        await asyncio.gather(*(self._accepts(actor, "visit") for actor in racers))
        await self._status("visit", "matched")

    async def drop_out(self) -> None:
        """A drop-out re-opens the seat, and somebody else takes it."""
        await self.head("三 · 有人退出，重新匹配", "3 · Somebody drops out, and the search begins again")
        gone = cast.YULAN
        task = await self._task(gone)
        await self.act("{who}家里有事，退出任务", "{who} cannot come after all", who=gone.name)
        await self._of(gone).post(f"/api/tasks/{task}/withdraw")
        await self._invited(cast.DASHAN, "visit")
        await self.act("{who}接单", "{who} says yes", who=cast.DASHAN.name)
        await self._accepts(cast.DASHAN, "visit")
        await self._status("visit", "matched")

    async def serve(self) -> None:
        """The goods are handed over and signed for; the people check in and out."""
        await self.head("四 · 出库、签收、签到、签退", "4 · Issue, receipt, check-in and check-out")
        hold = (await self.holds("visit"))[0]["id"]
        await self.act("爱心社把大米交出", "The charity hands the rice over")
        await self.stage.accounts["charity"].post(f"/api/holds/{hold}/issue")
        await self.act("龙阿英签收", "Long Aying signs for it")
        receipt = {"relation": "resident", "signature": "龙阿英"}
        await self.staff.post(f"/api/holds/{hold}/receipt", receipt)
        for actor in self.holders():
            task = await self._task(actor)
            await self.act("{who}到达", "{who} arrives", who=actor.name)
            await self._of(actor).post(f"/api/tasks/{task}/check-in")
            await self._of(actor).post(f"/api/tasks/{task}/check-out")
        await self._status("visit", "awaiting_confirmation")

    async def rate(self) -> None:
        """The resident's own answer closes the need."""
        await self.head("五 · 评单", "5 · The resident has the last word")
        await self.act("电话回访：龙阿英打了5分", "Asked by phone, Long Aying gives five out of five")
        await self.staff.post(f"/api/needs/{self.needs['visit']}/rate", {"score": 5, "channel": "phone"})
        await self._status("visit", "completed")

    async def earmark(self) -> None:
        """A fund for children is not touched for an adult, and the refusal says which condition."""
        await self.head(
            "六 · 专款专用：不合条件的钱，一分也不动",
            "6 · Earmarked money is not touched outside its conditions",
        )
        money = {"kind": "money", "category": "cash_gift", "unit": "fen", "quantity": cast.FUND_FEN}
        await self.stage.lot(
            "children's fund",
            "助学金",
            "children's fund",
            **money,
            earmark={"target_groups": ["orphan", "left_behind_child"]},
        )
        await self.act(
            "爱心社有一笔2000元的款，只能用于孤儿和留守儿童",
            "The charity has 2,000 yuan that may only go to orphans and left-behind children",
        )
        await self.act(
            "石铁柱（残疾人）需要500元慰问金", "Shi Tiezhu, who is disabled, needs a gift of 500 yuan"
        )
        line = {
            "kind": "goods",
            "category": "cash_gift",
            "quantity": cast.GIFT_FEN,
            "unit": "fen",
            "attributes": self._batch,
        }
        self.needs["money"] = await self._posted("tiezhu", category="social_assistance", lines=[line])
        need = await self._until("money", lambda n: bool(n["search"] and n["search"]["diagnosis"]))
        self.refused_by = [r["rule"] for d in need["search"]["diagnosis"] for r in d["removed"]]
        await self.act(
            "另一位捐赠人捐出2000元，不设条件", "Another donor gives 2,000 yuan without conditions"
        )
        await self.stage.lot("fund", "救助金", "relief fund", **money)
        await self._status("money", "matched")

    async def nobody(self) -> None:
        """Nobody can take it: the reason is said, rule by rule, and the need is raised a tier."""
        await self.head(
            "七 · 没有人能接：说明原因，并逐级上报",
            "7 · Nobody can take it: the reason is said, and it is raised a tier",
        )
        await self.stage.policy(tier_seconds=2)
        await self.act(
            "石铁柱听力不好，还需要一位会手语的人上门修理",
            "Shi Tiezhu hardly hears: he also needs somebody to repair things who can sign",
        )
        line = {
            "kind": "people",
            "seats": 1,
            "skills": cast.SKILLS,
            "languages": ["csl"],
            "window": self.stage.window(5),
        }
        self.needs["signer"] = await self._posted("tiezhu", category="social_support", lines=[line])
        await self._until(
            "signer", lambda n: bool(n["search"] and n["search"]["hops"] >= 1 and n["search"]["diagnosis"])
        )

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
        self._act(Words(zh, en).said(self.stage.language, **facts))

    @property
    def _batch(self) -> dict[str, str]:
        return {"批次": self.stage.tag}

    def _of(self, actor: Actor) -> Account:
        return self.stage.accounts[actor.key]

    async def _posted(self, household: str, **body: Any) -> str:
        need = await self.stage.need(household, **body)
        self._follow(need)
        return need

    async def _invited(self, actor: Actor, need: str) -> str:
        """The invitation of this person for this need, once it is there."""

        def mine(page: Any) -> list[dict[str, Any]]:
            return [i for i in page["items"] if i["need_id"] == self.needs[need]]

        page = await self._of(actor).until(
            "/api/invitations", lambda page: bool(mine(page)), seconds=PATIENCE
        )
        if not mine(page):
            raise Stuck(self._words("{who}一直没有收到邀约", "{who} was never asked", who=actor.name))
        return str(mine(page)[0]["id"])

    async def _accepts(self, actor: Actor, need: str) -> None:
        """Say yes, and note the verdict: won or filled. A 202 is asked about again."""
        invitation = await self._invited(actor, need)
        for _ in range(PATIENT_ENOUGH):
            try:
                answer = await self._of(actor).post(
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

    async def _task(self, actor: Actor) -> str:
        def taken(page: Any) -> list[dict[str, Any]]:
            return [
                t for t in page["items"] if t["need_id"] == self.needs["visit"] and t["status"] == "taken"
            ]

        page = await self._of(actor).until("/api/tasks", lambda page: bool(taken(page)), seconds=PATIENCE)
        if not taken(page):
            raise Stuck(self._words("{who}没有任务", "{who} has no task", who=actor.name))
        return str(taken(page)[0]["id"])

    async def _status(self, need: str, status: str) -> None:
        found = await self._until(need, lambda n: n["status"] == status)
        if found["status"] != status:
            raise Stuck(
                self._words(
                    "需求停在“{is_}”，没有到“{wanted}”",
                    "the need is {is_}, not {wanted}",
                    is_=found["status"],
                    wanted=status,
                )
            )

    async def _until(self, need: str, holds: Callable[[Any], bool]) -> Any:
        return await self.staff.until(f"/api/needs/{self.needs[need]}", holds, seconds=PATIENCE)

    def _words(self, zh: str, en: str, **facts: object) -> str:
        return Words(zh, en).said(self.stage.language, **facts)
