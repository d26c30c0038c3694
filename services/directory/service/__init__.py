"""What can be asked of the directory."""

from __future__ import annotations

from dataclasses import dataclass

from services.directory.service.accounts import Accounts
from services.directory.service.organisations import Organisations
from services.directory.service.places import Places
from services.directory.service.sessions import Sessions

__all__ = ["Accounts", "Directory", "Organisations", "Places", "Sessions"]


@dataclass(frozen=True)
class Directory:
    """The whole service: places and organisations, the accounts that belong to them, their sessions."""

    places: Places
    organisations: Organisations
    accounts: Accounts
    sessions: Sessions
