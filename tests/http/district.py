"""A district for role tests: two stations under one main station, a third outside it, and one of everything in each.

Every thing is known with the facts that the policy's scopes go by: its site, its organisation, its owner.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from shared.contracts.vocabulary import Role
from shared.ports import Outgoing
from shared.security.access import Principal
from tests.cast import Cast, Person
from tests.town import Town, town

PASSWORD = "correct horse battery"
NO_TIME = timedelta(milliseconds=5)


@dataclass(frozen=True)
class Thing:
    """One object of some kind, and who it belongs to. `more` holds whatever else its routes need to know."""

    id: str
    site: str | None = None
    organisation: str | None = None
    owner: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Asker:
    """An account that asks. `bad` is why its token is none: no token, an expired or a revoked one."""

    name: str
    id: str
    roles: tuple[Role, ...]
    site: str | None = None
    organisation: str | None = None
    session: str = ""
    bad: str | None = None


@dataclass(frozen=True)
class Quarter:
    """What a station is told apart by: its township, and a skill and a kind of goods that only it knows."""

    letter: str
    area: str
    skill: str
    goods: str


QUARTERS = (
    Quarter("a", "522702001", "home_visit", "food"),
    Quarter("b", "522702002", "repair", "clothing"),
    Quarter("c", "522701001", "haircut", "medical"),
)


class District:
    """The town, everything in it by kind, and everybody who asks."""

    def __init__(self, t: Town) -> None:
        self.town = t
        self.things: dict[str, list[Thing]] = {}
        self.askers: list[Asker] = []
        self.parents: dict[str, str | None] = {}
        self.cast = Cast(t.call, t.token, t.clock.now)
        self._revoked: dict[str, str] = {}

    def add(self, kind: str, id: str, **facts: Any) -> Thing:
        known = {name: facts.pop(name, None) for name in ("site", "organisation", "owner")}
        thing = Thing(id, **known, more=facts)
        self.things.setdefault(kind, []).append(thing)
        return thing

    def asker(self, name: str) -> Asker:
        return next(a for a in self.askers if a.name == name)

    def token(self, asker: Asker) -> str | None:
        """A fresh token, a little later than the last; so it counts even if rights changed a moment ago."""
        now = self.town.clock.now() + NO_TIME
        self.town.clock.advance_to(now)
        if asker.bad == "anonymous":
            return None
        if asker.bad == "revoked":
            return self._revoked[asker.id]
        issued_at = now - timedelta(minutes=11) if asker.bad == "expired" else now
        return self.town.mint.sign(
            Principal(asker.id, asker.roles, asker.site, asker.organisation, issued_at), asker.session
        )

    async def fill(self) -> None:
        await self._places()
        for quarter in QUARTERS:
            await self._quarter(quarter)
        for name, role in (("supervisor", Role.SUPERVISOR), ("administrator", Role.ADMINISTRATOR)):
            await self._appoint(name, role, site=self.main if role is Role.SUPERVISOR else None)
        mixed = self.asker("charity-a")
        await self._appoint("staff-charity-a", Role.STAFF, Role.CHARITY, site=self.site("a"),
                            organisation=mixed.organisation)  # fmt: skip
        await self._appoint("employed-a", Role.SOCIAL_WORKER, site=self.site("b"),
                            organisation=self.asker("provider-a").organisation)  # fmt: skip
        await self._appoint("scout-volunteer-b", Role.SCOUT, Role.VOLUNTEER, site=self.site("b"))
        await self._turned_away()
        await self._dead_letters()
        await self.town.settle()

    def site(self, letter: str) -> str:
        return self._sites[letter]

    async def _places(self) -> None:
        cast = self.cast
        cast.admin = Person("admin", cast.sign("admin", Role.ADMINISTRATOR))
        self.center = await cast.site("指导中心", "center", "5227", None)
        self.main = await cast.site("总站", "main_station", "522702", self.center)
        other = await cast.site("外县总站", "main_station", "522701", self.center)
        self.parents |= {self.center: None, self.main: self.center, other: self.center}
        self._sites: dict[str, str] = {}
        for quarter in QUARTERS:
            parent = other if quarter.letter == "c" else self.main
            id = await cast.site(f"{quarter.letter}站", "station", quarter.area, parent)
            self.parents[id], self._sites[quarter.letter] = parent, id
            self.add("station", id, site=id, area=quarter.area)
        for id in self.parents:
            self.add("site", id, site=id)
        await self.town.settle()

    async def _appoint(
        self, name: str, *roles: Role, site: str | None = None, organisation: str | None = None
    ) -> Asker:
        """Somebody with an account, who will ask."""
        body = {"login": name, "password": PASSWORD, "name": name, "roles": list(roles)}
        places = {"site_id": site, "organisation_id": organisation}
        made = await self.cast.made(self.cast.admin, "/api/accounts", {**body, **places})
        opened = await self.cast.call(None, "POST", "/api/session", {"login": name, "password": PASSWORD})
        self.town.http.cookies.clear()
        session = opened.body["refresh_token"].partition(".")[0]
        asker = Asker(name, made["id"], roles, site, organisation, session)
        self.askers.append(asker)
        self.add("account", asker.id, site=site, owner=asker.id)
        return asker

    async def _subject(self, letter: str, name: str) -> None:
        """An account that never asks, so that it may be disabled."""
        body = {"login": name, "password": PASSWORD, "name": name, "roles": ["volunteer"]}
        made = await self.cast.made(self.cast.admin, "/api/accounts", {**body, "site_id": self.site(letter)})
        for kind in ("account", "subject"):
            self.add(kind, made["id"], site=self.site(letter), owner=made["id"])

    async def _organisation(self, letter: str, kind: str) -> str:
        body = {"name": f"{kind}-{letter}", "kind": kind, "site_id": self.site(letter)}
        id: str = (await self.cast.made(self.cast.admin, "/api/organisations", body))["id"]
        self.add("organisation", id, site=self.site(letter))
        return id

    async def _quarter(self, q: Quarter) -> None:
        """People and organisations of one station, and their whole story up to a signed receipt."""
        site, name = self.site(q.letter), q.letter
        charity = await self._organisation(name, "charity")
        provider = await self._organisation(name, "social_organisation")
        self.add("charity", charity, site=site, organisation=charity, area=q.area)
        for role in (Role.STAFF, Role.SCOUT, Role.VOLUNTEER, Role.SOCIAL_WORKER):
            await self._appoint(f"{role}-{name}", role, site=site)
        await self._appoint(f"charity-{name}", Role.CHARITY, organisation=charity)
        await self._appoint(f"provider-{name}", Role.PROVIDER, organisation=provider)
        await self._subject(name, f"subject-{name}")
        await self.town.settle()
        cast = replace(self.cast, station=site, charity=charity)
        cast.staff, cast.donor = self.person(f"staff-{name}"), self.person(f"charity-{name}")
        await self._gifts(cast, q, charity)
        await self._people(cast, q, provider)
        await self._needs(cast, q, charity, provider)

    def person(self, name: str) -> Person:
        asker = self.asker(name)
        return Person(asker.id, self.token(asker) or "")

    async def _gifts(self, cast: Cast, q: Quarter, charity: str) -> None:
        donor = await cast.made(cast.donor, "/api/donors", {"name": f"捐赠人{q.letter}"})
        self.add("donor", donor["id"], organisation=charity)
        lot = await cast.lot(20, category=q.goods, area=q.area, donor_id=donor["id"])
        fund = await cast.made(cast.donor, "/api/funds", {"amount_fen": 100, "area": q.area})
        self.add("lot", lot["id"], organisation=charity)
        for kind in ("lot", "fund"):
            self.add(kind, fund["id"], organisation=charity)

    async def _people(self, cast: Cast, q: Quarter, provider: str) -> None:
        helper = self.asker(f"volunteer-{q.letter}")
        await cast.volunteer(q.letter, account_id=helper.id, area=q.area, skills=[q.skill])
        self.add("volunteer", helper.id, site=helper.site, owner=helper.id)
        team = {"name": "队", "site_id": helper.site, "organisation_id": provider, "leader_id": helper.id}
        made = await cast.made(cast.staff, "/api/teams", {**team, "organisation_id": None})
        self.add("team", made["id"], site=helper.site, leader=helper.id)
        theirs = await cast.made(self.person(f"provider-{q.letter}"), "/api/teams", team)
        self.add("team", theirs["id"], site=helper.site, organisation=provider, leader=helper.id)
        for who in ("scout", "volunteer"):
            report = {"area": q.area, "text": "后山老人三天没开门"}
            lead = await cast.made(self.person(f"{who}-{q.letter}"), "/api/leads", report)
            self.add("lead", lead["id"], site=helper.site, owner=self.asker(f"{who}-{q.letter}").id)

    async def _needs(self, cast: Cast, q: Quarter, charity: str, provider: str) -> None:
        home = await cast.household(area=q.area)
        filed = self.add("household", home["id"], site=cast.station, resident_id=home["resident_ids"][0])
        for lead in self.things["lead"][-2:]:
            lead.more["home"] = filed
        await self.town.settle()
        people = cast.people_line(hours=5, skills=[q.skill])
        served = await cast.need(home, people, cast.goods_line(2, category=q.goods))
        await self.town.settle()
        helper = self.asker(f"volunteer-{q.letter}")
        task = await self._taken(cast, helper)
        self.add("need", served["id"], site=cast.station, owner=helper.id)
        self.add("task", task, site=cast.station, owner=helper.id)
        await self._received(cast, served["id"], charity)
        open_ = await cast.need(home, cast.people_line(hours=30, skills=[q.skill]))
        await self.town.settle()
        self.add("need", open_["id"], site=cast.station)
        (asked,) = await self._pending(cast, helper)
        self.add("invitation", asked, site=cast.station, owner=helper.id)
        handed = await cast.need(home, cast.goods_line(1, category="furniture"))
        answer_by = (self.town.clock.now() + timedelta(days=2)).isoformat()
        asks = {"organisation_id": provider, "answer_by": answer_by}
        assert (await cast.does(cast.staff, f"/api/needs/{handed['id']}/refer", asks)).status == 200
        self.add("need", handed["id"], site=cast.station)
        self.add("referral", handed["id"], organisation=provider)
        self.add("asked", handed["id"], site=cast.station, organisation=provider)
        for need in self.things["need"][-3:]:
            self.add("contact", need.id, site=need.site, owner=need.owner)
        await self._taken_over(cast, q, home, asks)

    async def _taken_over(self, cast: Cast, q: Quarter, home: dict[str, Any], asks: dict[str, Any]) -> None:
        """A need that the provider has accepted, and whose contact is open to it."""
        need = await cast.need(home, cast.goods_line(1, category="furniture"))
        path = f"/api/needs/{need['id']}"
        assert (await cast.does(cast.staff, f"{path}/refer", asks)).status == 200
        provider = self.person(f"provider-{q.letter}")
        assert (await cast.does(provider, f"{path}/referral/accept")).status == 200
        self.add("need", need["id"], site=cast.station)
        self.add("referral", need["id"], organisation=asks["organisation_id"])
        self.add("asked", need["id"], site=cast.station, organisation=asks["organisation_id"])
        self.add("contact", need["id"], site=cast.station, organisation=asks["organisation_id"])

    async def _pending(self, cast: Cast, helper: Asker) -> list[str]:
        person = Person(helper.id, self.token(helper) or "")
        return [i["id"] for i in await cast.invitations(person) if i["status"] == "pending"]

    async def _taken(self, cast: Cast, helper: Asker) -> str:
        (invitation,) = await self._pending(cast, helper)
        person = Person(helper.id, self.token(helper) or "")
        won = await cast.does(person, f"/api/invitations/{invitation}/accept")
        assert won.status == 200, won.body
        await self.town.settle()
        task: str = won.body["id"]
        return task

    async def _received(self, cast: Cast, need_id: str, charity: str) -> None:
        (hold,) = (await cast.got(cast.staff, f"/api/holds?need_id={need_id}"))["items"]
        self.add("hold", hold["id"], site=cast.station, organisation=charity)
        signed = {"relation": "resident", "signature": "罗阿婆"}
        for act, body in (("issue", None), ("receipt", signed)):
            done = await cast.does(cast.staff, f"/api/holds/{hold['id']}/{act}", body)
            assert done.status == 200, done.body
        await self.town.settle()

    async def _turned_away(self) -> None:
        """Nobody, somebody whose token has run out, and somebody whose account was disabled."""
        self.askers.append(Asker("anonymous", "", (), bad="anonymous"))
        staff = self.asker("staff-a")
        self.askers.append(replace(staff, name="expired", bad="expired"))
        gone = await self._appoint("revoked", Role.STAFF, site=staff.site)
        self._revoked[gone.id] = self.token(gone) or ""
        self.askers[-1] = replace(gone, bad="revoked")
        disable = f"/api/accounts/{gone.id}/disable"
        assert (await self.cast.does(self.person("administrator"), disable)).status == 200

    async def _dead_letters(self) -> None:
        """Bytes that nobody can read: every service that hears this topic sets them aside."""
        await self.town.bus.publish([Outgoing("need", "x", 1, "wushe.needs.need.v1", "x", b"{broken")])
        await self.town.settle()
        for service in self.town.stores:
            listed = await self.cast.got(self.person("administrator"), f"/api/dead-letters/{service}")
            for letter in listed["items"]:
                self.add("letter", letter["id"], service=service)


@asynccontextmanager
async def district(seed: int = 1) -> AsyncIterator[District]:
    async with town(seed) as t:
        found = District(t)
        await found.fill()
        yield found
