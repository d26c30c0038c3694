"""What people do beside helping: they move, renew papers, block their calendars, form teams, and write down hours late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.contracts.vocabulary import InvitationStatus, TaskStatus
from tests.cast import ALWAYS, TOWNSHIP, volunteer_id
from tests.simulation.stories import Act, Story

EVERYBODY = "abcdef"
AREAS = (TOWNSHIP, TOWNSHIP, TOWNSHIP, "522702102", "522701101")
MORNINGS = [{"day": day, "from": 6, "to": 12} for day in range(7)]


class Lives(Story):
    """A story in which people have a life of their own."""

    team: str | None = None

    def acts(self) -> list[Act]:
        return [
            *super().acts(), (2, self.somebody_changes_their_profile), (1, self.somebody_wants_to_be_left_alone),
            (1, self.somebody_renews_a_certificate), (1, self.a_team_changes), (1, self.hours_are_made_up),
            (1, self.a_household_moves), (2, self.somebody_serves_late), (1.5, self.nobody_came),
            (1, self.staff_answer_for_somebody), (2, self.the_resident_is_called), (1, self.a_line_changes),
            (1, self.another_body_answers), (2, self.two_visits_are_ordered),
            (0.5, self.the_station_decides), (3, self.all_answer_at_once), (2, self.all_goods_are_given_back),
        ]  # fmt: skip

    def person(self) -> str:
        return volunteer_id(self.r.choice(EVERYBODY))

    async def somebody_changes_their_profile(self) -> None:
        span = self.people()["window"]
        change: dict[str, Any] = self.r.choice(
            [
                {"hours": self.r.choice([ALWAYS, ALWAYS, ALWAYS, MORNINGS])},
                {"busy": self.r.choice([[], [span]])},
                {"free": self.r.choice([[], [span]])},
                {"weekly_cap_minutes": self.r.choice([60, 600, 10_080, 10_080])},
                {"weekly_contacts": self.r.choice([0, 2, 100, 100, 100])},
                {"quiet_from": self.r.choice([0, 60 * 22]), "quiet_to": self.r.choice([0, 60 * 7])},
                {"area": self.r.choice(AREAS)},
                {"home": self.r.choice([None, {"lat": 26.7, "lon": 107.5}, {"lat": 27.7, "lon": 106.5}])},
                {"zone": self.r.choice(["Asia/Shanghai", "Asia/Shanghai", "Asia/Urumqi"])},
                {
                    "skills": self.r.choice(
                        [["home_visit"], ["home_visit", "errands"], ["home_visit", "errands"], ["errands"]]
                    )
                },
                {"modes": self.r.choice([["on_site"], ["on_site", "remote"]])},
            ]
        )
        await self.edits(f"/api/volunteers/{self.person()}", change)

    async def somebody_wants_to_be_left_alone(self) -> None:
        until = self.t.clock.now() + timedelta(hours=self.r.choice([-1, 1, 12, 60]))
        body = {"until": self.r.choice([None, until.isoformat()])}
        await self.does(self.cast.staff, f"/api/volunteers/{self.person()}/block", body)

    async def somebody_renews_a_certificate(self) -> None:
        id, today = self.person(), self.t.clock.now().date()
        expires = self.r.choice([None, today, today + timedelta(days=1), today + timedelta(days=400)])
        body = {
            "certificate": self.r.choice(["child_director", "social_worker"]),
            "expires_on": expires and expires.isoformat(),
        }
        who = self.r.choice([self.cast.staff, self.cast.person(id)])
        await self.does(who, f"/api/volunteers/{id}/certificates", body)

    async def a_team_changes(self) -> None:
        people = [volunteer_id(name) for name in self.r.sample(EVERYBODY, 3)]
        body: dict[str, Any] = {"name": "先锋队", "leader_id": people[0], "member_ids": people[1:]}
        if self.team is None:
            self.team = (
                await self.cast.made(self.cast.staff, "/api/teams", {**body, "site_id": self.cast.station})
            )["id"]
        else:
            change = self.r.choice([body, {"active": False}, {"active": True}, {"leader_id": people[0]}])
            await self.edits(f"/api/teams/{self.team}", change)

    async def hours_are_made_up(self) -> None:
        at = self.t.clock.now() - timedelta(hours=self.r.choice([2, 5, 30, 24 * 40]))
        body = {"day": at.date().isoformat(), "minutes": self.r.choice([30, 60, 600, 1440]), "reason": "补录"}
        if self.r.random() < 0.7:
            body["starts"] = f"{self.r.randrange(24):02}:30"
        await self.does(self.cast.staff, f"/api/volunteers/{self.person()}/hours", body)

    async def a_household_moves(self) -> None:
        home = self.r.choice(self.homes)["id"]
        change: dict[str, Any] = self.r.choice(
            [
                {"area": self.r.choice(AREAS), "address": "新村2号"},
                {"location": {"lat": 26.5 + self.r.random(), "lon": 107.5}},
                {
                    "target_groups": self.r.choice(
                        [["elder_alone"], ["disabled", "elder_alone"], ["child_in_difficulty"], []]
                    )
                },
            ]
        )
        await self.edits(f"/api/households/{home}", change)

    async def somebody_serves_late(self) -> None:
        """Staff enter what happened hours ago."""
        if found := self.one(await self.tasks(TaskStatus.TAKEN, TaskStatus.CHECKED_IN)):
            _, invitation = found
            begun = invitation.task.status is TaskStatus.CHECKED_IN
            at = (self.t.clock.now() - timedelta(minutes=self.r.choice([0, 10, 90, 1500]))).isoformat()
            path = f"/api/tasks/{invitation.id}/{'check-out' if begun else 'check-in'}"
            await self.does(self.cast.staff, path, {"ended_at" if begun else "started_at": at})

    async def nobody_came(self) -> None:
        missed = [i for _, i in await self.tasks(TaskStatus.TAKEN) if i.task and i.task.overdue]
        if found := self.one(missed):
            await self.does(self.cast.staff, f"/api/tasks/{found.id}/no-show")

    async def staff_answer_for_somebody(self) -> None:
        pending = [i for _, i in await self.invitations() if i.status is InvitationStatus.PENDING]
        if found := self.one(pending):
            await self.does(self.cast.staff, f"/api/invitations/{found.id}/accept")

    async def all_answer_at_once(self) -> None:
        """Everybody who was asked for one need says yes before any verdict is known."""
        pending = [x for x in await self.invitations() if x[1].status is InvitationStatus.PENDING]
        if found := self.one(pending):
            for who, invitation in pending:
                if invitation.need_id == found[1].need_id:
                    await self.does(who, f"/api/invitations/{invitation.id}/accept")

    async def all_goods_are_given_back(self) -> None:
        """Staff release, one after the other, whatever is promised to one need."""
        promised = {id: hold for id, hold in (await self.holds()).items() if hold.asked and hold.promised}
        if found := self.one(sorted({hold.need_id for hold in promised.values()})):
            for id, hold in promised.items():
                if hold.need_id == found:
                    body = {"reason": self.r.choice(["by_staff", "not_needed"])}
                    await self.does(self.cast.staff, f"/api/holds/{id}/release", body)

    async def the_resident_is_called(self) -> None:
        if found := self.one([n for n in await self.needs() if n.record.served]):
            path, rating = f"/api/needs/{found.record.id}", {"score": 5, "channel": "phone"}
            if self.r.random() < 0.7:
                await self.does(self.cast.staff, f"{path}/rate", rating)
            else:
                await self.does(self.cast.staff, f"{path}/attempt", {"channel": "phone"})

    async def another_body_answers(self) -> None:
        """Somebody is asked to take a need over, and says yes or no, or nothing."""
        if found := self.one([n for n in await self.needs() if n.record.posted_at and not n.record.ended]):
            path, until = f"/api/needs/{found.record.id}", self.t.clock.now() + timedelta(hours=4)
            if found.record.referral is None:
                asked = {"body": "县医院", "answer_by": until.isoformat()}
                await self.does(self.cast.staff, f"{path}/refer", asked)
            else:
                await self.does(self.cast.staff, f"{path}/referral/{self.r.choice(['accept', 'decline'])}")

    async def two_visits_are_ordered(self) -> None:
        """One soon and one later; whoever is content after the first may say so in any moment."""
        visits = [self.cast.people_line(self.r.randint(1, 2), hours, minimum=0) for hours in (0.5, 4)]
        body = {"household_id": self.r.choice(self.homes)["id"], "category": "comfort", "lines": visits}
        await self.does(self.cast.staff, "/api/needs", body)

    async def a_line_changes(self) -> None:
        """One fact of one line, as staff correct it after a call."""
        found = self.one([n for n in await self.needs() if not n.record.ended and n.record.people])
        if found is None:
            return
        need = found.record
        lines = [x.model_dump(mode="json", exclude_none=True) for x in (*need.people, *need.goods)]
        lines[self.r.randrange(len(need.people))] |= self.r.choice(
            [{"required": False, "minimum": 0}, {"required": True}, {"mode": "remote"}, {"skills": ["errands"]},
             {"skills": ["home_visit"]}, {"certificates": ["child_director"]}, {"certificates": []}]
        )  # fmt: skip
        body = {"lines": lines, **self.r.choice([{}, {"urgency": "ordinary"}, {"category": "capacity"}])}
        match = {"If-Match": f'"{found.version}"'}
        self.note(
            await self.t.call(self.cast.staff.token, "PATCH", f"/api/needs/{need.id}", body, headers=match)
        )

    async def the_station_decides(self) -> None:
        policy = {
            "first_wave": self.r.choice([1, 2, 5]), "wave_seconds": self.r.choice([60, 600]),
            "invitation_seconds": self.r.choice([300, 1200]), "hold_seconds": self.r.choice([600, 1800]),
            "tier_seconds": self.r.choice([1800, 7200]), "max_hops": self.r.choice([0, 1, 3]),
            "allow_partial": self.r.random() < 0.7, "confirm_seconds": 86_400,
        }  # fmt: skip
        await self.edits(f"/api/sites/{self.cast.station}", {"policy": policy}, self.cast.admin)

    async def edits(self, path: str, change: dict[str, Any], who: Any = None) -> None:
        who = who or self.cast.staff
        seen = await self.t.call(who.token, "GET", path)
        if seen.status == 200:
            match = {"If-Match": seen.headers["etag"]}
            answer = await self.t.call(who.token, "PATCH", path, change, headers=match)
            self.note(answer)
