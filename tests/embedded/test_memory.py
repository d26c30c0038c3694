"""A machine that is short of memory: whoever asks is told so, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

PATIENCE = 60


@pytest.mark.parametrize("commits", ["threaded", "inline"])
async def test_without_memory_every_write_is_an_outage(tmp_path: Path, commits: str) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.embedded.starved", str(tmp_path / "wushe.db"), commits,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE):
            said, _ = await child.communicate()
    except TimeoutError:
        child.kill()
        said, _ = await child.communicate()
    assert said.decode().split()[1:] == ["Outage"] * 2
