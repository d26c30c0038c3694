"""The first administrator: the one account that nobody could open over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import SecretStr

from services.directory.app import directory
from services.directory.domain.accounts import Account, LoginTaken
from services.directory.schemas.accounts import NewAccount
from services.directory.service.accounts import Accounts
from shared.contracts.vocabulary import Role
from shared.run.kit import Kit
from shared.security.passwords import Hasher
from shared.security.tokens import TokenMint, signing_key
from wushe.sample.staff import PASSWORD, STAFF, VOLUNTEER_LOGINS
from wushe.system import System


async def ensure_administrator(system: System, data: Path, login: str, name: str, password: str) -> None:
    """Open this account in the system on this data directory if it is not there; one that is there keeps its password."""
    mint = TokenMint(signing_key(data / "keys" / "signing.pem"))
    await open_first_account(system, mint, login, name, password)


async def sample_accounts(system: System, mint: TokenMint) -> list[str]:
    """The logins of the sample town that still sign in with its password, which everybody knows."""
    known = []
    store = system.units["directory"].adapters.store
    with _accounts(system, mint) as (accounts, hasher):
        for login in (*(row.login for row in STAFF), *VOLUNTEER_LOGINS):
            found = await store.get(Account, await accounts.id_of(login))
            if found is None or not found.record.active:
                continue
            if await hasher.verify(found.record.password_hash, PASSWORD):
                known.append(login)
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
