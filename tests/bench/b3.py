"""B3: a need is posted until all its 20 invitations are durable. Open loop at two rates, then saturation."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.bench.client import Pool
from tests.bench.population import Asked, asks
from tests.bench.sides import Ours, Peer, slower_disk

RATES = (20, 100)
SECONDS = 8.0
CLIENTS = 32


class Run(NamedTuple):
    """Milliseconds from posting to durable, for every need that got its 20; and needs a second."""

    times: list[float]
    rate: float
    short: int

    @property
    def p50(self) -> float:
        return statistics.median(self.times) if self.times else float("nan")

    @property
    def p99(self) -> float:
        return sorted(self.times)[int(len(self.times) * 0.99)] if self.times else float("nan")


Post = Callable[[int], Awaitable[tuple[str, float, float, int]]]
"""Post the n-th ask; (need, sent, answered, invited) with the machine's monotonic clock."""


async def open_loop(
    post: Post, rate: float, seconds: float, first: int
) -> list[tuple[str, float, float, int]]:
    """Arrivals at fixed times, whether or not the server keeps up."""
    tasks = []
    began = time.monotonic()
    for n in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
        tasks.append(asyncio.ensure_future(post(first + n)))
    return list(await asyncio.gather(*tasks))


async def closed_loop(
    post: Post, clients: int, seconds: float, first: int
) -> list[tuple[str, float, float, int]]:
    """Everybody posts again as soon as the answer is there."""
    end = time.monotonic() + seconds
    numbers = iter(range(first, first + 1_000_000))
    done: list[tuple[str, float, float, int]] = []

    async def work() -> None:
        while time.monotonic() < end:
            done.append(await post(next(numbers)))

    await asyncio.gather(*(work() for _ in range(clients)))
    return done


def peer_post(peer: Peer, http: Pool, wanted: Sequence[Asked]) -> Post:
    bodies = [json.dumps(peer.ask(a)).encode() for a in wanted]

    async def post(n: int) -> tuple[str, float, float, int]:
        sent = time.monotonic()
        answer = await http.post("/needs", bodies[n % len(bodies)])
        assert answer.status == 201, answer.body
        return answer.json()["id"], sent, time.monotonic(), answer.json()["invited"]

    return post


def our_post(ours: Ours, http: Pool, wanted: Sequence[Asked], mark: str) -> Post:
    bodies = [ours.need(a) for a in wanted]

    async def post(n: int) -> tuple[str, float, float, int]:
        sent = time.monotonic()
        answer = await http.post("/api/needs", bodies[n % len(bodies)], key=f"{mark}-{n}")
        assert answer.status == 201, answer.body
        return answer.json()["id"], sent, time.monotonic(), 0

    return post


def of_peer(done: list[tuple[str, float, float, int]]) -> Run:
    span = max(d[2] for d in done) - min(d[1] for d in done)
    full = [(answered - sent) * 1000 for _, sent, answered, invited in done if invited == 20]
    return Run(full, len(done) / span, len(done) - len(full))


async def of_ours(ours: Ours, done: list[tuple[str, float, float, int]]) -> Run:
    """Wait until the waves of all these needs are durable."""
    wanted = {need for need, *_ in done}
    end = time.monotonic() + 120
    while time.monotonic() < end:
        durable = ours.durable()
        if wanted <= durable.keys():
            break
        await asyncio.sleep(0.2)
    got = [(sent, *durable[need]) for need, sent, _, _ in done if need in durable]
    span = max(at for _, at, _ in got) - min(sent for sent, _, _ in got)
    full = [(at - sent) * 1000 for sent, at, offers in got if offers == 20]
    return Run(full, len(got) / span, len(done) - len(full))


async def b3(count: int, repeats: int, fsync_ms: float = 0.0) -> None:
    """Print the figures."""
    wanted = asks(400, datetime.now(UTC), crowd=count)
    with TemporaryDirectory() as folder:
        under = slower_disk(fsync_ms)
        ours, peer = Ours(Path(folder), under), Peer(Path(folder), under)
        ours.run()
        rate = await ours.fill(count)
        await ours.settle_houses(wanted)
        peer.fill(count)
        peer.run(wanted)
        print(f"B3  {count:,} people ({rate:,.0f}/s loaded in bulk), {repeats} repeats, order rotated")
        print(f"    peer's searches, median ms: {peer.medians}; the faster one serves")
        try:
            await _compare(ours, peer, wanted, repeats)
        finally:
            ours.process.stop()
            peer.process.stop()


async def _compare(ours: Ours, peer: Peer, wanted: Sequence[Asked], repeats: int) -> None:
    for label, rate in (*((f"{r}/s", float(r)) for r in RATES), ("saturation", 0.0)):
        pairs: list[tuple[Run, Run]] = []
        for repeat in range(repeats):
            sides = ["ours", "peer"] if repeat % 2 == 0 else ["peer", "ours"]
            runs: dict[str, Run] = {}
            for side in sides:
                runs[side] = await _once(ours, peer, wanted, side, rate, f"{label}-{repeat}")
            pairs.append((runs["ours"], runs["peer"]))
        _print(label, pairs, by_rate=rate == 0.0)


async def _once(ours: Ours, peer: Peer, wanted: Sequence[Asked], side: str, rate: float, mark: str) -> Run:
    http = Pool(ours.process.port, ours.headers()) if side == "ours" else Pool(peer.process.port, {})
    post = our_post(ours, http, wanted, mark) if side == "ours" else peer_post(peer, http, wanted)
    await open_loop(post, 10, 1.0, 900_000)
    done = await (open_loop(post, rate, SECONDS, 0) if rate else closed_loop(post, CLIENTS, SECONDS, 0))
    http.close()
    return await of_ours(ours, done) if side == "ours" else of_peer(done)


def _print(label: str, pairs: list[tuple[Run, Run]], by_rate: bool) -> None:
    ratios = [o.rate / p.rate if by_rate else p.p50 / o.p50 for o, p in pairs]
    what = "throughput" if by_rate else "p50"
    middle = sorted(
        pairs, key=lambda pair: pair[0].rate / pair[1].rate if by_rate else pair[1].p50 / pair[0].p50
    )
    o, p = middle[len(middle) // 2]
    print(
        f"    {label:<10} ours p50 {o.p50:7.1f} ms p99 {o.p99:7.1f} ms {o.rate:6.0f}/s ({o.short} short) · "
        f"peer p50 {p.p50:7.1f} ms p99 {p.p99:7.1f} ms {p.rate:6.0f}/s ({p.short} short) · "
        f"{what} ratio median {statistics.median(ratios):.2f}x worst {min(ratios):.2f}x",
        flush=True,
    )
