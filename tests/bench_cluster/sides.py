"""Starting the two sides on the same servers, each with the same people in it; only one runs at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, cast

import httpx2
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient

from shared.security.tokens import TokenMint, signing_key
from tests.bench.client import Answer, Pool
from tests.bench.population import Asked, people
from tests.bench.sides import Ours, Process, start
from tests.bench_cluster import bare, peer
from tests.bench_cluster.peer_search import Document, best, documents, make_indexes
from tests.cluster.processes import ROOT, Cluster, Instance
from tests.live.server import free_port

PARTITIONS = 12
BULK = 1_000
STEPS = ("intake", "search", "invitations")


class Taking:
    """Posts to some instances in turn."""

    def __init__(self, ports: Sequence[int], headers: dict[str, str]) -> None:
        self._pools = [Pool(port, headers) for port in ports]
        self._next = cycle(self._pools)

    async def post(self, path: str, body: bytes, *, key: str = "", kind: str = "application/json") -> Answer:
        return await next(self._next).post(path, body, key=key, kind=kind)

    def close(self) -> None:
        for pool in self._pools:
            pool.close()


class Noting(Instance):
    """A service that notes waves: see `serve`."""

    def start(self, environment: Mapping[str, str]) -> None:
        service = self.name.rpartition("-")[0]
        command = [sys.executable, "-m", "tests.bench_cluster.serve", service, "--port", str(self.port)]
        self._daemon.launch(command, self._is_alive, cwd=ROOT, env={**os.environ, **environment})


class OurCluster(Ours):
    """Every service as processes of its own, the edge before them for what is loaded in bulk."""

    def __init__(self, folder: Path, kafka: str, mongo: str, profile: Path | None = None) -> None:
        super().__init__(folder)
        self._servers = kafka, mongo
        self._more = {"WUSHE_LOG": "warning", "BENCH_NOTES": str(self.notes)}
        if profile:
            self._more["BENCH_PROFILE"] = str(profile)
        self.cluster: Cluster

    def run(self, each: int = 1) -> None:
        kafka, mongo = self._servers
        cluster = Cluster.new(self.directory, kafka, mongo, each, twice=(), port=0, **self._more)
        for instance in list(cluster.instances.values()):
            cluster.instances[instance.name] = Noting(instance.name, instance.port, cluster.place, [])
        self.cluster = cluster
        cluster.start()
        self.process = Process(cast(Any, None), cluster.edge.port)
        self._mint = TokenMint(signing_key(self.directory / "keys" / "signing.pem"))

    def stop(self) -> None:
        self.cluster.stop()

    def taking(self) -> Taking:
        needs = [i.port for i in self.cluster.instances.values() if i.name.startswith("needs-")]
        return Taking(needs, self.headers())

    def pids(self) -> dict[str, int]:
        return {i.name: i.pid for i in self.cluster.instances.values() if i.pid}

    def unpublished(self) -> float:
        """How many messages wait in the outboxes of all services; the largest of what their figures say."""
        return max(_outbox_depth(instance.url) for instance in self.cluster.instances.values())


def _outbox_depth(url: str) -> float:
    lines = httpx2.get(f"{url}/metrics", timeout=15, trust_env=False).text.splitlines()
    return max(
        (float(line.split()[-1]) for line in lines if line.startswith("wushe_outbox_depth{")), default=0.0
    )


class Plain:
    """Three plain services on the same servers, one for each step."""

    module: str
    alive: str
    topics: tuple[str, ...]
    given: str
    """What each step is told besides where to find things."""

    def __init__(self, folder: Path, kafka: str, mongo: str) -> None:
        self._folder = folder
        self._kafka = kafka
        self._mongo = mongo
        self._processes: dict[str, Process] = {}
        self._notes = folder / f"{self.name}-notes"

    @property
    def name(self) -> str:
        return self.module.rpartition(".")[2]

    async def fill(self, count: int) -> None:
        self._notes.touch()
        admin = AIOKafkaAdminClient(bootstrap_servers=self._kafka)
        await admin.start()
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in self.topics])
        await admin.close()

    def run(self) -> None:
        for step in STEPS:
            port = free_port()
            given = (step, str(port), self._kafka, self._mongo, self.given, str(self._notes))
            log = self._folder / f"{self.name}-{step}.log"
            self._processes[step] = start(self.module, *given, port=port, path=self.alive, log=log)

    def stop(self) -> None:
        for process in self._processes.values():
            process.stop()

    def taking(self) -> Taking:
        return Taking([self._processes["intake"].port], {})

    def pids(self) -> dict[str, int]:
        return {step: process.popen.pid for step, process in self._processes.items()}

    def durable(self) -> dict[str, tuple[float, int]]:
        found: dict[str, tuple[float, int]] = {}
        for line in self._notes.read_text().splitlines():
            need, at, offers = line.split()
            found.setdefault(need, (float(at), int(offers)))
        return found


class PlainPeer(Plain):
    """The plain peer; the people lie in the same database server."""

    module, alive = "tests.bench_cluster.peer", "/docs"
    topics = (peer.ASKED, peer.FOUND)

    async def fill(self, count: int) -> None:
        await super().fill(count)
        client: AsyncMongoClient[Document] = AsyncMongoClient(self._mongo)
        crowd = peer.database(client).people
        await make_indexes(crowd)
        rows = list(documents(people(count)))
        for first in range(0, count, BULK):
            await crowd.insert_many(rows[first : first + BULK])
        await client.close()

    async def choose(self, asks: Sequence[Asked]) -> tuple[str, dict[str, float]]:
        """Measure the searches, take the fastest; and the median milliseconds of each."""
        client: AsyncMongoClient[Document] = AsyncMongoClient(self._mongo)
        self.given, medians = await best(peer.database(client).people, [ask_of(a) for a in asks])
        await client.close()
        return self.given, medians


class Bare(Plain):
    """The bare services; who they ask lies in the peer's database."""

    module, alive = "tests.bench_cluster.bare", "/"
    topics = (bare.ASKED, bare.FOUND)

    async def fill(self, count: int) -> None:
        await super().fill(count)
        self.given = str(count)


def ask_of(asked: Asked) -> Document:
    return {
        "household": f"h{asked.number % 50}", "category": "comfort", "note": "", "area": asked.area, "lat": asked.lat,
        "lon": asked.lon, "skill": asked.skill, "hours": list(asked.hours), "language": 0, "minutes": 90,
        "start_at": asked.start_at.isoformat(), "end_at": asked.end_at.isoformat(),
    }  # fmt: skip
