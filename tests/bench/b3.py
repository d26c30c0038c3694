"""B3: a need is posted until all its 20 invitations are durable. Open loop at two rates, then saturation.

Beside the two sides stands a bare server that only writes: whatever does more takes longer.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.bench.bare import Bare
from tests.bench.client import Pool
from tests.bench.population import Asked, asks
from tests.bench.sides import Ours, Peer, Process, as_the_peer_asks, slower_disk

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


def peer_post(http: Pool, wanted: Sequence[Asked]) -> Post:
    """What the peer takes; the bare server takes the same."""
    bodies = [json.dumps(as_the_peer_asks(a)).encode() for a in wanted]

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
        bare = Bare(Path(folder), count, under)
        print(f"B3  {count:,} people ({rate:,.0f}/s loaded in bulk), {repeats} repeats, order rotated")
        print(f"    peer's searches, median ms: {peer.medians}; the faster one serves")
        try:
            await _compare(ours, {"peer": peer.process, "bare": bare.process}, wanted, repeats)
        finally:
            for process in (ours.process, peer.process, bare.process):
                process.stop()


async def _compare(ours: Ours, others: Mapping[str, Process], wanted: Sequence[Asked], repeats: int) -> None:
    for label, rate in (*((f"{r}/s", float(r)) for r in RATES), ("saturation", 0.0)):
        rounds: list[dict[str, Run]] = []
        for repeat in range(repeats):
            runs: dict[str, Run] = {}
            for side in ("ours", *others) if repeat % 2 == 0 else (*reversed(list(others)), "ours"):
                other = others.get(side)
                http = Pool(other.port, {}) if other else Pool(ours.process.port, ours.headers())
                post = peer_post(http, wanted) if other else our_post(ours, http, wanted, f"{label}-{repeat}")
                done = await _load(post, rate)
                http.close()
                runs[side] = of_peer(done) if other else await of_ours(ours, done)
            rounds.append(runs)
        for side in ("ours", "bare"):
            _print(label, side, [(runs[side], runs["peer"]) for runs in rounds], by_rate=rate == 0.0)


async def _load(post: Post, rate: float) -> list[tuple[str, float, float, int]]:
    await open_loop(post, 10, 1.0, 900_000)
    return await (open_loop(post, rate, SECONDS, 0) if rate else closed_loop(post, CLIENTS, SECONDS, 0))


def _print(label: str, side: str, pairs: list[tuple[Run, Run]], by_rate: bool) -> None:
    """The side against the peer; shown are the runs whose ratio is in the middle."""
    what = "throughput" if by_rate else "p50"

    def ratio(pair: tuple[Run, Run]) -> float:
        one, peer = pair
        return one.rate / peer.rate if by_rate else peer.p50 / one.p50

    ratios = sorted(map(ratio, pairs))
    one, peer = sorted(pairs, key=ratio)[len(pairs) // 2]
    print(
        f"    {label:<10} {side} {_told(one)} · peer {_told(peer)} · "
        f"{what} ratio median {statistics.median(ratios):.2f}x worst {ratios[0]:.2f}x",
        flush=True,
    )


def _told(run: Run) -> str:
    return f"p50 {run.p50:7.1f} ms p99 {run.p99:7.1f} ms {run.rate:6.0f}/s ({run.short} short)"
