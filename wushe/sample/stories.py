"""Playing every need of the sample as far as its course goes, as the people who would do it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from wushe.client import Account, Refused
from wushe.sample.needs import NEEDS, NeedRow
from wushe.sample.town import Town

SECONDS = 15.0
SOON = timedelta(seconds=20)
log = structlog.get_logger("sample")


async def play_stories(town: Town) -> list[str]:
    """Play all of them at once; the keys of those that did not come as far as they should."""
    played = await asyncio.gather(*(_play(town, n, row) for n, row in enumerate(NEEDS)))
    await _leads(town)
    return [key for key in played if key]


async def _play(town: Town, number: int, row: NeedRow) -> str | None:
    try:
        await Play(town, number, row).all()
    except Refused as no:
        if no.code == "idempotency-key-reused":
            return None  # posted before the load was cut short, for a time that came and went
        log.warning(
            "a need of the sample stayed behind", household=row.household, course=row.course, why=no.code
        )
        return row.household
    return None


class Play:
    """One need and its course. Each request has a fixed key, so playing again goes on where it was cut short."""

    def __init__(self, town: Town, number: int, row: NeedRow) -> None:
        self._town = town
        self._row = row
        self._by: Account = town.supervisor
        self._name = f"need/{row.household}"
        self._served_at = town.base_at - timedelta(hours=3 * (number % 6 + 1))
        self._id = ""
        self._courses: dict[str, Callable[[], Awaitable[None]]] = {
            "decline": self._decline,
            "part": lambda: self._take(1),
            "match": self._match,
            "drop_out": self._drop_out,
            "begin": self._begin,
            "hand_over": self._hand_over,
            "serve": self._serve,
            "rate": self._rate,
            "cancel": lambda: self._act("cancel", {"reason": "solved"}),
            "ask_referral": self._ask_referral,
            "refer": self._refer,
        }

    async def all(self) -> None:
        self._id = (await self._town.post(self._by, "/api/needs", self._order(), self._name))["id"]
        if play := self._courses.get(self._row.course):
            await play()

    def _order(self) -> dict[str, Any]:
        row = self._row
        lines = [line.body(self._town.base_at) for line in row.lines]
        if row.course == "lapse":
            start = datetime.now(UTC) + SOON
            lines[0]["window"] = {"start_at": start.isoformat(), "end_at": (start + SOON).isoformat()}
        return {
            "household_id": self._town.ids[f"household/{row.household}"],
            "beneficiary_id": self._town.ids[f"resident/{row.household}/{row.person}"],
            "category": row.category,
            "field": row.field,
            "urgency": row.urgency,
            "note": row.note or None,
            "draft": row.course == "draft",
            "lines": lines,
        }

    async def _act(self, action: str, body: Any = None, by: Account | None = None) -> Any:
        path = f"/api/needs/{self._id}/{action}"
        return (await (by or self._by).post(path, body, key=f"town/{self._name}/{action}")).body

    async def _do(self, path: str, body: Any = None) -> Any:
        """Something done to an invitation, a task or a hold, once."""
        return (await self._by.post(path, body, key=f"town{path[-60:]}")).body

    async def _take(self, seats: int) -> None:
        """Let people who were asked accept until so many seats are taken."""
        tried: set[str] = set()
        end = asyncio.get_running_loop().time() + SECONDS
        while asyncio.get_running_loop().time() < end:
            match = await self._match_view()
            lines = match["people"] if match else []
            if lines and sum(bool(s["volunteer_id"]) for line in lines for s in line["seats"]) >= seats:
                return
            asked = [
                i["invitation_id"] for line in lines for i in line["invitations"] if i["answer"] == "asked"
            ]
            fresh = [id for id in asked if id not in tried]
            if fresh and await self._accept(fresh[0]):
                tried.add(fresh[0])
            else:
                await asyncio.sleep(0.1)

    async def _accept(self, invitation: str) -> bool:
        """Say yes for somebody. False as long as the invitation has not reached their calendar; whoever cannot come,
        or is no longer asked, is passed by."""
        try:
            await self._do(f"/api/invitations/{invitation}/accept")
        except Refused as no:
            if no.status not in (404, 409):
                raise
            return no.status == 409
        return True

    async def _match(self) -> None:
        if seats := sum(line.people for line in self._row.lines):
            await self._take(seats)
        await self._until("matched", "in_service", "awaiting_confirmation", "completed")

    async def _decline(self) -> None:
        view = await self._by.until(f"/api/matches/{self._id}", lambda m: bool(m["people"][0]["invitations"]))
        first = view["people"][0]["invitations"][0]["invitation_id"]
        await self._patiently(f"/api/invitations/{first}/decline", {"reason": "too_far"})

    async def _drop_out(self) -> None:
        await self._match()
        for task in await self._tasks():
            await self._do(f"/api/tasks/{task}/withdraw")

    async def _begin(self) -> None:
        await self._match()
        for task in await self._tasks():
            await self._do(f"/api/tasks/{task}/check-in")

    async def _hand_over(self) -> None:
        await self._match()
        for hold in await self._holds():
            await self._do(f"/api/holds/{hold}/issue")

    async def _serve(self) -> None:
        await self._hand_over()
        for hold in await self._holds():
            await self._do(f"/api/holds/{hold}/receipt", {"relation": "resident", "by_phone": True})
        for task in await self._tasks():
            begun, over = self._served_at, self._served_at + timedelta(minutes=95)
            await self._do(f"/api/tasks/{task}/check-in", {"started_at": begun.isoformat()})
            await self._do(f"/api/tasks/{task}/check-out", {"ended_at": over.isoformat()})
        await self._until("awaiting_confirmation", "completed")

    async def _rate(self) -> None:
        await self._serve()
        await self._act("rate", {"score": self._row.score, "channel": "phone"})

    async def _ask_referral(self) -> None:
        answer_by = self._town.base_at + timedelta(days=5)
        organisation = self._town.ids["partner/nuanyang"]
        await self._act("refer", {"organisation_id": organisation, "answer_by": answer_by.isoformat()})

    async def _refer(self) -> None:
        await self._ask_referral()
        await self._act("referral/accept", by=await self._town.sign_in("jigou"))

    async def _match_view(self) -> Any:
        return await self._by.until(f"/api/matches/{self._id}", lambda m: True, seconds=SECONDS)

    async def _tasks(self) -> list[str]:
        """The tasks of those who have a seat; a task has its invitation's id."""
        match = await self._match_view()
        return [s["invitation_id"] for line in match["people"] for s in line["seats"] if s["invitation_id"]]

    async def _holds(self) -> list[str]:
        match = await self._match_view()
        return [hold["hold_id"] for line in match["goods"] for hold in line["holds"]]

    async def _until(self, *statuses: str) -> None:
        await self._by.until(
            f"/api/needs/{self._id}", lambda need: need["status"] in statuses, seconds=SECONDS
        )

    async def _patiently(self, path: str, body: Any) -> None:
        """An invitation is planned a moment before it is in the calendar."""
        await self._by.until(path.rpartition("/")[0], lambda _: True)
        await self._do(path, body)


LEADS = (
    ("522702001901", "对门王家老人几天没出门了，窗户也没开", "verify"),
    ("522702001902", "有户人家深夜常有争吵声，怕是有难处", "report"),
    ("522702001903", "听说桥头有人要卖房看病，可能需要帮助", "dismiss"),
)


async def _leads(town: Town) -> None:
    """The scout's three reports: one found true, one to be looked into, one dismissed."""
    scout, staff = await asyncio.gather(town.sign_in("paikun"), town.sign_in("jinshan"))
    for n, (area, text, course) in enumerate(LEADS):
        body = {"area": area, "text": text, "hints": ["social_support"]}
        lead = (await scout.post("/api/leads", body, key=f"town/lead/{n}")).body["id"]
        if course == "verify":
            order = {
                "household_id": town.ids["household/laoyang"],
                "category": "comfort",
                "channel": "scout",
                "relayer": {"account_id": scout.id},
                "lines": [{"kind": "goods", "category": "food", "quantity": 1, "unit": "份"}],
            }
            await staff.post(f"/api/leads/{lead}/verify", order, key=f"town/lead/{n}/verify")
        elif course == "dismiss":
            await staff.post(f"/api/leads/{lead}/dismiss", {"outcome": "known"}, key=f"town/lead/{n}/dismiss")
