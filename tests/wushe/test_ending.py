"""A service that is asked to stop is gone soon, even when something in it does not want to end."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from structlog.testing import capture_logs

from wushe.commands.serve import ASKED_AT_MOST, end


async def takes_it_for_its_own(times: int) -> None:
    """Like a driver that swallows so many cancellations."""
    while times >= 0:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            times -= 1


async def test_who_does_not_hear_a_cancellation_is_told_again() -> None:
    task = asyncio.create_task(takes_it_for_its_own(ASKED_AT_MOST - 2))
    await asyncio.sleep(0)
    with capture_logs():
        await end(task)
    assert task.done()


async def test_who_never_hears_it_holds_up_nobody_and_is_named() -> None:
    task = asyncio.create_task(takes_it_for_its_own(ASKED_AT_MOST), name="deaf")
    await asyncio.sleep(0)
    with capture_logs() as logs:
        await end(task)
    assert not task.done()
    assert [entry["tasks"] for entry in logs] == [["deaf"]] * ASKED_AT_MOST
    await end(task)


def test_a_process_that_nothing_ends_is_cut_off() -> None:
    waits = "from wushe.commands.serve import cut_off_after; import time; cut_off_after(0.1); time.sleep(600)"
    assert subprocess.run([sys.executable, "-c", waits], timeout=60, check=False).returncode == 1
