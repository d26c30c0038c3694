"""A running system tells Prometheus every figure that an operator is promised, and /readyz what it lacks."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from shared.errors import Outage
from shared.run.unit import BEHIND, UNPUBLISHED_SECONDS
from tests.live.figures import not_told
from tests.run.toy import Toy, toy
from tests.wushe.test_run import a_free_port, running


def test_every_promised_figure_is_told_by_a_running_system(tmp_path: Path) -> None:
    port = a_free_port()
    with running(tmp_path / "data", port):
        until = time.monotonic() + 30
        while (missing := not_told(f"http://127.0.0.1:{port}")) and time.monotonic() < until:
            time.sleep(0.1)
    assert missing == []


def figure(t: Toy, name: str) -> float:
    value = t.metrics.registry.get_sample_value(name, {"service": "toy"})
    assert value is not None
    return value


async def test_without_the_bus_the_lag_is_unknown_and_the_outbox_is_still_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def away() -> float:
        raise Outage("the bus is away")

    async with toy() as t:
        await t.unit.measure()
        assert math.isnan(figure(t, "wushe_lag")), "it has not begun to read"
        await t.reads()
        await t.unit.measure()
        assert (figure(t, "wushe_lag"), figure(t, "wushe_outbox_depth")) == (0, 0)
        monkeypatch.setattr(t.unit.loop, "lag", away)
        await t.unit.measure()
        assert math.isnan(figure(t, "wushe_lag"))
        assert figure(t, "wushe_outbox_age_seconds") == 0


async def test_a_service_far_behind_or_unheard_is_not_ready_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def far() -> float:
        return BEHIND + 1.0

    async def old() -> float:
        return UNPUBLISHED_SECONDS + 1

    async with toy() as t:
        await t.reads()
        await t.unit.measure()
        assert await t.unit.missing() == []
        monkeypatch.setattr(t.unit.loop, "lag", far)
        monkeypatch.setattr(t.store, "outbox_age", old)
        await t.unit.measure()
        assert await t.unit.missing() == [
            "toy: lag: 5001 messages ahead",
            "toy: outbox age: 16 s unpublished",
        ]
