"""A cluster by hand: `python -m tests.cluster up`, `... down`. Behind `make cluster` and `make cluster-down`.

Native servers, two instances of each service, the edge on one port, the sample town; all below build/cluster.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.cluster.processes import ROOT, Cluster
from tests.servers.native import kafka, mongo_install
from tests.servers.native.daemon import Failed
from tests.servers.native.kafka import NativeKafka
from tests.servers.native.mongo import NativeMongo
from tests.servers.places import home

PLACE = ROOT / "build" / "cluster"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument("--port", type=int, default=8000, help="where the edge listens")
    parser.add_argument("--each", type=int, default=2, help="how many instances of each service")
    parser.add_argument("--place", type=Path, default=PLACE, help="where everything is kept")
    given = parser.parse_args()
    try:
        if given.action == "up":
            up(given.place.resolve(), given.each, given.port)
        else:
            down(given.place.resolve())
    except Failed as reason:
        sys.exit(str(reason))


def up(place: Path, each: int, port: int) -> None:
    """Start what does not run, on the data that is there, and load the sample town once."""
    down(place)
    place.mkdir(parents=True, exist_ok=True)
    broker, store = _servers(place)
    print("installing the servers, if need be …", flush=True)
    kafka.install(home("kafka"))
    mongo_install.install(home("mongo"))
    print("starting Kafka and the store …", flush=True)
    broker.start()
    store.start()
    print(f"starting {each} instances of each service and the edge …", flush=True)
    cluster = Cluster.new(place, broker.address, store.address, each, port)
    cluster.start()
    _load_the_town(place, cluster.url)
    print(f"the cluster is ready: {cluster.url}")
    print(f"  the story:    make demo URL={cluster.url}")
    print(f"  the recount:  .venv/bin/wushe check --kafka {broker.address} --mongo {store.address}")
    print("  the end:      make cluster-down")


def down(place: Path) -> None:
    """End exactly the processes noted there; the data stays."""
    cluster = Cluster.noted(place)
    if cluster is not None:
        for name, seconds in cluster.stop().items():
            print(f"{name} ended in {seconds:.1f} s")
    for server in _servers(place):
        if server.place.exists():
            server.stop()


def _servers(place: Path) -> tuple[NativeKafka, NativeMongo]:
    return NativeKafka(home("kafka"), place / "kafka"), NativeMongo(home("mongo"), place / "mongo")


def _load_the_town(place: Path, url: str) -> None:
    command = [sys.executable, "-m", "wushe", "sample", "--town", "--url", url, "--data", str(place)]
    if subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1"}).returncode:
        raise Failed("the sample town could not be loaded")


if __name__ == "__main__":
    main()
