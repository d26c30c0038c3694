"""B4: durable intake, single (64 clients) and bulk, against one SQLite transaction per request."""

from __future__ import annotations

import json
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

from shared.contracts.vocabulary import Role
from tests.bench.b3 import closed_loop, our_post
from tests.bench.client import Pool
from tests.bench.population import asks
from tests.bench.sides import Ours, Peer, as_the_peer_asks, slower_disk

CLIENTS = 64
SECONDS = 6.0
BULK = 20_000


async def b4(repeats: int, fsync_ms: float = 0.0) -> None:
    """Print the figures."""
    wanted = asks(400, datetime.now(UTC))
    with TemporaryDirectory() as folder:
        under = slower_disk(fsync_ms)
        ours, peer = Ours(Path(folder), under), Peer(Path(folder), under)
        ours.run()
        await ours.fill(1)
        await ours.settle_houses(wanted)
        peer.fill(1)
        peer.run(wanted)
        singles, bulks = [], []
        try:
            for repeat in range(repeats):
                plain = await _peer(peer, wanted)
                single = await _single(ours, wanted, repeat)
                bulk = await _bulk(ours, wanted, repeat)
                singles.append((single, plain))
                bulks.append((bulk, plain))
        finally:
            ours.process.stop()
            peer.process.stop()
    print(f"B4  durable intake, {CLIENTS} clients, {repeats} repeats; peer: one transaction per request")
    for label, pairs in (("single", singles), ("bulk", bulks)):
        ratios = [o / p for o, p in pairs]
        o, p = sorted(pairs, key=lambda x: x[0] / x[1])[len(pairs) // 2]
        print(f"    {label:<10} ours {o:8.0f}/s · peer {p:6.0f}/s · ratio median {statistics.median(ratios):.2f}x "
              f"worst {min(ratios):.2f}x", flush=True)  # fmt: skip


async def _peer(peer: Peer, wanted: list) -> float:  # type: ignore[type-arg]
    http = Pool(peer.process.port, {})
    bodies = [json.dumps(as_the_peer_asks(a)).encode() for a in wanted]

    async def post(n: int) -> tuple[str, float, float, int]:
        sent = time.monotonic()
        answer = await http.post("/intake", bodies[n % len(bodies)])
        assert answer.status == 201
        return "", sent, time.monotonic(), 0

    done = await closed_loop(post, CLIENTS, SECONDS, 0)
    http.close()
    return len(done) / (max(d[2] for d in done) - min(d[1] for d in done))


async def _single(ours: Ours, wanted: list, repeat: int) -> float:  # type: ignore[type-arg]
    http = Pool(ours.process.port, ours.headers())
    done = await closed_loop(our_post(ours, http, wanted, f"single-{repeat}"), CLIENTS, SECONDS, 0)
    http.close()
    return len(done) / (max(d[2] for d in done) - min(d[1] for d in done))


async def _bulk(ours: Ours, wanted: list, repeat: int) -> float:  # type: ignore[type-arg]
    rows = []
    for n in range(BULK):
        row = json.loads(ours.need(wanted[n % len(wanted)])) | {
            "key": f"bulk-{repeat}-{n}",
            "site_id": ours.station,
        }
        rows.append(json.dumps(row))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{ours.process.port}", timeout=600) as http:
        began = time.perf_counter()
        answer = await http.post(
            "/api/needs/bulk",
            content="\n".join(rows).encode(),
            headers={
                **ours.headers("admin", Role.ADMINISTRATOR),
                "Content-Type": "application/x-ndjson",
                "Idempotency-Key": f"bulk-{repeat}",
            },
        )
        answer.raise_for_status()
        assert answer.json()["created"] == BULK, answer.text[:500]
        return BULK / (time.perf_counter() - began)
