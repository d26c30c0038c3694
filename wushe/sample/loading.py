"""Loading the sample town once: what began is finished with the same requests, what is done is left alone."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from wushe.client import Api
from wushe.language import say
from wushe.sample.staff import ADMINISTRATOR
from wushe.sample.stories import play_stories
from wushe.sample.town import Town
from wushe.terminal import console

MARKER = "sample.json"


def begin(data: Path) -> None:
    """This is a new station, which is to have the sample town."""
    data.mkdir(parents=True, exist_ok=True)
    _note(data / MARKER, datetime.now(UTC).replace(microsecond=0), done=False)


def stands(data: Path) -> None:
    """There is nothing more to load."""
    _note(data / MARKER, datetime.now(UTC).replace(microsecond=0), done=True)


async def load_once(api: Api, data: Path) -> None:
    """Load it unless the marker in `data` says that it stands."""
    marker = data / MARKER
    began_at = _began_at(marker)
    if began_at is None:
        return
    with console.status(say("正在准备样例小镇……", "Setting up the sample town …")):
        town = Town(api, began_at)
        await town.sign_in(ADMINISTRATOR)  # what cannot be begun leaves no mark
        _note(marker, began_at, done=False)
        await town.load()
        await play_stories(town)
    _note(marker, began_at, done=True)


def _began_at(marker: Path) -> datetime | None:
    """When this load of the sample began, so that finishing it sends the same; None if it is done."""
    with suppress(FileNotFoundError, ValueError):
        noted = json.loads(marker.read_text(encoding="utf-8"))
        return None if noted["done"] else datetime.fromisoformat(noted["began_at"])
    return datetime.now(UTC).replace(microsecond=0)


def _note(marker: Path, began_at: datetime, *, done: bool) -> None:
    beside = marker.with_suffix(".new")
    beside.write_text(json.dumps({"began_at": began_at.isoformat(), "done": done}), encoding="utf-8")
    beside.replace(marker)
