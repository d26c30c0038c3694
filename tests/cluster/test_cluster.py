"""Every service as a process of its own on Kafka and a MongoDB-compatible server, behind the edge."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.cast import Cast
from tests.cluster.asking import PatientLine, is_clean, wushe
from tests.cluster.processes import ROOT, Cluster
from tests.live.crowd import Crowd
from tests.live.http import Line, cast_of, signer
from tests.servers.fixtures import kafka_server, mongo_server
from wushe.routing import service_at, services

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400), pytest.mark.xdist_group("cluster")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One instance of each service, two of needs and matching; the sample town."""
    place = tmp_path_factory.mktemp("cluster")
    station = f"t{secrets.token_hex(4)}"
    made = Cluster.new(
        place,
        kafka_server().address,
        mongo_server().address,
        twice=("needs", "matching"),
        WUSHE_STATION=station,
    )
    try:
        made.start()
        yield made
    finally:
        made.stop()


async def small_town(cluster: Cluster, line: Line, **policy: Any) -> Cast:
    """A station of its own beside the sample town."""
    return await cast_of(line, signer(cluster.place)).arrive(**policy)


def test_the_sample_town_and_the_whole_story_through_the_edge(cluster: Cluster) -> None:
    loaded = wushe(cluster, "sample", "--town", "--url", cluster.url, "--data", str(cluster.place))
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    told = wushe(cluster, "demo", "--url", cluster.url)
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-1000:]
    assert is_clean(cluster)


def test_the_documentation_at_the_edge_is_of_all_services(cluster: Cluster) -> None:
    paths = httpx2.get(f"{cluster.url}/openapi.json", timeout=30).json()["paths"]
    assert {service_at(path) for path in paths} == set(services())
    assert httpx2.get(f"{cluster.url}/metrics", timeout=5).status_code == 404


async def test_instances_killed_under_load_lose_nothing(cluster: Cluster) -> None:
    line = PatientLine(cluster.url, prefix="kill")
    crowd = Crowd(await small_town(cluster, line, first_wave=3, wave_seconds=5), line, 8, 7)
    await crowd.settle_in(lots=2, homes=2)
    hurried = Line(cluster.url, prefix="hurried")
    crowd.speaks_over(hurried)
    end = time.monotonic() + 25

    async def kill_now_and_then() -> None:
        for name in ("needs-2", "matching-1", "volunteers-1", "resources-1"):
            await asyncio.sleep(2.0)
            cluster.instances[name].kill()
            await asyncio.to_thread(cluster.start_one, name)

    await asyncio.gather(crowd.live(lambda: time.monotonic() > end), kill_now_and_then())
    await asyncio.to_thread(cluster.wait_ready)
    crowd.speaks_over(line)
    crowd.cast.appoint()
    await crowd.ask_again()
    await crowd.holds_them_to_it()
    print(f"{len(crowd.promises.needs)} needs, {len(crowd.promises.seats)} seats, answers {crowd.answers}")
    assert crowd.promises.needs
    assert await asyncio.to_thread(is_clean, cluster)
    await line.close()
    await hurried.close()


async def test_without_the_broker_posting_is_acknowledged_and_flows_on_later(cluster: Cluster) -> None:
    broker = kafka_server()
    line = PatientLine(cluster.url, prefix="broker")
    cast = await small_town(cluster, line)
    home = await cast.household()
    await asyncio.to_thread(broker.kill)
    try:
        posted = [await cast.need(home, cast.people_line()) for _ in range(5)]
    finally:
        await asyncio.to_thread(broker.start)
    began = time.monotonic()
    for need in posted:
        while (await line.call(cast.staff.token, "GET", f"/api/matches/{need['id']}")).status != 200:
            assert time.monotonic() - began < 90, "the match never came"
            await asyncio.sleep(0.2)
    print(f"all heard {time.monotonic() - began:.1f} s after the broker was back")
    await line.close()


async def test_without_the_store_requests_are_told_to_come_again(cluster: Cluster) -> None:
    store = mongo_server()
    line = PatientLine(cluster.url, prefix="store")
    hurried = Line(cluster.url, prefix="hurried-store")
    cast = await small_town(cluster, line)
    home = await cast.household()
    body = {"household_id": home["id"], "category": "comfort", "lines": [cast.people_line()]}
    await asyncio.to_thread(store.kill)
    try:
        told = await hurried.call(cast.staff.token, "POST", "/api/needs", body, key="the-same")
        assert told.status == 503, told.body
        assert int(told.headers["retry-after"]) >= 1
    finally:
        await asyncio.to_thread(store.start)
    await asyncio.to_thread(cluster.wait_ready)
    again = await line.call(cast.staff.token, "POST", "/api/needs", body, key="the-same")
    assert again.status == 201, again.body
    letters = [
        await cast.got(cast.admin, f"/api/dead-letters/{s}")
        for s in ("directory", "needs", "volunteers", "resources", "matching")
    ]
    assert not [letter for page in letters for letter in page["items"]]
    await line.close()
    await hurried.close()


def test_everything_ends_within_ten_seconds_of_being_asked(cluster: Cluster) -> None:
    took = cluster.stop()
    print(took)
    assert max(took.values()) < 10
    assert all("has stopped" in i.said()[-200:] for i in cluster.instances.values())


def test_production_takes_no_keys_that_were_made_up(cluster: Cluster, tmp_path: Path) -> None:
    keys = cluster.place / "keys"
    given = {"WUSHE_ENV": "production", "WUSHE_DATA": str(tmp_path), "WUSHE_PORT": "0"}
    for service, more in (
        ("needs", {}),
        ("needs", {"WUSHE_VERIFY_KEY_FILE": str(keys / "verify.pem")}),
        ("directory", {"WUSHE_SIGNING_KEY_FILE": str(keys / "signing.pem")}),
    ):
        refused = subprocess.run(
            [sys.executable, "-m", "wushe", "serve", service],
            cwd=ROOT, env={**os.environ, **cluster.environment, **given, **more}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert refused.returncode == 2, refused.stdout + refused.stderr
