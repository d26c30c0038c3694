from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.embedded.clock import FixedClock
from shared.ports import Bus, Store
from tests.conformance.adapters import BUSES, STORES, BusHome, StoreHome
from tests.conformance.toys import Basket, Shelf


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "needs(gap): an adapter that declares this gap must fail the test, in its own words"
    )


@pytest.fixture(params=STORES)
async def home(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StoreHome]:
    home = STORES[request.param](tmp_path / "store", [Basket, Shelf])
    await home.start()
    yield home
    await home.stop()


@pytest.fixture
def store(home: StoreHome) -> Store:
    return home.store()


@pytest.fixture
def clock(home: StoreHome) -> FixedClock:
    return home.clock


@pytest.fixture(params=BUSES)
async def bus_home(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BusHome]:
    home = BUSES[request.param](tmp_path / "bus")
    needed = request.node.get_closest_marker("needs")
    if needed is not None and needed.args[0] in home.gaps:
        reason, error = home.gaps[needed.args[0]]
        request.applymarker(pytest.mark.xfail(strict=True, reason=reason, raises=error))
    yield home
    await home.stop()


@pytest.fixture
async def bus(bus_home: BusHome) -> Bus:
    return await bus_home.start()
