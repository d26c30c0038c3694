"""The story itself: what people do, act by act, over HTTP."""

from __future__ import annotations

import asyncio

from shared.contracts.vocabulary import GoodsRule
from wushe.demo import cast
from wushe.demo.acting import Acting


class Story(Acting):
    """Seven acts. `needs` are the needs of the story, `verdicts` what those who said yes were told."""

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
        goods = {"kind": "goods", "category": "food", "quantity": 2, "unit": "袋", "attributes": self.batch}
        people = {"kind": "people", "seats": 2, "skills": cast.SKILLS, "window": self.stage.window()}
        self.needs["visit"] = await self.posted("aying", category="comfort", lines=[people, goods])
        first = await self.invited(cast.ADUO, "visit")
        await self.act("{who}说：这次没时间", "{who} says: no time this week", who=cast.ADUO)
        await self.of(cast.ADUO).post(f"/api/invitations/{first}/decline", {"reason": "no_time"})
        await self.act(
            "{who}没看手机……第二轮扩大到全乡",
            "{who} does not look at the phone … the next wave is wider",
            who=cast.CHANGHE,
        )

    async def race(self) -> None:
        """Two people press the button for the last seat in the same moment."""
        await self.head("二 · 接单：两人同时抢最后一个席位", "2 · Two volunteers race for the last seat")
        first, *racers = [cast.YULAN, cast.XIAOMAN, cast.CHENYUAN]
        await self.act("{who}接单", "{who} says yes", who=first)
        await self.accepts(first, "visit")
        await asyncio.gather(*(self.invited(actor, "visit") for actor in racers))
        await self.act(
            "{a}和{b}同时按下“接单”",
            "{a} and {b} press “yes” in the same moment",
            a=racers[0],
            b=racers[1],
        )
        await asyncio.gather(*(self.accepts(actor, "visit") for actor in racers))
        await self.status("visit", "matched")

    async def drop_out(self) -> None:
        """A drop-out re-opens the seat, and somebody else takes it."""
        await self.head("三 · 有人退出，重新匹配", "3 · Somebody drops out, and the search begins again")
        gone = cast.YULAN
        task = await self.task(gone)
        await self.act("{who}家里有事，退出任务", "{who} cannot come after all", who=gone)
        await self.of(gone).post(f"/api/tasks/{task}/withdraw")
        await self.invited(cast.DASHAN, "visit")
        await self.act("{who}接单", "{who} says yes", who=cast.DASHAN)
        await self.accepts(cast.DASHAN, "visit")
        await self.status("visit", "matched")

    async def serve(self) -> None:
        """The goods are handed over and signed for; the people check in and out."""
        await self.head("四 · 出库、签收、签到、签退", "4 · Issue, receipt, check-in and check-out")
        hold = (await self.holds("visit"))[0]["id"]
        await self.act("爱心社交付大米", "The charity hands the rice over")
        await self.stage.accounts["charity"].post(f"/api/holds/{hold}/issue")
        await self.act("龙阿英签收", "Long Aying signs for it")
        receipt = {"relation": "resident", "signature": "龙阿英"}
        await self.staff.post(f"/api/holds/{hold}/receipt", receipt)
        for actor in self.holders():
            task = await self.task(actor)
            await self.act("{who}到达", "{who} arrives", who=actor)
            await self.of(actor).post(f"/api/tasks/{task}/check-in")
            await self.of(actor).post(f"/api/tasks/{task}/check-out")
        await self.status("visit", "awaiting_confirmation")

    async def rate(self) -> None:
        """The resident's own answer closes the need."""
        await self.head("五 · 评单", "5 · The resident has the last word")
        await self.act("电话回访：龙阿英打了5分", "Asked by phone, Long Aying gives five out of five")
        await self.staff.post(f"/api/needs/{self.needs['visit']}/rate", {"score": 5, "channel": "phone"})
        await self.status("visit", "completed")

    async def earmark(self) -> None:
        """A fund for children is not touched for an adult, and the refusal says which condition."""
        await self.head(
            "六 · 专款专用：不合条件，一分也不动",
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
        line = {**money, "kind": "goods", "quantity": cast.GIFT_FEN, "attributes": self.batch}
        self.needs["money"] = await self.posted("tiezhu", category="social_assistance", lines=[line])
        need = await self.until("money", lambda n: bool(n["search"] and n["search"]["diagnosis"]))
        self.refused_by = [r["rule"] for d in need["search"]["diagnosis"] for r in d["removed"]]
        if GoodsRule.EARMARK_GROUP in self.refused_by:
            await self.act(
                "助学金不动用：石铁柱不在它的资助对象之内",
                "The children's fund stays as it is: Shi Tiezhu is not whom it is for",
            )
        await self.act(
            "另一位捐赠人捐出2000元，不设条件", "Another donor gives 2,000 yuan without conditions"
        )
        await self.stage.lot("fund", "救助金", "relief fund", **money)
        await self.status("money", "matched")

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
        self.needs["signer"] = await self.posted("tiezhu", category="social_support", lines=[line])
        await self.until(
            "signer", lambda n: bool(n["search"] and n["search"]["hops"] >= 1 and n["search"]["diagnosis"])
        )
