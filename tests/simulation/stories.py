"""Stories made up by chance: people who do whatever they may do, in any order, while news takes its time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

from services.needs.domain.need import Need
from services.resources.domain.records import Hold, Lot
from services.volunteers.domain.calendar import Calendar, Invitation
from shared.contracts.vocabulary import HoldStatus, InvitationStatus, TaskStatus
from shared.ports import Query
from shared.records import Record, Versioned
from tests.cast import Cast, Person, volunteer_id
from tests.simulation.slow import Weather
from tests.town import Answer, Town

R = TypeVar("R", bound=Record)
Act = tuple[float, Callable[[], Awaitable[None]]]
NAMED = [{"certificate": "child_director"}]
CHILD = {"name": "小龙", "birth_date": "2016-06-01", "relation": "head"}
EARMARK = {"purposes": ["comfort"], "to_day": "2026-03-03"}


class Story:
    """A town in which things happen by chance, the same for the same seed."""

    def __init__(self, t: Town, seed: int, weather: Weather) -> None:
        self.t = t
        self.r = Random(seed)
        self.weather = weather
        self.cast = Cast(t.call, t.token, t.clock.now)
        self.homes: list[dict[str, Any]] = []

    async def begins(self) -> None:
        policy = {
            "first_wave": 2, "wave_seconds": 600, "invitation_seconds": 1200, "hold_seconds": 1800, "tier_seconds": 7200,
            "confirm_seconds": 86_400, "allow_partial": self.r.random() < 0.8,
        }  # fmt: skip
        await self.cast.arrive(**policy)
        await self.t.settle()
        for name in ("a", "b", "c", "d"):
            await self.cast.volunteer(name)
        for name in ("e", "f"):
            await self.cast.volunteer(name, certificates=NAMED, weekly_cap_minutes=600, weekly_contacts=9)
        self.homes = [await self.cast.household(), await self.cast.household(residents=[CHILD])]
        for quantity in (3, 8, 20):
            await self.cast.lot(quantity)
        await self.cast.lot(20, earmark=EARMARK)
        await self.t.settle()

    def acts(self) -> list[Act]:
        """What may happen, and how often of all."""
        return [
            (5, self.somebody_posts), (4, self.somebody_edits), (2, self.somebody_ends), (20, self.somebody_answers),
            (3, self.somebody_gives_up), (7, self.somebody_serves), (6, self.goods_move), (2, self.a_lot_changes),
            (1, self.somebody_is_away), (12, self.time_passes), (4, self.all_is_heard),
            (0.3, self.a_file_is_corrected),
        ]  # fmt: skip

    async def happens(self) -> None:
        acts = self.acts()
        ((_, act),) = self.r.choices(acts, [weight for weight, _ in acts])
        await act()
        self.cast.appoint()

    async def somebody_posts(self) -> None:
        home = self.r.choice(self.homes)
        urgency = self.r.choice(["ordinary", "ordinary", "urgent", "crisis"])
        body = {"household_id": home["id"], "category": "comfort", "urgency": urgency, "lines": self.lines()}
        if self.r.random() < 0.1:
            body["draft"] = True
        await self.does(self.cast.staff, "/api/needs", body)

    def lines(self) -> list[dict[str, Any]]:
        people = [self.people() for _ in range(self.r.choice([0, 1, 1, 2]))]
        goods = [self.goods()] if not people or self.r.random() < 0.5 else []
        return people + goods

    def people(self) -> dict[str, Any]:
        seats, hours = self.r.randint(1, 3), self.r.choice([1, 3, 3, 6, 30])
        least, required = self.r.randint(0, seats), self.r.random() < 0.8
        return self.cast.people_line(
            seats, hours, self.r.choice([1.0, 4.0]), minimum=least, required=required
        )

    def goods(self) -> dict[str, Any]:
        quantity = self.r.choice([1, 4, 6, 15, 60])
        return self.cast.goods_line(quantity, minimum=self.r.randint(0, quantity))

    async def somebody_edits(self) -> None:
        found = self.one([n for n in await self.needs() if not n.record.ended])
        if found is None:
            return
        need, change = found.record, self.r.randrange(5)
        lines: list[dict[str, Any]] = [
            line.model_dump(mode="json", exclude_none=True) for line in (*need.people, *need.goods)
        ]
        body: dict[str, Any] = {"lines": lines}
        if change == 0:
            body = {"urgency": self.r.choice(["urgent", "crisis"])}
        elif change == 1:
            lines.append(self.people() if self.r.random() < 0.5 else self.goods())
        elif change == 2 and len(lines) > 1:
            lines.pop(self.r.randrange(len(lines)))
        elif change == 3 and need.people:
            lines[0]["window"] = self.people()["window"]
        else:
            for line in lines:
                what = "seats" if line["kind"] == "people" else "quantity"
                line[what] = self.r.randint(1, line[what] + 2)
                line["minimum"] = min(line["minimum"], line[what])
        match = {"If-Match": f'"{found.version}"'}
        self.note(
            await self.t.call(self.cast.staff.token, "PATCH", f"/api/needs/{need.id}", body, headers=match)
        )

    async def somebody_ends(self) -> None:
        found = self.one(await self.needs())
        if found is None:
            return
        path, at = f"/api/needs/{found.record.id}", self.t.clock.now()
        match self.r.randrange(6):
            case 0:
                await self.does(self.cast.staff, f"{path}/cancel", {"reason": "solved"})
            case 1:
                asked = {"body": "县医院", "answer_by": (at + timedelta(hours=3)).isoformat()}
                await self.does(self.cast.staff, f"{path}/refer", asked)
            case 2:
                await self.does(self.cast.staff, f"{path}/referral/{self.r.choice(['accept', 'decline'])}")
            case 3:
                await self.does(self.cast.staff, f"{path}/post")
            case _:
                await self.does(self.cast.staff, f"{path}/rate", {"score": 4, "channel": "phone"})

    async def somebody_answers(self) -> None:
        pending = [i for i in await self.invitations() if i[1].status is InvitationStatus.PENDING]
        if found := self.one(pending):
            who, invitation = found
            path = f"/api/invitations/{invitation.id}"
            if self.r.random() < 0.75:
                await self.does(who, f"{path}/accept")
            else:
                await self.does(who, f"{path}/decline", {"reason": "no_time"})

    async def somebody_gives_up(self) -> None:
        if found := self.one(await self.tasks(TaskStatus.TAKEN)):
            who, task = found
            if self.r.random() < 0.7:
                await self.does(who, f"/api/tasks/{task.id}/withdraw")
            else:
                await self.does(self.cast.staff, f"/api/tasks/{task.id}/no-show")

    async def somebody_serves(self) -> None:
        if found := self.one(await self.tasks(TaskStatus.TAKEN, TaskStatus.CHECKED_IN)):
            who, invitation = found
            begun = invitation.task is not None and invitation.task.status is TaskStatus.CHECKED_IN
            who = self.r.choice([who, self.cast.staff])
            over = "undo-check-in" if self.r.random() < 0.15 else "check-out"
            await self.does(who, f"/api/tasks/{invitation.id}/{over if begun else 'check-in'}")

    async def goods_move(self) -> None:
        holds = [(id, hold) for id, hold in (await self.holds()).items() if hold.asked]
        if not (found := self.one(holds)):
            return
        id, hold = found
        act, body = self._next_of(hold)
        await self.does(self.r.choice([self.cast.staff, self.cast.donor]), f"/api/holds/{id}/{act}", body)

    def _next_of(self, hold: Hold) -> tuple[str, dict[str, Any] | None]:
        chance = self.r.random()
        if hold.promised:
            release = chance < 0.2
            return ("release", {}) if release else ("issue", None)
        if hold.status is HoldStatus.ISSUED and chance < 0.7:
            return "receipt", {"relation": "resident", "by_phone": True}
        return "return", {"reason": self.r.choice(["declined", "undelivered", "unsuitable"])}

    async def a_lot_changes(self) -> None:
        found = self.r.choice(await self.lots())
        path = f"/api/lots/{found.record.id}"
        match self.r.randrange(5):
            case 0:
                await self.does(self.cast.donor, f"{path}/receive", {"quantity": self.r.randint(1, 9)})
            case 1:
                lost = {"quantity": self.r.randint(1, 9), "reason": "damaged"}
                await self.does(self.cast.donor, f"{path}/write-off", lost)
            case 2:
                await self.does(self.cast.donor, f"{path}/{self.r.choice(['close', 'open', 'open'])}")
            case _:
                earmark = self.r.choice([{}, {"purposes": ["capacity"]}, {"areas": ["522701"]}])
                good_until = self.r.choice([None, None, self.day(0), self.day(2)])
                change = self.r.choice([{"earmark": earmark}, {"expires_on": good_until}])
                match = {"If-Match": f'"{found.version}"'}
                self.note(await self.t.call(self.cast.donor.token, "PATCH", path, change, headers=match))

    def day(self, days: int) -> str:
        """So many days from today, in Fuquan."""
        return (self.t.clock.now() + timedelta(hours=8, days=days)).date().isoformat()

    async def somebody_is_away(self) -> None:
        act = self.r.choice(["deactivate", "activate", "activate"])
        await self.does(self.cast.staff, f"/api/volunteers/{volunteer_id(self.r.choice('abcdef'))}/{act}")

    async def a_file_is_corrected(self) -> None:
        """The elder, it turns out, is a child."""
        await self.corrects(self.homes[0]["id"], "/residents/{home}~1", {"birth_date": CHILD["birth_date"]})

    async def corrects(self, home: str, part: str, facts: dict[str, Any]) -> None:
        await self.t.settle()
        file = f"/api/households/{home}"
        version = (await self.t.call(self.cast.staff.token, "GET", file)).headers["etag"]
        path, match = file + part.format(home=home), {"If-Match": version}
        self.note(await self.t.call(self.cast.staff.token, "PATCH", path, facts, headers=match))

    async def time_passes(self) -> None:
        await self.t.passes(seconds=self.r.choice([1, 5, 10, 20, 60, 300, 600, 1800, 3600, 7200]))

    async def all_is_heard(self) -> None:
        await self.t.settle()

    async def does(self, who: Person, path: str, body: dict[str, Any] | None = None) -> None:
        self.note(await self.t.call(who.token, "POST", path, body))

    def note(self, answer: Answer) -> None:
        """A yes or a no, but never a fault."""
        assert answer.status < 500 and answer.status != 401, answer.body

    def one(self, found: list[Any]) -> Any:
        return self.r.choice(found) if found else None

    async def needs(self) -> list[Versioned[Need]]:
        return await self.all_of("needs", Need)

    async def lots(self) -> list[Versioned[Lot]]:
        return await self.all_of("resources", Lot)

    async def holds(self) -> dict[str, Hold]:
        return {id: hold for lot in await self.lots() for id, hold in lot.record.holds.items()}

    async def invitations(self) -> list[tuple[Person, Invitation]]:
        return [
            (self.cast.person(calendar.record.id), invitation)
            for calendar in await self.all_of("volunteers", Calendar)
            for invitation in calendar.record.invitations.values()
        ]

    async def tasks(self, *statuses: TaskStatus) -> list[tuple[Person, Invitation]]:
        return [(w, i) for w, i in await self.invitations() if i.task and i.task.status in statuses]

    async def all_of(self, service: str, kind: type[R]) -> list[Versioned[R]]:
        return await self.t.stores[service].find(kind, Query(limit=100_000))
