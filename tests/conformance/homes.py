"""What the suite asks of an adapter's surroundings: processes come and go, data stays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from shared.embedded.clock import FixedClock
from shared.errors import WusheError
from shared.ports import Bus, Store
from shared.records import Record


class StoreHome(ABC):
    """Where a store lives: its processes come and go, its data stays."""

    def __init__(self, directory: Path, kinds: Sequence[type[Record]]) -> None:
        self.directory = directory
        self.kinds = kinds
        self.clock = FixedClock()

    @abstractmethod
    async def start(self) -> None: ...

    @abstractmethod
    def store(self, service: str = "toys") -> Store:
        """The store of this service in the process that runs now."""

    @abstractmethod
    async def stop(self) -> None:
        """End the process in good order."""

    @abstractmethod
    async def crash(self) -> None:
        """End the process as a kill does: whatever was not durable is lost."""

    async def restarted(self) -> Store:
        await self.stop()
        await self.start()
        return self.store()


class BusHome(ABC):
    """Where a bus lives. `gaps` says what this bus cannot do, why, and how it says so."""

    gaps: ClassVar[Mapping[str, tuple[str, type[WusheError]]]] = {}

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @abstractmethod
    async def start(self) -> Bus: ...

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    async def crash(self) -> None: ...

    async def restarted(self) -> Bus:
        await self.stop()
        return await self.start()
