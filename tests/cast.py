"""The people of a small invented town, and what they ask of the system: builders for stories and for load.

A cast works over anything that takes requests: a simulated `Town`, or a real server over HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import NAMESPACE_OID, uuid5

from shared.contracts.vocabulary import Role

COUNTY, TOWNSHIP = "522702", "522702001"
LAT, LON = 26.70, 107.51
ALWAYS = [{"day": day, "from": 0, "to": 24} for day in range(7)]


def volunteer_id(name: str) -> str:
    """The id of the volunteer of this name: the same in every test."""
    return str(uuid5(NAMESPACE_OID, f"volunteer {name}"))


class Reply(Protocol):
    """An answer, whoever gave it."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> Any: ...
    @property
    def headers(self) -> Any: ...


Call = Callable[..., Awaitable[Reply]]
Sign = Callable[..., str]


@dataclass(frozen=True)
class Person:
    """Somebody with a token."""

    id: str
    token: str


@dataclass
class Cast:
    """`call(token, method, path, body, key=…)` is how to ask; `sign(account, *roles, …)` makes a token."""

    call: Call
    sign: Sign
    now: Callable[[], datetime]
    center: str = ""
    main: str = ""
    station: str = ""
    charity: str = ""
    staff: Person = field(default_factory=lambda: Person("", ""))
    supervisor: Person = field(default_factory=lambda: Person("", ""))
    worker: Person = field(default_factory=lambda: Person("", ""))
    donor: Person = field(default_factory=lambda: Person("", ""))
    admin: Person = field(default_factory=lambda: Person("", ""))

    async def arrive(self, **policy: Any) -> Cast:
        """Open a guidance centre, a main station, a station with this policy, and a charity; appoint their people."""
        self.admin = Person("admin", self.sign("admin", Role.ADMINISTRATOR))
        self.center = await self.site("指导中心", "center", "5227", None)
        self.main = await self.site("总站", "main_station", COUNTY, self.center)
        self.station = await self.site("社工站", "station", TOWNSHIP, self.main, policy=policy)
        made = await self.made(self.admin, "/api/organisations", {"name": "爱心协会", "kind": "charity"})
        self.charity = made["id"]
        self.appoint()
        return self

    async def becomes_known(self) -> None:
        """Wait until the news of the station has got about, which on a busy machine takes a moment."""
        body = {"area": TOWNSHIP, "address": "金山街道某巷1号"}
        end = time.monotonic() + 20
        while (await self.call(self.staff.token, "POST", "/api/households", body)).status != 201:
            assert time.monotonic() < end, "the station never became known"
            await asyncio.sleep(0.05)

    def appoint(self) -> None:
        """Fresh tokens for everybody in office; the old ones end after ten minutes."""
        self.admin = Person("admin", self.sign("admin", Role.ADMINISTRATOR))
        self.staff = Person("staff", self.sign("staff", Role.STAFF, site_id=self.station))
        self.worker = Person("worker", self.sign("worker", Role.SOCIAL_WORKER, site_id=self.station))
        self.supervisor = Person("supervisor", self.sign("supervisor", Role.SUPERVISOR, site_id=self.main))
        self.donor = Person("charity", self.sign("charity", Role.CHARITY, organisation_id=self.charity))

    async def site(
        self, name: str, kind: str, area: str, parent: str | None, policy: dict[str, Any] | None = None
    ) -> str:
        body = {"name": name, "kind": kind, "area": area, "parent_id": parent, "policy": policy or {}}
        made: str = (await self.made(self.admin, "/api/sites", body))["id"]
        return made

    async def volunteer(self, name: str, **profile: Any) -> Person:
        """A volunteer of the station, registered and active, free at all hours, who does home visits."""
        body = {
            "account_id": volunteer_id(name),
            "name": f"志愿者{name}",
            "phone": "19900000000",
            "area": TOWNSHIP,
            "home": {"lat": LAT, "lon": LON},
            "skills": ["home_visit"],
            "hours": ALWAYS,
            "quiet_from": 0,
            "quiet_to": 0,
            "weekly_cap_minutes": 7 * 24 * 60,
            "weekly_contacts": 100,
            **profile,
        }
        await self.made(self.staff, "/api/volunteers", body)
        return self.person(volunteer_id(name))

    async def made_inactive(self, person: Person) -> None:
        """From now on this person is asked for nothing."""
        done = await self.does(self.staff, f"/api/volunteers/{person.id}/deactivate")
        assert done.status == 200, done.body

    def person(self, account_id: str) -> Person:
        return Person(account_id, self.sign(account_id, Role.VOLUNTEER, site_id=self.station))

    async def household(self, **facts: Any) -> dict[str, Any]:
        """A household of one elder."""
        body = {
            "area": TOWNSHIP,
            "address": "金山街道某巷3号",
            "phone": "19911112222",
            "location": {"lat": LAT, "lon": LON},
            "target_groups": ["elder_alone"],
            "residents": [{"name": "罗阿婆", "birth_date": "1944-05-06", "relation": "head"}],
            **facts,
        }
        return await self.made(self.staff, "/api/households", body)

    async def lot(self, quantity: int = 10, **facts: Any) -> dict[str, Any]:
        """A lot of rice."""
        body = {"category": "food", "unit": "袋", "quantity": quantity, "area": TOWNSHIP, **facts}
        return await self.made(self.donor, "/api/lots", body)

    def people_line(
        self, seats: int = 1, hours: float = 2.0, length: float = 1.0, **facts: Any
    ) -> dict[str, Any]:
        """A people line that begins `hours` from now."""
        start = self.now() + timedelta(hours=hours)
        window = {"start_at": start.isoformat(), "end_at": (start + timedelta(hours=length)).isoformat()}
        return {"kind": "people", "seats": seats, "skills": ["home_visit"], "window": window, **facts}

    def goods_line(self, quantity: int = 1, **facts: Any) -> dict[str, Any]:
        return {"kind": "goods", "category": "food", "quantity": quantity, "unit": "袋", **facts}

    async def need(self, household: dict[str, Any], *lines: dict[str, Any], **facts: Any) -> dict[str, Any]:
        """Post a need for this household's first resident."""
        body = {"household_id": household["id"], "category": "comfort", "lines": list(lines), **facts}
        return await self.made(self.staff, "/api/needs", body)

    async def made(self, person: Person, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create something; the body of the answer. Anything but 201 fails the test."""
        reply = await self.call(person.token, "POST", path, body)
        assert reply.status == 201, f"POST {path}: {reply.status} {reply.body}"
        created: dict[str, Any] = reply.body
        return created

    async def got(self, person: Person, path: str) -> dict[str, Any]:
        """Read something; anything but 200 fails the test."""
        reply = await self.call(person.token, "GET", path)
        assert reply.status == 200, f"GET {path}: {reply.status} {reply.body}"
        found: dict[str, Any] = reply.body
        return found

    async def does(
        self, person: Person, path: str, body: dict[str, Any] | None = None, *, key: str | None = None
    ) -> Reply:
        """An action; whatever comes of it."""
        return await self.call(person.token, "POST", path, body, key=key)

    async def invitations(self, person: Person) -> list[dict[str, Any]]:
        """What this volunteer was asked."""
        found: list[dict[str, Any]] = (await self.got(person, f"/api/invitations?volunteer_id={person.id}"))[
            "items"
        ]
        return found
