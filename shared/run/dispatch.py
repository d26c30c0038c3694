"""Giving one delivery to the methods of a handler table, with retries in place and reasons for a dead letter."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import structlog

from shared.bookkeeping import LARGEST_MESSAGE
from shared.contracts import REGISTRY, Message, Topic
from shared.contracts.envelope import type_of
from shared.errors import Illegible, Outage, Refusal, TooNew, TooOld, Unreadable
from shared.ports import Adapters, Delivery
from shared.run.dead_letters import LetterStatus
from shared.run.kit import Handler
from shared.run.metrics import Metrics

ATTEMPTS = 5
FIRST_PAUSE = 0.05

log = structlog.get_logger("loop")


class Failure(Exception):
    """A message that was not applied, for a reason that goes on its dead letter."""

    def __init__(self, reason: str, detail: str, status: LetterStatus, attempts: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.status = status
        self.attempts = attempts


class Dispatcher:
    """Gives one delivery to the methods of a handler table, however the delivery came."""

    def __init__(
        self, service: str, handlers: Sequence[Handler[Any]], adapters: Adapters, metrics: Metrics
    ) -> None:
        self.service = service
        self.topics: tuple[Topic, ...] = tuple(sorted({h.event.topic for h in handlers}))
        self._rows: dict[str, list[Handler[Any]]] = {}
        for handler in handlers:
            self._rows.setdefault(f"cn.wushe.{handler.event.name}", []).append(handler)
        self._heard: dict[str, bool] = {}
        self._adapters = adapters
        self._metrics = metrics
        self._applied = metrics.applied.labels(service)
        self._handling = metrics.handling.labels(service)

    def hears(self, delivery: Delivery) -> bool:
        """False only if it is surely an event of ours that nobody here hears."""
        type_ = type_of(delivery.value)
        heard = self._heard.get(type_)
        if heard is None:
            heard = not type_.startswith("cn.wushe.") or type_.rpartition(".v")[0] in self._rows
            if type_ in REGISTRY.by_type:
                self._heard[type_] = heard
        return heard

    def read(self, delivery: Delivery) -> Message | None:
        """The message, or None if nobody here hears its type. Raises Unreadable or TooNew."""
        if not self.hears(delivery):
            return None
        if len(delivery.value) > LARGEST_MESSAGE:
            raise Unreadable("it is larger than any event of ours")
        message = REGISTRY.decode(delivery.value)
        if delivery.key != message.subject or delivery.position.topic != message.data.topic.name:
            raise Unreadable("it lies under the wrong key or in the wrong topic")
        return message

    async def apply(self, delivery: Delivery) -> None:
        """Let the service decide about it. Raises Failure for a dead letter, Outage when it is not the message's
        fault."""
        started = time.perf_counter()
        try:
            message = self.read(delivery)
        except Unreadable as e:
            raise Failure("unreadable", e.reason, LetterStatus.ASIDE) from e
        except TooNew as e:
            raise Failure("too-new", str(e), LetterStatus.PARKED) from e
        if message is None:
            return
        for handler in self._rows[f"cn.wushe.{message.data.name}"]:
            await self.attempt(handler, message)
        self._applied.inc()
        self._handling.observe(time.perf_counter() - started)

    async def attempt(self, handler: Handler[Any], message: Message) -> None:
        """Have one method handle the message, again and again if need be. Raises Failure or Outage."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await handler.method(message.data, message)
            except Refusal as refusal:
                self._metrics.refused.labels(self.service).inc()
                log.info("refused", service=self.service, type=message.type, id=message.id, code=refusal.code)
                return None
            except Outage:
                raise
            except TooOld as e:
                raise Failure(
                    "too-old", "older than the watermarks still kept", LetterStatus.ASIDE, attempt
                ) from e
            except Exception as fault:  # the one broad except: whatever a handler does, the rest flows on
                self._metrics.retried.labels(self.service).inc()
                log.warning(
                    "fault",
                    service=self.service,
                    type=message.type,
                    id=message.id,
                    error=_where(fault) if isinstance(fault, Illegible) else type(fault).__name__,
                )
                if attempt == ATTEMPTS:
                    raise Failure("fault", _where(fault), LetterStatus.PARKED, attempt) from fault
                await self._adapters.clock.sleep(
                    FIRST_PAUSE * 2**attempt * (0.5 + self._adapters.ids.random())
                )
        return None


def _where(fault: Exception) -> str:
    """The kind of fault and the line it came from; never its text, which may quote a person's data."""
    if isinstance(fault, Illegible):
        return str(fault)
    trace = fault.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "?"
    return f"{type(fault).__name__} in {place}"
