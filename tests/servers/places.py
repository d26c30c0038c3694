"""Where native servers are installed, and where a running one keeps its data."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def home(kind: str) -> Path:
    """Where a kind of server is installed: below WUSHE_SERVERS if given, or build/servers."""
    given = os.environ.get("WUSHE_SERVERS")
    return (Path(given) if given else _installed_below(REPOSITORY)) / kind


def _installed_below(repository: Path) -> Path:
    """build/servers, unless root runs the servers as nobody and this is a folder that nobody can enter."""
    private = any(not folder.stat().st_mode & 0o001 for folder in (repository, *repository.parents))
    if os.geteuid() == 0 and private:
        return Path(tempfile.gettempdir()) / "wushe-servers"
    return repository / "build" / "servers"


def new_place(kind: str) -> Path:
    """A new folder for one server: short enough for the path of a socket, and open to the user it runs as."""
    place = Path(tempfile.mkdtemp(prefix=f"wushe-{kind}-"))
    place.chmod(0o755)
    return place
