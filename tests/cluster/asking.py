"""How tests ask a cluster: `wushe` commands with its settings, and a patient line for people who register things."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import time
from typing import Any

from tests.cluster.processes import ROOT, Cluster
from tests.live.http import Answer, Line

NEWS = {403, 404, 422}
"""Answers that may only mean that the news of a place has not got about yet."""


def wushe(cluster: Cluster, *command: str) -> subprocess.CompletedProcess[str]:
    """A `wushe` command with the settings of this cluster."""
    return subprocess.run(
        [sys.executable, "-m", "wushe", *command],
        cwd=ROOT, env={**os.environ, **cluster.environment, "WUSHE_LANGUAGE": "en", "LANG": "C.UTF-8"},
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip


def is_clean(cluster: Cluster) -> bool:
    checked = wushe(cluster, "check")
    print(checked.stdout, checked.stderr[-2000:])
    return checked.returncode == 0


class PatientLine(Line):
    """A line of somebody who registers things one after another, and waits for the news of each to get about."""

    async def call(self, token: str | None, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        key = more.pop("key", None) or secrets.token_hex(8)
        end = time.monotonic() + 30
        while True:
            answer = await super().call(token, method, path, body, key=key, **more)
            if answer.status not in NEWS | {503} or time.monotonic() > end:
                return answer
            await asyncio.sleep(0.2)
