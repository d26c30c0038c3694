"""One machine needs no driver of Kafka or MongoDB: nothing that it runs may so much as import one."""

from __future__ import annotations

import subprocess
import sys

import pytest

DRIVERS = ("aiokafka", "pymongo", "bson", "motor")
COMMANDS = ("backup", "check", "contracts", "demo", "letters", "load", "run", "sample")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_one_machine_starts_without_the_drivers(command: str) -> None:
    missing = f"import sys; sys.modules.update(dict.fromkeys({DRIVERS!r}))"
    found = subprocess.run(
        [sys.executable, "-c", f"{missing}; import wushe.cli, wushe.commands.{command}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == 0, found.stderr
