"""Setting the scene over HTTP: villages, a social work room with a policy in seconds, people, gifts, households."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from random import SystemRandom
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

from wushe.client import Account, Api, Refused
from wushe.demo import cast
from wushe.demo.cast import Actor
from wushe.language import Language, Words
from wushe.sample.staff import PASSWORD
from wushe.sample.volunteers import phone

SUPERVISOR = "zongzhan"
TOWNSHIP = "522702203"
NEWS_SECONDS = 5.0


class Stage:
    """Where the story plays. `ids` are by key, `names` by id, for the narrator."""

    def __init__(self, api: Api, language: Language) -> None:
        self.api = api
        self.language: Language = language
        self.tag = uuid4().hex[:6]
        self.batch = {"batch": f"B{SystemRandom().randrange(10_000):04}"}
        self.ids: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.accounts: dict[str, Account] = {}
        self.staff: Account

    async def build(self) -> None:
        self.staff = await self.api.sign_in(SUPERVISOR, PASSWORD)
        await self._learn_names()
        await self._places()
        await asyncio.gather(self._charity(), *(self._actor(actor) for actor in cast.ACTORS))
        await self._household("aying", "龙阿英", 1943, ["elder_alone", "advanced_age"])
        await self._household("tiezhu", "石铁柱", 1961, ["low_income", "disabled"])

    async def policy(self, **changes: Any) -> None:
        """Change how the room works."""
        await self.staff.patch(f"/api/sites/{self.ids['room']}", {"policy": changes})
        await asyncio.sleep(0.3)

    async def lot(self, key: str, zh: str, en: str, **body: Any) -> str:
        """The charity lists a gift for this story alone: the batch keeps it apart from the town's own."""
        given = {"area": self.ids["village"], "attributes": self.batch} | body
        answer = await self.accounts["charity"].post("/api/lots", given)
        return self._named(key, answer.body["id"], Words(zh, en).said(self.language))

    async def need(self, household: str, **body: Any) -> str:
        answer = await self.staff.post(
            "/api/needs", {"household_id": self.ids[household], "field": "elderly"} | body
        )
        id: str = answer.body["id"]
        return id

    async def clear(self) -> None:
        """Leave a living town as it was found: the cast is asked no more, what is left of the gifts is put away."""
        for actor in cast.ACTORS:
            await self.staff.post(f"/api/volunteers/{self.ids[actor.key]}/deactivate")
        charity = self.accounts["charity"]
        for key in ("rice", "children's fund", "fund"):
            await charity.post(f"/api/lots/{self.ids[key]}/close")

    def window(self, hours: int = 1) -> dict[str, str]:
        """Two hours that begin soon, so that a volunteer may check in already."""
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
        return {"start_at": start.isoformat(), "end_at": (start + timedelta(hours=2)).isoformat()}

    async def _learn_names(self) -> None:
        async for site in self.staff.every("/api/sites"):
            self.names[site["id"]] = site["name"]
            if site["area"] == TOWNSHIP and site["kind"] == "station":
                self.ids["station"] = site["id"]
                self.names[site["id"]] = Words(site["name"], "Xianqiao station").said(self.language)
        async for person in self.staff.every("/api/volunteers"):
            self.names[person["id"]] = person["name"]

    async def _places(self) -> None:
        self.ids["village"] = await self._village(cast.VILLAGE)
        self.ids["next village"] = await self._village(cast.NEXT_VILLAGE)
        name = Words(f"{cast.VILLAGE}社工室", "Liantang village room")
        body = {
            "name": name.zh,
            "kind": "room",
            "parent_id": self.ids["station"],
            "area": self.ids["village"],
            "policy": cast.POLICY,
        }
        site = (await self._patiently(self.staff, "/api/sites", body))["id"]
        self._named("room", site, name.said(self.language))

    async def _village(self, name: str) -> str:
        """A new village; its code is the first free one of some chosen by chance."""
        while True:
            code = f"{TOWNSHIP}{SystemRandom().randint(100, 899)}"
            try:
                return str((await self.staff.post("/api/areas", {"code": code, "name": name})).body["code"])
            except Refused as no:
                if no.code != "area-exists":
                    raise

    async def _charity(self) -> None:
        body = {"name": "莲塘爱心社", "kind": "charity", "site_id": self.ids["room"]}
        organisation = (await self._patiently(self.staff, "/api/organisations", body))["id"]
        self._named("organisation", organisation, body["name"])
        await self._account("charity", "莲塘爱心社", "charity", organisation_id=organisation)

    async def _actor(self, actor: Actor) -> None:
        account_id = None
        if actor.signs_in:
            account_id = await self._account(actor.key, actor.name, "volunteer")
        near = actor.away == 0
        body = {
            "account_id": account_id,
            "name": actor.name,
            "phone": phone(9000 + len(actor.key)),
            "site_id": self.ids["room"],
            "area": self.ids["village" if near else "next village"],
            "home": {"lat": cast.LAT + actor.away / 100, "lon": cast.LON},
            "skills": cast.SKILLS,
            "languages": ["zh", "hmn"],
            "hours": [{"day": day, "from": 0, "to": 24} for day in range(7)],
            "quiet_from": 0,
            "quiet_to": 0,
        }
        person = await self._patiently(self.staff, "/api/volunteers", body)
        self._named(actor.key, person["id"], actor.called(self.language))

    async def _account(self, key: str, name: str, role: str, **places: str) -> str:
        login = f"demo-{self.tag}-{key}"
        password = token_urlsafe(12)  # the town may be a real one some day
        body = {"login": login, "password": password, "name": name, "roles": [role]}
        made = await self._patiently(
            self.staff, "/api/accounts", body | {"site_id": self.ids["room"]} | places
        )
        self.accounts[key] = await self.api.sign_in(login, password)
        return str(made["id"])

    async def _household(self, key: str, name: str, born: int, groups: list[str]) -> None:
        body = {
            "site_id": self.ids["room"],
            "area": self.ids["village"],
            "address": "莲塘边",
            "phone": phone(9900),
            "location": {"lat": cast.LAT, "lon": cast.LON},
            "target_groups": groups,
            "residents": [{"name": name, "birth_date": f"{born}-05-01", "relation": "head"}],
        }
        made = await self._patiently(self.staff, "/api/households", body)
        self._named(key, made["id"], name)

    async def _patiently(self, by: Account, path: str, body: dict[str, Any]) -> Any:
        """Send it, again for a while if it speaks of a place that has not got about yet."""
        end = asyncio.get_running_loop().time() + NEWS_SECONDS
        while True:
            try:
                return (await by.post(path, body)).body
            except Refused as no:
                late = asyncio.get_running_loop().time() > end
                if no.status not in (403, 404, 422) or late:
                    raise
                await asyncio.sleep(0.1)

    def _named(self, key: str, id: str, name: str) -> str:
        self.ids[key], self.names[id] = id, name
        return id
