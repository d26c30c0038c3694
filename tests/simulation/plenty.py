"""Stories of plenty: money and services beside goods, packages, batches, edits of everything, and requests sent twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.needs.domain.need import Need
from shared.contracts.vocabulary import TaskStatus
from shared.records import Versioned
from tests.cast import TOWNSHIP, Person
from tests.simulation.lives import Lives
from tests.simulation.stories import Act
from tests.town import Answer

BATCH = {"batch": "B0417"}
EVERY_SKILL = ["home_visit", "errands", "meal_delivery", "policy_help", "medical_escort", "phone_company"]
FRAIL = {
    "persons": 2, "hardship": True, "at_school": True, "disability": {"support": "weak", "self_care": "partial"},
}  # fmt: skip


class Plenty(Lives):
    """A story with more to give, more to ask for, and more ways to change one's mind."""

    async def begins(self) -> None:
        self._sent: list[tuple[Person, str, Any, str, Answer]] = []
        await super().begins()
        for name in ("g", "h"):
            await self.cast.volunteer(name, skills=EVERY_SKILL, modes=["on_site", "remote"])
        gifts: list[dict[str, Any]] = [
            {"amount_fen": 50_000},
            {"amount_fen": 30_000, "earmark": {"target_groups": ["elder_alone"]}},
        ]
        for gift in gifts:
            await self.cast.made(self.cast.donor, "/api/funds", {"area": TOWNSHIP, **gift})
        for days in (2, None):
            haircuts = {"category": "voucher", "unit": "次", "kind": "service"}
            await self.cast.lot(12, **haircuts, expires_on=self.day(days) if days else None)
        for days, batch in ((0, None), (1, None), (30, BATCH), (2, BATCH)):
            attributes = {"attributes": batch} if batch else {}
            await self.cast.lot(6, expires_on=self.day(days), **attributes)
        await self.t.settle()

    def acts(self) -> list[Act]:
        return [
            *super().acts(), (7, self.much_is_asked_for), (10, self.an_order_is_thought_over), (2, self.a_package_is_ordered),
            (5, self.a_request_is_sent_twice), (2, self.a_visit_takes_place), (1, self.a_day_passes),
        ]  # fmt: skip

    async def much_is_asked_for(self) -> None:
        times = self.r.sample([0.5, 2, 5, 26, 50], self.r.choice([0, 1, 2, 3]))
        visits = [self._visit(hours) for hours in times]
        gifts = [self._gift() for _ in range(self.r.choice([0, 1, 2]))]
        category = self.r.choice(["comfort", "comfort", "capacity", "crisis_intervention"])
        body = {"category": category, "lines": visits + gifts or [self._gift()]}
        await self.does(
            self.cast.staff, "/api/needs", {**body, "household_id": self.r.choice(self.homes)["id"]}
        )

    def _visit(self, hours: float) -> dict[str, Any]:
        facts = {"minimum": self.r.choice([0, 1]), "required": self.r.random() < 0.6}
        return self.cast.people_line(self.r.randint(1, 2), hours, **facts)

    def _gift(self) -> dict[str, Any]:
        gifts: list[tuple[dict[str, Any], list[int]]] = [
            ({"category": "cash_gift", "unit": "fen"}, [5_000, 40_000, 60_000]),
            ({"category": "voucher", "unit": "次"}, [2, 8, 15]),
            ({"category": "food"}, [2, 5, 9, 20]),
            ({"category": "food", "attributes": BATCH}, [2, 5]),
        ]
        what, quantities = self.r.choice(gifts)
        quantity = self.r.choice(quantities)
        facts: dict[str, Any] = {
            "minimum": self.r.choice([0, 1, quantity]),
            "required": self.r.random() < 0.7,
        }
        if self.r.random() < 0.5:
            facts["needed_by"] = self._in_hours(2, 12, 30, 60)
        return self.cast.goods_line(quantity, **what, **facts)

    def _in_hours(self, *choices: float) -> str:
        return (self.t.clock.now() + timedelta(hours=self.r.choice(choices))).isoformat()

    async def a_package_is_ordered(self) -> None:
        code = self.r.choice(["elderly", "linking", "growth"])
        answer = await self.t.call(self.cast.staff.token, "POST", f"/api/packages/{code}/expand", FRAIL)
        self.note(answer)
        lines: list[dict[str, Any]] = answer.body["lines"]
        for line in lines:
            known: dict[str, Any] = (
                {"category": "food", "unit": "袋"} if line["kind"] == "goods" else {"certificates": []}
            )
            line.update(known)
        order = {"category": answer.body["category"], "field": answer.body["field"], "lines": lines}
        await self.does(
            self.cast.staff, "/api/needs", {**order, "household_id": self.r.choice(self.homes)["id"]}
        )

    async def an_order_is_thought_over(self) -> None:
        """Everything about it may change, line by line."""
        known = [n for n in await self.needs() if not n.record.ended and n.record.posted_at]
        found: Versioned[Need] | None = self.one(known)
        if found is None:
            return
        need = found.record
        lines = [x.model_dump(mode="json", exclude_none=True) for x in (*need.people, *need.goods)]
        for line in lines:
            self._thought_over(line)
        if self.r.random() < 0.3:
            lines.append(self._gift())
        if self.r.random() < 0.3 and len(lines) > 1:
            lines.pop(self.r.randrange(len(lines)))
        if self.r.random() < 0.2:
            lines.append(self.cast.people_line(1, self.r.choice([1, 27]), minimum=0, required=False))
        body: dict[str, Any] = {"lines": lines}
        if self.r.random() < 0.2:
            body["category"] = self.r.choice(["comfort", "capacity", "crisis_intervention"])
        if self.r.random() < 0.1:
            body["field"] = "children"
        path, match = f"/api/needs/{need.id}", {"If-Match": f'"{found.version}"'}
        self.note(await self.t.call(self.cast.staff.token, "PATCH", path, body, headers=match))

    def _thought_over(self, line: dict[str, Any]) -> None:
        what = "seats" if line["kind"] == "people" else "quantity"
        match self.r.randrange(7):
            case 0:
                line["required"] = not line["required"]
            case 1:
                line[what] = max(1, line[what] // 2)
                line["minimum"] = min(line["minimum"], line[what])
            case 2:
                line[what] += self.r.choice([1, 3])
            case 3 if line["kind"] == "goods":
                line["needed_by"] = self._in_hours(3, 30, 60)
            case 4 if line.get("category") == "food":
                line["attributes"] = self.r.choice([{}, BATCH])
            case 5 if line["kind"] == "people":
                line["window"] = self.cast.people_line(hours=self.r.choice([1, 4, 28]))["window"]
            case _:
                pass

    async def a_visit_takes_place(self) -> None:
        """Somebody comes at the time that was said, and mostly stays until it is done."""
        if not (found := self.one(await self.tasks(TaskStatus.TAKEN))):
            return
        task = found[1]
        until = (task.window.start_at - self.t.clock.now()).total_seconds() + 60
        await self.t.passes(seconds=max(0.0, until))
        self.cast.appoint()
        await self.does(self.cast.staff, f"/api/tasks/{task.id}/check-in")
        if self.r.random() < 0.7:
            await self.t.passes(minutes=30)
            self.cast.appoint()
            await self.does(self.cast.staff, f"/api/tasks/{task.id}/check-out")

    async def a_day_passes(self) -> None:
        await self.t.passes(hours=self.r.choice([6, 14, 24, 30]))

    async def does(self, who: Person, path: str, body: dict[str, Any] | None = None) -> None:
        key = f"sent-{len(self._sent)}"
        answer = await self.t.call(who.token, "POST", path, body, key=key)
        self.note(answer)
        self._sent.append((who, path, body, key, answer))

    async def a_request_is_sent_twice(self) -> None:
        """Long afterwards, by a page that never saw the answer: it gets the first one again."""
        if not (sent := self.one([s for s in self._sent if s[-1].status in (200, 201)])):
            return
        who, path, body, key, first = sent
        again = await self.t.call(self._token(who), "POST", path, body, key=key)
        assert (again.status, again.body) == (first.status, first.body), f"{path} differs when it comes again"

    def _token(self, who: Person) -> str:
        office = (self.cast.staff, self.cast.donor, self.cast.admin, self.cast.worker)
        return next((p.token for p in office if p.id == who.id), None) or self.cast.person(who.id).token
