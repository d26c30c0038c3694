"""One service in this process, on Apache Kafka and MongoDB: the other way to run the same code."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog

from shared.embedded.clock import SystemClock
from shared.embedded.ids import SystemIds
from shared.kafka import KafkaBus, Link
from shared.mongo import Connection, Driver, MongoStore
from shared.ports import Adapters, Clock, Faults, Ids, NoFaults
from shared.run.faults import KillAt
from shared.run.settings import Settings
from wushe.keys import secret_in, security_for
from wushe.system import RECORDS, System

FINISH_SECONDS = 2.0
LEAVE_SECONDS = 4.0

log = structlog.get_logger("cluster")


@asynccontextmanager
async def one_service(name: str, settings: Settings) -> AsyncIterator[System]:
    """The service wired to its servers, which need not be there yet, and not yet moving: run `system.run()` beside it."""
    clock = SystemClock()
    ids = SystemIds(clock)
    security = await security_for(name, settings, clock)
    connection = connection_for(settings, name)
    store = MongoStore(connection, name, RECORDS[name], clock, ids)
    bus = KafkaBus(link_for(settings))
    faults: Faults = KillAt.parse(settings.fault) if settings.fault else NoFaults()
    system = System(
        {name: Adapters(store, bus, clock, ids, faults)},
        security,
        clock=clock,
        ids=ids,
        access_log=settings.log in {"debug", "info"},
    )
    try:
        yield system
    finally:
        await _within(FINISH_SECONDS, store.close(), "the store")
        await _within(LEAVE_SECONDS, bus.close(), "the bus")
        await _within(FINISH_SECONDS, system.close(), "the service")
        await connection.close()


def stores(connection: Connection, clock: Clock, ids: Ids) -> dict[str, MongoStore]:
    """The stores of all services: for `wushe check` and copies, since no service may open another's."""
    return {name: MongoStore(connection, name, kinds, clock, ids) for name, kinds in RECORDS.items()}


def connection_for(settings: Settings, name: str) -> Connection:
    address = settings.mongo
    if settings.mongo_file is not None:
        address = secret_in(settings.mongo_file)
    return Connection(
        address, Driver(settings.mongo_client), prefix=settings.station, name=f"{settings.station}-{name}"
    )


def link_for(settings: Settings) -> Link:
    """How Kafka is reached; the first station on a broker has plain names."""
    prefix = "" if settings.station == "wushe" else f"{settings.station}."
    return Link(settings.kafka, prefix, settings.kafka_copies, security=_security(settings))


def _security(settings: Settings) -> dict[str, Any]:
    """The client's options for TLS and SASL. `cafile` names the certificates to trust, if not the machine's."""
    if settings.kafka_security_file is None:
        return {}
    options: dict[str, Any] = json.loads(settings.kafka_security_file.read_text(encoding="utf-8"))
    cafile = options.pop("cafile", None)
    if "SSL" in str(options.get("security_protocol", "")):
        options["ssl_context"] = ssl.create_default_context(cafile=cafile)
    return options


async def _within(seconds: float, ending: Any, what: str) -> None:
    """An orderly end, but not for ever: what is not finished is found in the store by the next start."""
    try:
        async with asyncio.timeout(seconds):
            await ending
    except TimeoutError:
        log.warning("did not end in time", what=what, seconds=seconds)
