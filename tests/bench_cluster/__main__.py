"""`make bench-cluster`: B3 on a real Kafka broker and a MongoDB-compatible server, as a ratio in one run.

Starts the servers itself. Only one side runs at a time, the order is rotated; then ours with two instances of each. `bare`
is the least that three services can do: see there.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import sys
import tempfile
from pathlib import Path

from tests.bench_cluster.b3 import Bench, fill, report, report_processor
from tests.servers.native import kafka, mongo_install
from tests.servers.native.daemon import Failed
from tests.servers.native.kafka import NativeKafka
from tests.servers.native.mongo import NativeMongo
from tests.servers.places import home


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_cluster", description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each rate is measured")
    parser.add_argument("--only", choices=["ours", "peer", "bare"], help="measure one side, for profiling")
    parser.add_argument("--profile", type=Path, help="a folder for profiles of our services")
    parser.add_argument("--no-two", action="store_true", help="leave two instances against one out")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("asked to stop"))  # so that nothing is left running
    try:
        run(given)
    except Failed as reason:
        sys.exit(str(reason))


def run(given: argparse.Namespace) -> None:
    kafka.install(home("kafka"))
    mongo_install.install(home("mongo"))
    with tempfile.TemporaryDirectory(prefix="wushe-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        broker = NativeKafka(home("kafka"), folder / "kafka")
        store = NativeMongo(home("mongo"), folder / "mongo")
        try:
            broker.start()
            store.start()
            print(f"Python {platform.python_version()}, {os.cpu_count()} cores of {platform.machine()}; one broker, "
                  "acks=all; FerretDB on PostgreSQL, majority and journal; both sides on the same servers")  # fmt: skip
            asyncio.run(measure(given, folder, broker, store))
        finally:
            store.stop()
            broker.stop()


async def measure(given: argparse.Namespace, folder: Path, broker: NativeKafka, store: NativeMongo) -> None:
    if given.profile:
        given.profile.mkdir(parents=True, exist_ok=True)
    bench = await fill(folder, broker.address, store.address, given.people, given.profile)
    bench.seconds = given.seconds
    bench.servers = {
        name: int((folder / kind / f"{kind if kind == 'kafka' else name}.pid").read_text().split()[0])
        for name, kind in (("kafka", "kafka"), ("postgres", "mongo"), ("ferretdb", "mongo"))
    }
    sides = [given.only] if given.only else ["ours", "peer", "bare"]
    for repeat in range(given.repeats):
        for side in sides if repeat % 2 == 0 else reversed(sides):
            await one_turn(bench, side)
    if not given.no_two and not given.only:
        await one_turn(bench, "two", each=2)
        bench.found |= {
            ("one", rate): runs[-1:] for (label, rate), runs in bench.found.items() if label == "ours"
        }
        report(bench, "one", "two")
    if not given.only:
        report(bench, "peer", "ours")
        report(bench, "peer", "bare")
    for side in sides:
        report_processor(bench, side)


async def one_turn(bench: Bench, label: str, each: int = 1) -> None:
    """Start this side, measure it, stop it."""
    if label in bench.plain:
        side = bench.plain[label]
        side.run()
        try:
            await bench.turn(side, label)
        finally:
            side.stop()
        return
    bench.ours.run(each)
    try:
        await bench.turn(bench.ours, label)
    finally:
        bench.ours.stop()


if __name__ == "__main__":
    main()
