"""The peer: what a good engineer would write in a day. FastAPI and SQLite, one transaction per request.

The same durability (WAL, synchronous FULL), the same work (a need, a search for 20 people who can come, 20
invitations, 20 contact counts), no events, no services. The search has the best of three indexes that were tried
(`best_search` picks it by measuring). Run as `python -m tests.bench.peer DB PORT`.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field

WANTED = 20
RINGS = (12, 9, 6, 4, 0)

SCHEMA = """
CREATE TABLE IF NOT EXISTS person (id INTEGER PRIMARY KEY, area TEXT NOT NULL, lat REAL, lon REAL, reach REAL,
  h0 INTEGER, h1 INTEGER, h2 INTEGER, languages INTEGER, cap INTEGER, minutes INTEGER, budget INTEGER, contacts INTEGER,
  active INTEGER);
CREATE TABLE IF NOT EXISTS person_skill (skill INTEGER, area TEXT, person INTEGER, PRIMARY KEY (skill, area, person))
  WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS place USING rtree (id, lat0, lat1, lon0, lon1);
CREATE TABLE IF NOT EXISTS need (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS invitation (need TEXT, person INTEGER, status TEXT, expires REAL, PRIMARY KEY (need, person))
  WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS skill_of ON person_skill (person, skill);
"""

FREE = """p.active AND (p.h0 & :h0) = :h0 AND (p.h1 & :h1) = :h1 AND (p.h2 & :h2) = :h2 AND (p.languages & :language)
  AND p.contacts < p.budget AND p.minutes + :minutes <= p.cap"""
DISTANCE = "((p.lat - :lat) * (p.lat - :lat) + (p.lon - :lon) * (p.lon - :lon) * :squash)"
WITHIN = f"{DISTANCE} * 12321.0 <= p.reach * p.reach"

BY_AREA = f"""SELECT p.id FROM person_skill s CROSS JOIN person p ON p.id = s.person
  WHERE s.skill = :skill AND s.area >= :from AND s.area < :to AND {FREE} AND {WITHIN} ORDER BY {DISTANCE} LIMIT {WANTED}"""
BY_PLACE = f"""SELECT p.id FROM place r CROSS JOIN person p ON p.id = r.id
  WHERE r.lat0 >= :lat - :box AND r.lat1 <= :lat + :box AND r.lon0 >= :lon - :box AND r.lon1 <= :lon + :box
  AND EXISTS (SELECT 1 FROM person_skill s WHERE s.person = p.id AND s.skill = :skill) AND {FREE} AND {WITHIN}
  ORDER BY {DISTANCE} LIMIT {WANTED}"""


class Ask(BaseModel):
    """A need as the peer takes it: the same facts that the search of the other side goes by."""

    household: str
    category: str
    note: str = Field("", max_length=2000)
    area: str
    lat: float
    lon: float
    skill: int
    h0: int
    h1: int
    h2: int
    language: int
    minutes: int
    start_at: str
    end_at: str


def open_database(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -262144")
    return db


def by_area(db: sqlite3.Connection, ask: dict[str, Any]) -> list[int]:
    """Ring by ring over the index (skill, area), until there are enough."""
    found: list[int] = []
    for digits in RINGS:
        prefix = ask["area"][:digits]
        found = [row[0] for row in db.execute(BY_AREA, {**ask, "from": prefix, "to": prefix + ":"})]
        if len(found) == WANTED:
            break
    return found


def by_place(db: sqlite3.Connection, ask: dict[str, Any]) -> list[int]:
    """Box by box over the R*Tree, until there are enough."""
    found: list[int] = []
    for box in (0.05, 0.2, 0.8, 3.0):
        found = [row[0] for row in db.execute(BY_PLACE, {**ask, "box": box})]
        if len(found) == WANTED:
            break
    return found


Search = Callable[[sqlite3.Connection, dict[str, Any]], list[int]]


def best_search(db: sqlite3.Connection, asks: list[dict[str, Any]]) -> tuple[Search, dict[str, float]]:
    """The faster of the searches on these asks, and the median milliseconds of each."""
    medians: dict[str, float] = {}
    for search in (by_area, by_place):
        times = []
        for ask in asks:
            began = time.perf_counter()
            search(db, ask)
            times.append((time.perf_counter() - began) * 1000)
        medians[search.__name__] = statistics.median(times)
    best = min(medians, key=lambda name: medians[name])
    return {"by_area": by_area, "by_place": by_place}[best], medians


def make_app(path: Path, search: Search) -> FastAPI:
    app = FastAPI()
    local = threading.local()
    writing = threading.Lock()

    def database() -> sqlite3.Connection:
        if not hasattr(local, "db"):
            local.db = open_database(path)
        db: sqlite3.Connection = local.db
        return db

    @app.post("/needs", status_code=201)
    def post(ask: Ask) -> dict[str, Any]:
        db, id = database(), str(uuid.uuid4())
        facts = {**ask.model_dump(), "squash": 0.8}
        people = search(db, facts)
        with writing:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO need VALUES (?, ?)", (id, ask.model_dump_json()))
            rows = [(id, person, "pending", time.time() + 3600) for person in people]
            db.executemany("INSERT INTO invitation VALUES (?, ?, ?, ?)", rows)
            db.executemany("UPDATE person SET contacts = contacts + 1 WHERE id = ?", [(p,) for p in people])
            db.execute("COMMIT")
        return {"id": id, "invited": len(people)}

    @app.post("/intake", status_code=201)
    def intake(ask: Ask) -> dict[str, Any]:
        db, id = database(), str(uuid.uuid4())
        with writing:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO need VALUES (?, ?)", (id, ask.model_dump_json()))
            db.execute("COMMIT")
        return {"id": id}

    return app


if __name__ == "__main__":
    chosen: Search = {"by_area": by_area, "by_place": by_place}[sys.argv[3]]
    uvicorn.run(make_app(Path(sys.argv[1]), chosen), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning",
                access_log=False)  # fmt: skip
