"""The first administrator: the one account that nobody could open over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from services.directory.app import directory
from services.directory.domain.accounts import Account, LoginTaken
from services.directory.schemas.accounts import NewAccount
from services.directory.service.accounts import Accounts
from shared.contracts.vocabulary import Role
from shared.ports import Query
from shared.run.kit import Kit
from shared.security.passwords import Hasher
from shared.security.tokens import TokenMint, signing_key
from wushe.sample.staff import PASSWORD, STAFF, VOLUNTEER_LOGINS
from wushe.system import System

PAGE = 200
DEMO = "demo-"
"""With what the logins begin that a story told to a running system has opened."""


async def ensure_administrator(system: System, data: Path, login: str, name: str, password: str) -> None:
    """Open this account in the system on this data directory if it is not there; one that is there keeps its password."""
    mint = TokenMint(signing_key(data / "keys" / "signing.pem"))
    await open_first_account(system, mint, login, name, password)


async def sample_accounts(system: System, mint: TokenMint) -> list[str]:
    """The logins of the sample town, and of stories told to it, that still sign in with its password, which everybody
    knows."""
    known, query = [], Query(limit=PAGE)
    store = system.units["directory"].adapters.store
    ours = {*(row.login for row in STAFF), *VOLUNTEER_LOGINS}
    with _accounts(system, mint) as (_, hasher):
        while page := await store.find(Account, query):
            for account in (found.record for found in page):
                is_ours = account.login in ours or account.login.startswith(DEMO)
                if account.active and is_ours and await hasher.verify(account.password_hash, PASSWORD):
                    known.append(account.login)
            query = replace(query, after=query.cursor(page[-1].record))
    return known


async def open_first_account(system: System, mint: TokenMint, login: str, name: str, password: str) -> None:
    """The same, in a system that signs with this key."""
    new = NewAccount(login=login, name=name, password=SecretStr(password), roles=(Role.ADMINISTRATOR,))
    with (
        _accounts(system, mint) as (accounts, _),
        suppress(LoginTaken),
    ):  # by another instance, in this very moment
        await accounts.ensure(new)


@contextmanager
def _accounts(system: System, mint: TokenMint) -> Iterator[tuple[Accounts, Hasher]]:
    """The accounts of this system, and what looks at their passwords."""
    hasher, own = Hasher(), system.units["directory"].adapters
    kit = Kit(own.store, system.clock, own.ids, system.atlas)
    try:
        yield directory(kit, mint=mint, hasher=hasher).accounts, hasher
    finally:
        hasher.close()
