"""SIGKILL at every named point of the loop and blindly under load, and power that fails: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import httpx2
import pytest

from shared.run.faults import POINTS
from tests.live.crowd import Crowd
from tests.live.http import Line, cast_of, signer
from tests.live.powered import Powered
from tests.live.server import Server

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("KILLS", "200"))
PEOPLE = 12
ROUNDS_PER_DIRECTORY = 10


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory of a small town, to be copied: registered once, stopped properly."""
    directory = tmp_path_factory.mktemp("town") / "data"
    server = Server(directory)
    server.start()

    async def settle_in() -> None:
        line = Line(server.url)
        crowd = await newcomers(line, directory, 0)
        await crowd.cast.arrive(first_wave=3, wave_seconds=5, hold_seconds=60, invitation_seconds=30)
        await crowd.cast.becomes_known()
        (directory.parent / "station").write_text(f"{crowd.cast.station} {crowd.cast.charity}")
        await crowd.settle_in()
        await line.close()

    asyncio.run(settle_in())
    assert server.stop() == 0, server.output()
    return directory


async def newcomers(line: Line, directory: Path, seed: int) -> Crowd:
    cast = cast_of(line, signer(directory))
    noted = directory.parent / "station"
    if noted.exists():
        cast.station, cast.charity = noted.read_text().split()
        cast.appoint()
    crowd = Crowd(cast, line, PEOPLE, seed)
    if noted.exists():
        homes = (await cast.got(cast.staff, "/api/households"))["items"]
        crowd._homes = homes
    return crowd


def copied(prepared: Path, tmp_path: Path, kind: type[Server] = Server) -> Server:
    shutil.copytree(prepared.parent, tmp_path / "town")
    (tmp_path / "town" / "data.log").unlink(missing_ok=True)
    return kind(tmp_path / "town" / "data")


def recovers(server: Server, crowd: Crowd) -> None:
    """Start again; then everything that was promised stands, and the recount is clean."""
    server.start()

    async def account() -> None:
        crowd.cast.appoint()
        await crowd.ask_again()
        await crowd.holds_them_to_it()

    asyncio.run(_with_line(server, crowd, account))
    report = server.check()
    assert report.returncode == 0, report.stdout + report.stderr


async def _with_line(server: Server, crowd: Crowd, act: Callable[[], Awaitable[None]]) -> None:
    line = Line(server.url, prefix=f"again-{time.monotonic_ns()}")
    crowd.speaks_over(line)
    try:
        await act()
    finally:
        await line.close()


@pytest.mark.parametrize("nth", [1, 7, 40])
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_this_point_loses_nothing(prepared: Path, tmp_path: Path, point: str, nth: int) -> None:
    server = copied(prepared, tmp_path)
    server.start(f"{point}:{nth}", wait=False)
    crowds: list[Crowd] = []

    async def live() -> None:
        line = Line(server.url)
        crowd = await arrived(line, server)
        crowds.append(crowd)
        end = time.monotonic() + 30
        await crowd.live(lambda: server.ended or time.monotonic() > end)
        await line.close()

    asyncio.run(live())
    assert server.wait_ended(1.0), f"{point} was passed fewer than {nth} times"
    try:
        recovers(server, crowds[0])
    finally:
        server.kill()


async def arrived(line: Line, server: Server) -> Crowd:
    """A crowd at a server that may die at any moment, even before it was ready."""
    cast = cast_of(line, signer(server.directory))
    cast.station, cast.charity = (server.directory.parent / "station").read_text().split()
    cast.appoint()
    crowd = Crowd(cast, line, PEOPLE, 1)
    end = time.monotonic() + 30
    while not server.ended and time.monotonic() < end:
        try:
            crowd._homes = (await cast.got(cast.staff, "/api/households"))["items"]
            return crowd
        except (httpx2.HTTPError, AssertionError):
            await asyncio.sleep(0.05)
    return crowd


def test_blind_kills_under_load_lose_nothing(prepared: Path, tmp_path: Path) -> None:
    die_and_recover(prepared, tmp_path, Server, KILLS)


def test_power_that_fails_under_load_takes_nothing_that_was_acknowledged(
    prepared: Path, tmp_path: Path
) -> None:
    die_and_recover(prepared, tmp_path, Powered, max(5, KILLS // 4))


def die_and_recover(prepared: Path, tmp_path: Path, kind: type[Server], times: int) -> None:
    """Again and again, at a moment nobody chose, on a fresh copy of the data after every few."""
    chance = Random(4711)
    server: Server | None = None
    crowd: Crowd | None = None
    for kill in range(times):
        if kill % ROUNDS_PER_DIRECTORY == 0:
            if server:
                server.kill()
            folder = tmp_path / str(kill)
            folder.mkdir()
            server = copied(prepared, folder, kind)
            server.start()
            crowd = None
        assert server is not None
        crowd = asyncio.run(_under_load(server, crowd, kill, chance.uniform(0.2, 2.5)))
        recovers(server, crowd)
        print(
            f"{kind.__name__} {kill + 1}/{times}: {len(crowd.promises.needs)} needs, {crowd.answers}",
            flush=True,
        )
    assert server is not None
    server.kill()


async def _under_load(server: Server, crowd: Crowd | None, seed: int, seconds: float) -> Crowd:
    line = Line(server.url, prefix=f"load-{seed}")
    if crowd is None:
        crowd = await newcomers(line, server.directory, seed)
    crowd.speaks_over(line)
    crowd.cast.appoint()
    loop = asyncio.get_running_loop()
    killed = loop.call_later(seconds, server.kill)
    await crowd.live(lambda: server.ended)
    killed.cancel()
    await line.close()
    return crowd
