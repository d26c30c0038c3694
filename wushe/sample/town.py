"""Loading the sample town through the HTTP interface, each request with a fixed Idempotency-Key.

So a load that was cut short is finished by loading again, and a second load changes nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from wushe.client import Account, Api, Refused
from wushe.language import HERE
from wushe.sample.gifts import GIFTS, lot_body
from wushe.sample.households import HOUSEHOLDS
from wushe.sample.places import PARTNERS, SITES, VILLAGES, PartnerRow
from wushe.sample.staff import ADMINISTRATOR, PASSWORD, STAFF, VOLUNTEER_LOGINS
from wushe.sample.volunteers import VolunteerRow, volunteers

NEWS_SECONDS = 5.0
"""How long the news of a place may take to reach the other services."""
_NOT_KNOWN_YET = frozenset({403, 404, 422})

Told = Callable[[str], None]


class Town:
    """What stands so far: ids by key of the sample, and the accounts that have signed in."""

    def __init__(self, api: Api, base_at: datetime) -> None:
        self.api = api
        self.base_at = base_at
        self.ids: dict[str, str] = {}
        self.accounts: dict[str, Account] = {}

    @property
    def admin(self) -> Account:
        return self.accounts[ADMINISTRATOR]

    @property
    def supervisor(self) -> Account:
        """The main station's: everything in the county is within reach."""
        return self.accounts["zongzhan"]

    async def load(self) -> None:
        """Places, partners, accounts, volunteers, gifts, households."""
        await self.sign_in(ADMINISTRATOR)
        await self.load_places()
        await self._accounts()
        await asyncio.gather(self._volunteers(), self._gifts(), self._households())

    async def sign_in(self, login: str) -> Account:
        if login not in self.accounts:
            self.accounts[login] = await self.api.sign_in(login, PASSWORD)
        return self.accounts[login]

    async def post(self, by: Account, path: str, body: Any, key: str) -> Any:
        """Send it, again for a while if it speaks of a place that has not got about yet."""
        end = asyncio.get_running_loop().time() + NEWS_SECONDS
        while True:
            try:
                return (await by.post(path, body, key=f"town/{key}")).body
            except Refused as no:
                late = asyncio.get_running_loop().time() > end
                if no.status not in _NOT_KNOWN_YET or late:
                    raise
                await asyncio.sleep(0.05)

    async def _make(self, by: Account, path: str, body: Any, key: str) -> str:
        id: str = (await self.post(by, path, body, key))["id"]
        self.ids[key] = id
        return id

    async def load_places(self) -> None:
        """Villages, the site tree, and the partners."""
        villages = ({"code": v.code, "name": v.name} for v in VILLAGES)
        await _together(
            *(self.post(self.admin, "/api/areas", body, f"village/{body['code']}") for body in villages)
        )
        for site in SITES:
            body = {"name": site.name, "kind": site.kind, "area": site.area}
            parent = {"parent_id": self.ids[f"site/{site.parent}"]} if site.parent else {}
            await self._make(self.admin, "/api/sites", body | parent, f"site/{site.key}")
        await _together(*(self._partner(row) for row in PARTNERS))

    async def _partner(self, row: PartnerRow) -> None:
        body = {"name": row.name, "kind": row.kind, "site_id": self.ids[f"site/{row.site}"]}
        await self._make(self.admin, "/api/organisations", body, f"partner/{row.key}")

    async def _accounts(self) -> None:
        await _together(*(self._staff(row.login) for row in STAFF if row.login != ADMINISTRATOR))
        people = volunteers(self.base_at.date())
        await _together(
            *(self._volunteer_account(login, people[n]) for n, login in enumerate(VOLUNTEER_LOGINS))
        )
        await self.sign_in("zongzhan")

    async def _staff(self, login: str) -> None:
        row = next(r for r in STAFF if r.login == login)
        body = {
            "login": login,
            "password": PASSWORD,
            "name": row.name,
            "roles": row.roles,
            "site_id": self.ids[f"site/{row.site}"] if row.site else None,
            "organisation_id": self.ids[f"partner/{row.partner}"] if row.partner else None,
        }
        await self._make(self.admin, "/api/accounts", body, f"account/{login}")

    async def _volunteer_account(self, login: str, person: VolunteerRow) -> None:
        body = {
            "login": login,
            "password": PASSWORD,
            "name": person.name,
            "roles": ["volunteer"],
            "site_id": self.ids[f"site/{person.village.township.key}"],
        }
        await self._make(self.admin, "/api/accounts", body, f"account/{login}")
        self.ids[f"account of {person.key}"] = self.ids[f"account/{login}"]

    async def _volunteers(self) -> None:
        await _together(*(self._volunteer(person) for person in volunteers(self.base_at.date())))

    async def _volunteer(self, person: VolunteerRow) -> None:
        body = person.body | {
            "site_id": self.ids[f"site/{person.village.township.key}"],
            "account_id": self.ids.get(f"account of {person.key}"),
        }
        await self._make(self.supervisor, "/api/volunteers", body, f"volunteer/{person.key}")

    async def _gifts(self) -> None:
        today = self.base_at.astimezone(HERE).date()
        rows = (
            lot_body(n, gift, today) | {"key": f"town/{n}", "charity_id": self.ids[f"partner/{gift.charity}"]}
            for n, gift in enumerate(GIFTS)
        )
        lines = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
        answer = (await self.admin.bulk("/api/lots/bulk", lines)).body
        if answer["refused"]:
            raise Refused(422, {"errors": [e | {"pointer": e["field"]} for e in answer["errors"]]})

    async def _households(self) -> None:
        today = self.base_at.astimezone(HERE).date()
        await _together(
            *(
                self._household(row.key, row.village.township.key, row.body(n, today))
                for n, row in enumerate(HOUSEHOLDS)
            )
        )

    async def _household(self, key: str, township: str, body: dict[str, Any]) -> None:
        made = await self.post(
            self.supervisor,
            "/api/households",
            body | {"site_id": self.ids[f"site/{township}"]},
            f"household/{key}",
        )
        self.ids[f"household/{key}"] = made["id"]
        for n, resident in enumerate(made["resident_ids"]):
            self.ids[f"resident/{key}/{n}"] = resident


async def _together(*work: Awaitable[Any]) -> None:
    """All of it at once, so that it shares commits."""
    await asyncio.gather(*work)
