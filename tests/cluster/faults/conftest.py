from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.cluster.asking import is_clean
from tests.cluster.faults.ground import Ground
from tests.cluster.faults.lengths import AT_LENGTH
from tests.cluster.faults.recovery import REPORT, Figures
from tests.cluster.processes import Cluster
from tests.servers.fixtures import kafka_server, mongo_server

TOLD = Figures()


@pytest.fixture(scope="package")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Two instances of each service on servers that may be killed."""
    broker, store = kafka_server(), mongo_server()
    station = f"t{secrets.token_hex(4)}"
    cluster = Cluster.new(
        tmp_path_factory.mktemp("faults"), broker.address, store.address, 2, WUSHE_STATION=station
    )
    try:
        cluster.start()
        yield Ground(cluster, broker, store, TOLD)
        assert is_clean(cluster), "the last word is with the command itself"
    finally:
        cluster.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures of the groups that were run."""
    lines = list(TOLD.lines())
    if lines:
        terminalreporter.section("faults of the cluster" + ("" if AT_LENGTH else " (short)"))
        for line in lines:
            terminalreporter.write_line(line)
        TOLD.write(AT_LENGTH)
        terminalreporter.write_line(f"written to {REPORT.relative_to(REPORT.parents[1])}")
