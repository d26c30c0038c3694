"""Where native servers are installed, and where a running one keeps its data."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def home(kind: str) -> Path:
    """Where a kind of server is installed: build/servers, or below WUSHE_SERVERS."""
    return Path(os.environ.get("WUSHE_SERVERS", REPOSITORY / "build" / "servers")) / kind


def new_place(kind: str) -> Path:
    """A new folder for one server: short enough for the path of a socket, and open to the user it runs as."""
    place = Path(tempfile.mkdtemp(prefix=f"wushe-{kind}-"))
    place.chmod(0o755)
    return place
