"""Which servers the tests get. They ask here and know nothing of where a server comes from.

1. the addresses in WUSHE_TEST_KAFKA and WUSHE_TEST_MONGO, if given: these are never killed;
2. containers, if a Docker engine answers;
3. native processes, if `tests/servers/install` has been run.

Without any, a test is skipped with the reason, or fails if WUSHE_REQUIRE_SERVERS is 1.
"""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, Protocol

import pytest

from tests.servers.containers import ContainedKafka, ContainedMongo, docker_answers
from tests.servers.native import kafka, mongo_install
from tests.servers.native.kafka import NativeKafka
from tests.servers.native.mongo import NativeMongo
from tests.servers.places import home, new_place


class Server(Protocol):
    """A server that can be made to fail. After `kill`, `start` brings it back on the same data and port."""

    @property
    def address(self) -> str: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...
    def kill_inner(self) -> None:
        """Kill only the part that keeps the data, where there is one; else all of it."""


class Given:
    """A server that somebody else runs, and that is left alone."""

    def __init__(self, address: str) -> None:
        self.address = address

    def start(self) -> None: ...
    def stop(self) -> None: ...

    def kill(self) -> NoReturn:
        pytest.skip("this server was given by its address, and is not ours to kill")

    kill_inner = freeze = thaw = kill


_running: dict[str, Server] = {}


def kafka_server() -> Server:
    """The Kafka broker of this test run."""
    return _server("kafka", "WUSHE_TEST_KAFKA", ContainedKafka, _native_kafka)


def mongo_server() -> Server:
    """The MongoDB, or compatible server, of this test run."""
    return _server("mongo", "WUSHE_TEST_MONGO", ContainedMongo, _native_mongo)


def _server(
    kind: str, variable: str, contained: Callable[[], Server], native: Callable[[], Server | None]
) -> Server:
    if kind not in _running:
        found = _choose(variable, contained, native)
        if found is None:
            reason = f"no {kind}: set {variable}, start Docker, or run tests/servers/install"
            (pytest.fail if os.environ.get("WUSHE_REQUIRE_SERVERS") == "1" else pytest.skip)(reason)
        found.start()
        _running[kind] = found
    return _running[kind]


def _choose(
    variable: str, contained: Callable[[], Server], native: Callable[[], Server | None]
) -> Server | None:
    if address := os.environ.get(variable):
        return Given(address)
    return contained() if docker_answers() else native()


def _native_kafka() -> Server | None:
    return NativeKafka(home("kafka"), new_place("kafka")) if kafka.installed(home("kafka")) else None


def _native_mongo() -> Server | None:
    return NativeMongo(home("mongo"), new_place("mongo")) if mongo_install.installed(home("mongo")) else None


def where() -> Mapping[str, str]:
    """The kind and the source of each server that was used."""
    return {kind: type(server).__name__ for kind, server in _running.items()}


@atexit.register
def stop_all() -> None:
    """Stop what was started here, and remove its data."""
    while _running:
        _, server = _running.popitem()
        server.stop()
        place = getattr(server, "place", None)
        if isinstance(place, Path):
            shutil.rmtree(place, ignore_errors=True)
