"""Starting the two sides: ours and the peer, each on its own data, with the same people in it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from shared.contracts.vocabulary import Role
from shared.security.access import Principal
from shared.security.tokens import TokenMint, signing_key
from tests.bench.peer import SCHEMA, best_search, open_database
from tests.bench.population import Asked, Person, as_row, people, slots
from tests.live.server import ROOT, free_port

BULK = 5_000
HOUSES = 400


@dataclass
class Process:
    """A server of its own, stopped by the id it was started with."""

    popen: subprocess.Popen[bytes]
    port: int

    def stop(self) -> None:
        self.popen.terminate()
        try:
            self.popen.wait(10)
        except subprocess.TimeoutExpired:
            self.popen.kill()


def slower_disk(milliseconds: float) -> tuple[str, ...]:
    """What to start a server under, so that each of its waits for the disk takes this much longer (needs strace).

    Disks of virtual machines often promise what they do not do and answer within a fraction of a millisecond; one
    without a battery takes 1 to 10 ms. The kernel stops the process at those calls only; the rest runs untouched.
    """
    if not milliseconds:
        return ()
    strace = shutil.which("strace")
    if strace is None:
        raise SystemExit("--fsync-ms needs strace")
    calls = "fsync,fdatasync"
    delayed = f"inject={calls}:delay_exit={round(milliseconds * 1000)}us"
    return (strace, "-D", "-f", "--seccomp-bpf", "-qqq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", delayed)  # fmt: skip


def start(
    module: str, *arguments: str, port: int, path: str, log: Path, under: Sequence[str] = ()
) -> Process:
    """Start `python -m module …` and wait until `path` answers."""
    command = [*under, sys.executable, "-m", module, *arguments]
    with log.open("ab") as out:
        popen = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
    end = time.monotonic() + 600
    while time.monotonic() < end:
        if popen.poll() is not None:
            raise RuntimeError(f"{module} ended: {log.read_text()[-2000:]}")
        try:
            if httpx2.get(f"http://127.0.0.1:{port}{path}", timeout=5).status_code == 200:
                return Process(popen, port)
        except httpx2.HTTPError:
            time.sleep(0.1)
    raise TimeoutError(module)


class Ours:
    """`wushe run` with this many people, one station that asks twenty at once."""

    def __init__(self, folder: Path, under: Sequence[str] = ()) -> None:
        self._under = under
        self.directory = folder / "ours"
        self.notes = folder / "notes"
        self.notes.touch()
        self._log = folder / "ours.log"
        self.process: Process
        self.station = ""
        self.houses: list[str] = []
        self._mint: TokenMint

    def run(self) -> None:
        port = free_port()
        module = "tests.bench.ours"
        given = (str(self.directory), str(port), str(self.notes))
        self.process = start(module, *given, port=port, path="/readyz", log=self._log, under=self._under)
        self._mint = TokenMint(signing_key(self.directory / "keys" / "signing.pem"))

    def headers(
        self, account: str = "staff", role: Role = Role.STAFF, site: str | None = None
    ) -> dict[str, str]:
        """What a signed-in request carries; good for ten minutes."""
        principal = Principal(account, (role,), site or self.station or None, None, datetime.now(UTC))
        return {"Authorization": f"Bearer {self._mint.sign(principal, 'bench')}"}

    async def fill(self, count: int) -> float:
        """Open the station, register the people in bulk. Gives people a second."""
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.process.port}", timeout=600) as http:
            await self._open(http)
            await self._until_known(http)
            rows = [as_row(p, self.station) for p in people(count)]
            began = time.perf_counter()
            for n in range(0, count, BULK):
                answer = await http.post(
                    "/api/volunteers/bulk",
                    content=b"\n".join(rows[n : n + BULK]),
                    headers={
                        **self.headers("admin", Role.ADMINISTRATOR),
                        "Content-Type": "application/x-ndjson",
                        "Idempotency-Key": f"bulk-{n}",
                    },
                )
                answer.raise_for_status()
                assert not answer.json()["errors"], answer.text[:500]
            return count / (time.perf_counter() - began)

    async def _until_known(self, http: httpx2.AsyncClient) -> None:
        """Until the news of the new station has reached everybody."""
        body = {"area": "522702001", "address": "某巷1号"}
        for n in range(200):
            headers = {**self.headers(), "Idempotency-Key": f"known-{n}"}
            if (await http.post("/api/households", json=body, headers=headers)).status_code == 201:
                return
            await asyncio.sleep(0.05)
        raise TimeoutError("the new station never became known")

    def need(self, asked: Asked) -> bytes:
        import json

        window = {"start_at": asked.start_at.isoformat(), "end_at": asked.end_at.isoformat()}
        skill = _skill(asked.skill)
        line = {"kind": "people", "seats": 1, "skills": [skill], "languages": ["zh"], "window": window}
        house = self.houses[asked.number % len(self.houses)]
        return json.dumps(
            {"household_id": house, "category": "comfort", "urgency": "urgent", "lines": [line]}
        ).encode()

    def durable(self) -> dict[str, tuple[float, int]]:
        """By need: when its first wave was durable, and how many were asked."""
        found: dict[str, tuple[float, int]] = {}
        for line in self.notes.read_text().splitlines():
            need, at, offers = line.split()
            found.setdefault(need, (float(at), int(offers)))
        return found

    async def _open(self, http: httpx2.AsyncClient) -> None:
        admin = self.headers("admin", Role.ADMINISTRATOR)
        policy = {"first_wave": 20, "wave_seconds": 3600, "urgent_wave_seconds": 3600, "tier_seconds": 86400}
        center = await _made(http, "/api/sites", {"name": "C", "kind": "center", "area": "5227"}, admin)
        main = await _made(
            http,
            "/api/sites",
            {"name": "M", "kind": "main_station", "area": "522702", "parent_id": center},
            admin,
        )
        body = {"name": "S", "kind": "station", "area": "522702001", "parent_id": main, "policy": policy}
        self.station = await _made(http, "/api/sites", body, admin)

    async def settle_houses(self, asks: Sequence[Asked]) -> None:
        """Households where the asks are."""
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.process.port}", timeout=60) as http:
            for asked in asks[:HOUSES]:
                body = {
                    "area": asked.area,
                    "address": "某巷1号",
                    "location": {"lat": asked.lat, "lon": asked.lon},
                    "residents": [{"name": "某人", "birth_date": "1950-01-01"}],
                }
                self.houses.append(
                    await _made(http, "/api/households", body, self.headers(), f"h{asked.number}")
                )


async def _made(
    http: httpx2.AsyncClient, path: str, body: Mapping[str, object], headers: dict[str, str], key: str = ""
) -> str:
    key = key or f"{path}-{body['name']}"
    answer = await http.post(path, json=body, headers={**headers, "Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    id: str = answer.json()["id"]
    return id


def _skill(number: int) -> str:
    from tests.bench.population import SKILLS

    return str(SKILLS[number].value)


class Peer:
    """The plain FastAPI and SQLite server with the same people."""

    def __init__(self, folder: Path, under: Sequence[str] = ()) -> None:
        self._under = under
        self.database = folder / "peer.db"
        self._log = folder / "peer.log"
        self.process: Process
        self.medians: dict[str, float] = {}

    def fill(self, count: int) -> None:
        db = open_database(self.database)
        db.executescript(SCHEMA)
        db.execute("BEGIN")
        for person in people(count):
            db.execute("INSERT INTO person VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,1)", _row(person))
            db.executemany(
                "INSERT INTO person_skill VALUES (?,?,?)",
                [(s, person.area, person.number) for s in person.skills],
            )
            db.execute(
                "INSERT INTO place VALUES (?,?,?,?,?)",
                (person.number, person.lat, person.lat, person.lon, person.lon),
            )
        db.execute("COMMIT")
        db.execute("ANALYZE")
        db.close()

    def run(self, asks: Sequence[Asked]) -> None:
        db = open_database(self.database)
        tries = [{**as_the_peer_asks(a), "squash": 0.8} for a in asks[:60]]
        search, self.medians = best_search(db, tries)
        db.close()
        port = free_port()
        given = (str(self.database), str(port), search.__name__)

        self.process = start(
            "tests.bench.peer", *given, port=port, path="/docs", log=self._log, under=self._under
        )


def as_the_peer_asks(asked: Asked) -> dict[str, object]:
    """The ask as a body of the peer's `POST /needs`."""
    h0, h1, h2 = slots(asked.hours)
    return {
        "household": f"h{asked.number % HOUSES}", "category": "comfort", "note": "", "area": asked.area,
        "lat": asked.lat, "lon": asked.lon, "skill": asked.skill, "h0": h0, "h1": h1, "h2": h2, "language": 1,
        "minutes": 90, "start_at": asked.start_at.isoformat(), "end_at": asked.end_at.isoformat(),
    }  # fmt: skip


def _row(p: Person) -> tuple[object, ...]:
    languages = sum(1 << n for n in p.languages)
    return (p.number, p.area, p.lat, p.lon, p.reach_km, *slots(p.hours), languages, 6000, 0, 1_000_000, 0)
