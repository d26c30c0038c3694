"""`wushe sample`: a large invented city, loaded through the bulk addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from rich.progress import Progress

from shared.errors import WusheError
from shared.run.settings import Settings
from wushe.client import Account, Api, Refused
from wushe.commands.load import NAMES, Sum, in_parts, send
from wushe.commands.reaching import HERE, signed_in
from wushe.edge import Edge
from wushe.embedded import DATABASE
from wushe.language import LANGUAGE, say
from wushe.readiness import until_ready
from wushe.routing import services
from wushe.sample.city import City, Crowd, cities
from wushe.sample.loading import MARKER, load_once
from wushe.sample.staff import ADMINISTRATOR, PASSWORD
from wushe.serving import run
from wushe.terminal import FOUND, console, plainly, progress

CHARITIES = 5
NEEDY_CITIES = 6
HOUSEHOLDS_AT_MOST = 2000
AT_ONCE = 64
LEFT_ALONE = "no-sample"
"""The note beside that of the town that it is not wanted."""


@plainly
def make_city(
    people: int,
    lots: int,
    needs: int,
    seed: int,
    url: str | None,
    data: Path | None,
    login: str,
    password_file: Path | None,
) -> int:
    async def make() -> int:
        async with signed_in(url, data, login, password_file) as account:
            with progress() as bar:
                return await Making(account, seed, bar).all(people, lots, needs)

    return run(make())


class NotForTheSample(WusheError):
    """The note that the town stands would mark a station that never had it: its next start would go on loading it."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            say(
                "{data} 是一个没有样例的站点：样例小镇的记录请用 --data 放到别的目录",
                "{data} is a station without the sample: keep the note of the town elsewhere, with --data",
                data=data,
            )
        )


@plainly
def load_town(url: str | None, settings: Settings) -> None:
    """The sample town of `wushe run`, into the running system at `url`; done once, noted in the data directory.

    A `{service}` in the address stands for the name of each service: then no edge is needed, and all of them are waited
    for, whether there is anything to load or not. Production takes no sample.
    """
    apart = [url.format(service=service) for service in services()] if url and "{service}" in url else []
    run(until_ready(apart))
    if settings.env == "production":
        console.print(say("生产环境不装样例", "Production takes no sample"))
        return
    if (settings.data / DATABASE).exists() and not (settings.data / MARKER).exists():
        raise NotForTheSample(settings.data)

    async def load() -> bool:
        api = _before_the_edge(apart) if apart else Api.at(url or HERE)
        try:
            settings.data.mkdir(parents=True, exist_ok=True)
            return await _is_loaded(api, settings.data)
        finally:
            await api.close()

    if run(load()):
        console.print(say("样例小镇已就绪", "The sample town stands"))


async def _is_loaded(api: Api, data: Path) -> bool:
    """Load it; False where it was left alone because the station has people, or sites, of its own: in containers the edge
    waits for this, and such a station is to be served as it is. That is noted, since each try is a failed sign-in."""
    left = data / LEFT_ALONE
    why = say("已有记录", "that is noted") if left.exists() else None
    try:
        if why is None and not (data / MARKER).exists() and await _has_sites(api):
            why = say("已有站点", "it has sites already")
            left.touch()
        if why is None:
            await load_once(api, data)
            return True
    except Refused as no:
        if no.status not in (401, 429):
            raise
        if no.status == 401:
            left.touch()
        why = str(no)
    told = say(
        "此站点有自己的账号或站点，样例小镇不再装入：{why}",
        "This station has accounts or sites of its own, so the sample town is left as it is: {why}",
        why=why,
    )
    console.print(told, markup=False)
    return False


async def _has_sites(api: Api) -> bool:
    admin = await api.sign_in(ADMINISTRATOR, PASSWORD)
    return bool((await admin.get("/api/sites", limit=1)).body["items"])


def _before_the_edge(addresses: Iterable[str]) -> Api:
    """The services themselves, through an edge of our own."""
    return Api.inside(Edge({service: [at] for service, at in zip(services(), addresses, strict=True)}))


class Making:
    """Makes the city in order: places, people, gifts, households, needs. Made again with the same seed within the hour, it
    stays; later the windows of its needs would be others under the same keys, which are refused."""

    def __init__(self, admin: Account, seed: int, bar: Progress) -> None:
        self._admin = admin
        self._seed = seed
        self._bar = bar
        self._cities = cities(seed)
        self._sites: dict[str, str] = {}
        self._centers: dict[str, str] = {}

    async def all(self, people: int, lots: int, needs: int) -> int:
        await self._places()
        crowd = Crowd(self._seed, self._sites, datetime.now(UTC))
        refused = await self._bulk("volunteers", crowd.people(people), people)
        if lots:
            refused += await self._bulk("lots", crowd.lots(lots, await self._charities()), lots)
        if needs:
            households = await self._households(crowd, min(needs, HOUSEHOLDS_AT_MOST))
            refused += await self._bulk("needs", crowd.needs(needs, households), needs)
        return FOUND if refused else 0

    async def _places(self) -> None:
        task = self._bar.add_task(say("站点", "sites"), total=len(self._cities))
        for city in self._cities:
            center = await self._site(f"{city.area.name}指导中心", "center", city.area.code, None)
            main = await self._site(f"{city.county.name}总站", "main_station", city.county.code, center)
            self._centers[city.area.code], self._sites[city.area.code] = center, main
            self._bar.advance(task)

    async def _site(self, name: str, kind: str, area: str, parent: str | None) -> str:
        body = {"name": name, "kind": kind, "area": area, "parent_id": parent}
        id: str = (await self._admin.post("/api/sites", body, key=self._key(f"{kind}/{area}"))).body["id"]
        return id

    async def _charities(self) -> list[str]:
        made = []
        for n in range(CHARITIES):
            body = {"name": f"样例慈善会{n + 1}", "kind": "charity"}
            answer = await self._admin.post("/api/organisations", body, key=self._key(f"charity/{n}"))
            made.append(answer.body["id"])
        return made

    async def _bulk(self, kind: str, rows: Iterator[bytes], count: int) -> int:
        total = Sum()
        name = NAMES[kind].said(LANGUAGE)
        task = self._bar.add_task(name, total=count)
        for part in in_parts(rows):
            await send(self._admin, kind, part, total, self._bar, task, tries=5)
        console.print(say("{kind}：{sum}", "{kind}: {sum}", kind=name, sum=total.sentence()))
        return total.refused

    async def _households(self, crowd: Crowd, count: int) -> list[str]:
        needy = self._cities[:NEEDY_CITIES]
        accounts = [await self._supervisor(city) for city in needy[: max(1, min(count, NEEDY_CITIES))]]
        task = self._bar.add_task(say("家庭", "households"), total=count)
        bodies = [(n, n % len(accounts), crowd.household(n, needy[n % len(accounts)])) for n in range(count)]
        waiting = iter(bodies)
        found: list[str] = []
        while some := list(islice(waiting, AT_ONCE)):
            found += await asyncio.gather(*(self._household(accounts[a], n, body) for n, a, body in some))
            self._bar.advance(task, len(some))
        return found

    async def _household(self, by: Account, number: int, body: dict[str, Any]) -> str:
        id: str = (await by.post("/api/households", body, key=self._key(f"household/{number}"))).body["id"]
        return id

    async def _supervisor(self, city: City) -> Account:
        """An account that may register households in this city, with a password that nobody knows."""
        login, password = f"load-{self._seed}-{city.area.code}", token_urlsafe(24)
        site_id = self._centers[city.area.code]
        body = {
            "login": login, "password": password, "name": city.area.name, "roles": ["supervisor"], "site_id": site_id,
        }  # fmt: skip
        try:
            await self._admin.post("/api/accounts", body)
        except Refused as no:
            if no.code != "login-taken":
                raise
            async for known in self._admin.every("/api/accounts", site_id=site_id):
                if known["login"] == login:
                    await self._admin.post(f"/api/accounts/{known['id']}/password", {"new": password})
        return await self._admin.api.sign_in(login, password)

    def _key(self, name: str) -> str:
        return f"city/{self._seed}/{name}"
