"""B3 on Kafka and MongoDB: a need is posted until all its 20 invitations are durable, noted where they are written.

Beside the two sides stand bare services that only write and send: whatever does more takes longer.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.bench.b3 import Post, Run, closed_loop, open_loop
from tests.bench.population import Asked, asks
from tests.bench_cluster.processor import Meter
from tests.bench_cluster.sides import Bare, OurCluster, Plain, PlainPeer, Taking, ask_of

RATES = (5.0, 20.0)
SATURATION = 0.0
SECONDS = 8.0
CLIENTS = 32
SETTLE_SECONDS = 10.0
PATIENCE_SECONDS = 180.0
LOOK_SECONDS = 0.3
Side = OurCluster | Plain


class Measured(NamedTuple):
    """A run, and the processor time that each need took in each process."""

    run: Run
    cpu: dict[str, float]


@dataclass
class Bench:
    """All sides, filled; `servers` are the ids of the processes they stand on."""

    ours: OurCluster
    plain: Mapping[str, Plain]
    wanted: Sequence[Asked]
    servers: dict[str, int]
    seconds: float = SECONDS
    turns: int = 0
    found: dict[tuple[str, float], list[Measured]] = field(default_factory=dict)

    async def turn(self, side: Side, label: str) -> None:
        """Measure this side, which runs, at every rate."""
        self.turns += 1
        await self._once(side, 10.0, 2.0, f"warm-{self.turns}")
        for rate in (*RATES, SATURATION):
            mark = f"{label}-{rate}-{self.turns}"
            measured = await self._once(side, rate, self.seconds, mark)
            self.found.setdefault((label, rate), []).append(measured)
            print(f"    {label:<5} {_called(rate):<10} {_said(measured.run)}", flush=True)

    async def _once(self, side: Side, rate: float, seconds: float, mark: str) -> Measured:
        taking = side.taking()
        post = _post(side, taking, self.wanted, mark)
        meter = Meter({**self.servers, **side.pids()})
        done = await (open_loop(post, rate, seconds, 0) if rate else closed_loop(post, CLIENTS, seconds, 0))
        run = await _durable(side.durable, done)
        taking.close()
        return Measured(run, meter.each(len(done)))


async def fill(folder: Path, kafka: str, mongo: str, count: int, profile: Path | None) -> Bench:
    """The same people and the same asks on both sides; the peer's best search."""
    wanted = asks(400, datetime.now(UTC), crowd=count)
    ours = OurCluster(folder, kafka, mongo, profile)
    peer, bare = PlainPeer(folder, kafka, mongo), Bare(folder, kafka, mongo)
    ours.run()
    try:
        rate = await ours.fill(count)
        await ours.settle_houses(wanted)
        await asyncio.sleep(2.0)  # its figures are a second old
        await until(lambda: not ours.unpublished())
    finally:
        ours.stop()
    for plain in (peer, bare):
        await plain.fill(count)
    await asyncio.sleep(
        SETTLE_SECONDS
    )  # the database looks at what was loaded before it uses its indexes well
    fastest, medians = await peer.choose(wanted[:60])
    print(f"B3 on Kafka and MongoDB  {count:,} people ({rate:,.0f}/s loaded in bulk into ours)")
    print(f"    peer's searches, median ms: {medians}; {fastest} serves", flush=True)
    return Bench(ours, {"peer": peer, "bare": bare}, wanted, {})


def _post(side: Side, taking: Taking, wanted: Sequence[Asked], mark: str) -> Post:
    ours = isinstance(side, OurCluster)
    path = "/api/needs" if ours else "/needs"
    bodies = [
        side.need(a) if isinstance(side, OurCluster) else json.dumps(ask_of(a)).encode() for a in wanted
    ]

    async def post(n: int) -> tuple[str, float, float, int]:
        sent = time.monotonic()
        answer = await taking.post(path, bodies[n % len(bodies)], key=f"{mark}-{n}" if ours else "")
        assert answer.status == 201, answer.body
        return answer.json()["id"], sent, time.monotonic(), 0

    return post


async def _durable(
    durable: Callable[[], dict[str, tuple[float, int]]], done: list[tuple[str, float, float, int]]
) -> Run:
    """Wait until the invitations of all these needs are durable."""
    wanted = {need for need, *_ in done}
    await until(lambda: wanted <= durable().keys())
    noted = durable()
    got = [(sent, *noted[need]) for need, sent, _, _ in done if need in noted]
    span = max(at for _, at, _ in got) - min(sent for sent, _, _ in got)
    full = [(at - sent) * 1000 for sent, at, people in got if people == 20]
    return Run(full, len(got) / span, len(done) - len(full))


async def until(condition: Callable[[], bool]) -> None:
    """Look again and again; gives up in silence, and what is missing then shows in the figures."""
    for _ in range(int(PATIENCE_SECONDS / LOOK_SECONDS)):
        if condition():
            return
        await asyncio.sleep(LOOK_SECONDS)


def _called(rate: float) -> str:
    return f"{rate:g}/s" if rate else "saturation"


def _said(run: Run) -> str:
    return (f"p50 {run.p50:8.1f} ms p99 {run.p99:8.1f} ms {run.rate:6.1f}/s "
            f"({len(run.times)} needs, {run.short} short)")  # fmt: skip


def report(bench: Bench, against: str, other: str) -> None:
    """The ratios of one side against the other, pairs in the order they were measured."""
    for rate in (*RATES, SATURATION):
        pairs = list(zip(bench.found[other, rate], bench.found[against, rate], strict=True))
        ratios = [
            ours.run.rate / its.run.rate if rate == SATURATION else its.run.p50 / ours.run.p50
            for ours, its in pairs
        ]
        what = "throughput" if rate == SATURATION else "p50"
        print(
            f"  {other} against {against}, {_called(rate)}: {what} ratio median {statistics.median(ratios):.2f}x "
            f"worst {min(ratios):.2f}x",
            flush=True,
        )


def report_processor(bench: Bench, label: str) -> None:
    """Where the processor time of a need goes, at saturation."""
    last = bench.found[label, SATURATION][-1].cpu
    parts = ", ".join(f"{name} {ms:g}" for name, ms in sorted(last.items(), key=lambda each: -each[1]))
    print(f"  {label}, ms of processor time for each need: {sum(last.values()):.1f} = {parts}", flush=True)
