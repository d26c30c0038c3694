"""One service in this process, on Apache Kafka and MongoDB: the other way to run the same code."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError

from shared.embedded.clock import SystemClock
from shared.embedded.ids import SystemIds
from shared.errors import WusheError
from shared.kafka import KafkaBus, Link, flaw_in, is_there
from shared.mongo import Connection, Driver, MongoStore, NoAddress
from shared.ports import Adapters, Clock, Faults, Ids, NoFaults
from shared.run.faults import KillAt
from shared.run.settings import Settings
from wushe.keys import secret_in, security_for
from wushe.language import say
from wushe.system import RECORDS, System

FINISH_SECONDS = 2.0
LEAVE_SECONDS = 4.0

log = structlog.get_logger("cluster")


class Unusable(WusheError):
    """What a setting says of a server is nothing that a client could go by."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(
            say(
                "设置 {setting} 无法使用：{reason}",
                "the setting {setting} cannot be used: {reason}",
                setting=setting,
                reason=reason,
            )
        )


class NoKafka(WusheError):
    """Nothing listens where Kafka should."""

    def __init__(self, addresses: str) -> None:
        super().__init__(
            say(
                "{a} 上没有 Kafka 应答：它在运行吗？地址用 --kafka 或 WUSHE_KAFKA 指明",
                "no Kafka answers at {a}: is it running? Its address is given with --kafka or WUSHE_KAFKA",
                a=addresses,
            )
        )


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
    """How MongoDB is reached. Raises Unusable."""
    file = settings.mongo_file
    address, driver = settings.mongo if file is None else secret_in(file), Driver(settings.mongo_client)
    try:
        return Connection(address, driver, prefix=settings.station, name=f"{settings.station}-{name}")
    except NoAddress as e:
        raise Unusable("WUSHE_MONGO" if file is None else "WUSHE_MONGO_FILE", str(e)) from e


async def require_kafka(link: Link) -> None:
    """For commands, which somebody waits for. Raises NoKafka."""
    if not await is_there(link):
        raise NoKafka(link.addresses)


def link_for(settings: Settings) -> Link:
    """How Kafka is reached; the first station on a broker has plain names. Raises Unusable."""
    prefix = "" if settings.station == "wushe" else f"{settings.station}."
    plain = Link(settings.kafka, prefix, settings.kafka_copies)
    if flaw := flaw_in(plain):
        raise Unusable("WUSHE_KAFKA", flaw)
    link = replace(plain, security=_security(settings.kafka_security_file))
    if flaw := flaw_in(link):
        raise Unusable("WUSHE_KAFKA_SECURITY_FILE", flaw)
    return link


def _security(file: Path | None) -> dict[str, Any]:
    """The client's options for TLS and SASL. `cafile` names the certificates to trust, if not the machine's."""
    if file is None:
        return {}
    try:
        options: dict[str, Any] = TypeAdapter(dict[str, str]).validate_json(file.read_bytes())
    except ValidationError as e:
        wrong = ", ".join(
            sorted({str(f["loc"][0]) if f["loc"] else "JSON" for f in e.errors(include_input=False)})
        )
        raise Unusable("WUSHE_KAFKA_SECURITY_FILE", f"{file}: {wrong}") from e
    cafile = options.pop("cafile", None)
    if "SSL" in options.get("security_protocol", ""):
        try:
            options["ssl_context"] = ssl.create_default_context(cafile=cafile)
        except OSError as e:
            raise Unusable("WUSHE_KAFKA_SECURITY_FILE", f"cafile {cafile}: {e.strerror or e}") from e
    return options


async def _within(seconds: float, ending: Any, what: str) -> None:
    """An orderly end, but not for ever: what is not finished is found in the store by the next start."""
    try:
        async with asyncio.timeout(seconds):
            await ending
    except TimeoutError:
        log.warning("did not end in time", what=what, seconds=seconds)
