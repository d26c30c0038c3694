"""What no design on this machine can be faster than: an empty request, one commit, reading one line.

The goals of B3 and B4 are ratios; these figures say how much of the goal's time is left for the work itself. Served by
`python -m tests.bench.floor PORT`.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from fastapi import FastAPI

from services.needs.schemas.needs import NeedRow
from tests.bench.b3 import CLIENTS, closed_loop, of_peer, open_loop, peer_post
from tests.bench.client import Pool
from tests.bench.peer import Ask, open_database
from tests.bench.population import asks
from tests.bench.sides import start
from tests.live.server import free_port

RATE = 20
SECONDS = 5.0
COMMITS = 1_000
LINES = 20_000


def make_app() -> FastAPI:
    """FastAPI with the peer's body, checked, and nothing done."""
    app = FastAPI()

    @app.post("/needs", status_code=201)
    async def post(ask: Ask) -> dict[str, Any]:
        return {"id": ask.household, "invited": 20}

    return app


async def floor() -> None:
    """Print the figures."""
    print("floor  what is spent before any work is done")
    with TemporaryDirectory() as folder:
        await _an_empty_request(Path(folder))
        _one_commit(Path(folder) / "commit.db")
        _one_line(Path(folder) / "lines.db")


async def _an_empty_request(folder: Path) -> None:
    port = free_port()
    process = start("tests.bench.floor", str(port), port=port, path="/docs", log=folder / "floor.log")
    http = Pool(port, {})
    post = peer_post(http, asks(400, datetime.now(UTC)))
    try:
        await open_loop(post, RATE, 1.0, 0)
        calm = of_peer(await open_loop(post, RATE, SECONDS, 0))
        busy = of_peer(await closed_loop(post, CLIENTS, SECONDS, 0))
    finally:
        http.close()
        process.stop()
    print(
        f"    an empty request, its body checked   p50 {calm.p50:.2f} ms at {RATE}/s, {busy.rate:,.0f}/s at saturation"
    )


def _one_commit(file: Path) -> None:
    db = open_database(file)
    db.execute("CREATE TABLE need (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
    times = []
    for n in range(COMMITS):
        began = time.perf_counter()
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO need VALUES (?, ?)", (n, "x" * 500))
        db.execute("COMMIT")
        times.append((time.perf_counter() - began) * 1000)
    db.close()
    print(f"    one commit of one row, WAL and FULL  p50 {statistics.median(times):.2f} ms")


def _one_line(file: Path) -> None:
    line = json.dumps({
        "key": "n1", "household_id": "0" * 36, "site_id": "0" * 36, "category": "comfort", "urgency": "urgent",
        "lines": [{
            "kind": "people", "seats": 1, "skills": ["home_visit"], "languages": ["zh"],
            "window": {"start_at": "2026-11-27T01:00:00+00:00", "end_at": "2026-11-27T02:30:00+00:00"},
        }],
    }).encode()  # fmt: skip
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("CREATE TABLE need (id TEXT PRIMARY KEY, body BLOB NOT NULL)")
    read = _microseconds(lambda: [NeedRow.model_validate_json(line) for _ in range(LINES)])
    db.execute("BEGIN")
    rows = [(f"{n:036}", line) for n in range(LINES)]
    written = _microseconds(lambda: db.executemany("INSERT INTO need VALUES (?, ?)", rows))
    db.execute("ROLLBACK")
    db.close()
    print(
        f"    one line of a bulk load              read and checked {read:.1f} µs, one row written {written:.1f} µs: "
        f"{1e6 / (read + written):,.0f}/s"
    )


def _microseconds(work: Callable[[], object]) -> float:
    """Processor time for each of the lines."""
    began = time.process_time()
    work()
    return (time.process_time() - began) / LINES * 1e6


if __name__ == "__main__":
    uvicorn.run(make_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
