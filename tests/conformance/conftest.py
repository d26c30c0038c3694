from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from shared.embedded.clock import FixedClock
from shared.ports import Bus, Store
from tests.conformance.adapters import BUSES, CLUSTER, STORES
from tests.conformance.homes import BusHome, StoreHome
from tests.conformance.toys import Basket, Shelf

ADAPTER = "adapter"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "needs(gap): an adapter that declares this gap must fail the test, in its own words"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.conformance)


def _each(adapters: Iterable[str]) -> list[ParameterSet]:
    return [pytest.param(name, marks=[pytest.mark.cluster] if name in CLUSTER else []) for name in adapters]


@pytest.fixture(params=_each(STORES))
async def home(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StoreHome]:
    request.node.user_properties.append((ADAPTER, f"store {request.param}"))
    home = STORES[request.param](tmp_path / "store", [Basket, Shelf])
    await home.start()
    yield home
    await home.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many tests of the suite each adapter passed, and how many it is known not to."""
    counts: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed", "error", "skipped", "xfailed", "xpassed"):
        for report in terminalreporter.getreports(outcome):
            for name, adapter in report.user_properties if report.when == "call" else ():
                if name == ADAPTER:
                    counts.setdefault(str(adapter), Counter())[outcome] += 1
    if counts:
        terminalreporter.section("conformance, by adapter")
    for adapter, count in sorted(counts.items()):
        told = ", ".join(f"{number} {outcome}" for outcome, number in count.items())
        terminalreporter.write_line(f"{adapter:22} {told}")


@pytest.fixture
def store(home: StoreHome) -> Store:
    return home.store()


@pytest.fixture
def clock(home: StoreHome) -> FixedClock:
    return home.clock


@pytest.fixture(params=_each(BUSES))
async def bus_home(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BusHome]:
    request.node.user_properties.append((ADAPTER, f"bus {request.param}"))
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
