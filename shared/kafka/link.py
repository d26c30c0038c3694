"""How the broker is reached, how long is waited for it, and how its errors are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from shared.caught import Caught
from shared.errors import Outage

T = TypeVar("T")

log = structlog.get_logger("kafka")


@dataclass(frozen=True)
class Patience:
    """Seconds. No call waits longer than the one of these that fits it."""

    answer: float = 5.0
    publish: float = 12.0
    join: float = 20.0
    leave: float = 3.0
    look: float = 2.0
    """How often an idle reader makes sure that the broker is there and that nothing waits for it."""
    stuck: float = 20.0
    """After how long a reader that gets nothing, though there is something, is built anew."""
    drain: float = 4.0
    """How long a partition that is taken away waits for the batch under way; shorter than `rebalance`."""
    rebalance: float = 10.0
    session: float = 10.0
    heartbeat: float = 1.0


@dataclass(frozen=True)
class Link:
    """`addresses` as in "one:9092,two:9092". `prefix` keeps several stations, or tests, on one broker apart: it stands
    before every topic and group. `replication` counts the copies of new topics. `security` is handed to the client as it is."""

    addresses: str
    prefix: str = ""
    replication: int = 1
    patience: Patience = field(default_factory=Patience)
    security: Mapping[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """What every client is given. The broker gets as long to answer as a rebalance may take it."""
        milliseconds = int((self.patience.rebalance + 5) * 1000)
        return {"bootstrap_servers": self.addresses, "request_timeout_ms": milliseconds, **self.security}


def flaw_in(link: Link) -> str | None:
    """What no client can make sense of in these addresses and this security; None if nothing. Connects to nothing."""
    loop = asyncio.new_event_loop()
    try:
        tuple(AIOKafkaClient(loop=loop, **link.options).hosts)
    except (TypeError, ValueError) as e:
        return str(e)
    finally:
        loop.close()
    return None


async def is_there(link: Link) -> bool:
    """Whether anything listens at one of these addresses. A client that finds nothing there tries for long, and says so often."""
    for host, port, _ in AIOKafkaClient(**link.options).hosts:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(link.patience.answer):
                _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return True
    return False


class Spent(Outage):
    """A client has failed in a way that it has no word for, and may be of no more use."""


async def answered(call: Awaitable[T], seconds: float, what: str) -> T:
    """The answer of the broker. Raises Outage if there is none in time, or it is an error; Spent if it is none of Kafka's:
    the client does not expect, for one, what uvloop raises of a connection that has just gone."""
    caught = Caught()
    with caught:
        async with asyncio.timeout(seconds):
            return await call
    match caught.error:
        case TimeoutError():
            raise Outage(f"Kafka: no answer in {seconds:g} s ({what})") from caught.error
        case KafkaError() | OSError():
            raise Outage(f"Kafka: {type(caught.error).__name__} ({what})") from caught.error
    raise Spent(f"Kafka: the client broke: {type(caught.error).__name__} ({what})") from caught.error


async def started(client: Any, seconds: float, leave: float, what: str) -> None:
    """Start a client; one that did not get so far, for whatever reason, is let go of again. Raises Outage."""
    begun = False
    try:
        await answered(client.start(), seconds, what)
        begun = True
    finally:
        if not begun:
            await let_go(client, leave)


async def let_go(client: Any, seconds: float) -> None:
    """Stop a client of whatever kind. If it will not stop in time, cut it off: a stuck one never ends by itself."""
    stopping = asyncio.ensure_future(client.stop() if hasattr(client, "stop") else client.close())
    done, _ = await asyncio.wait((stopping,), timeout=seconds)
    if not done or stopping.cancelled() or stopping.exception() is not None:
        stopping.cancel()
        await cut_off(client, seconds)
        await asyncio.gather(stopping, return_exceptions=True)


async def cut_off(client: Any, seconds: float) -> None:
    """End a client without asking it to finish what it has begun.

    This is the only place that knows of parts that aiokafka keeps to itself; it has no other way to do this.
    """
    log.warning("a client was cut off", client=type(client).__name__)
    client._closed = True
    parts = (
        getattr(client, name, None) for name in ("_sender", "_coordinator", "_fetcher", "_client", "client")
    )
    ends = [asyncio.ensure_future(part.close()) for part in parts if part is not None]
    await asyncio.wait(ends, timeout=seconds)
    for end in ends:
        end.cancel()
    await asyncio.gather(*ends, return_exceptions=True)
