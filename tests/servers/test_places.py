"""Servers that root starts run as nobody, so they must lie where nobody can reach them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.servers.places import _installed_below

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="others run the servers as themselves, wherever they lie"
)


def test_servers_lie_in_the_build_folder_where_everybody_can_enter() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        assert _installed_below(Path(folder)) == Path(folder) / "build" / "servers"


def test_servers_lie_elsewhere_if_the_checkout_is_private() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o700)
        assert _installed_below(Path(folder)) == Path(tempfile.gettempdir()) / "wushe-servers"
