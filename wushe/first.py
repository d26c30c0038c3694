"""The first administrator: the one account that nobody could open over HTTP."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from services.directory.app import directory
from services.directory.domain.accounts import Account, LoginTaken
from services.directory.schemas.accounts import NewAccount
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
    logins = [row.login for row in STAFF] + list(VOLUNTEER_LOGINS)
    return [login for login in logins if await signs_in_with(system, mint, login, PASSWORD)]


async def signs_in_with(system: System, mint: TokenMint, login: str, password: str) -> bool:
    """Whether the account with this login is there and has this password."""
    hasher = Hasher()
    own = system.units["directory"].adapters
    kit = Kit(own.store, system.clock, own.ids, system.atlas)
    try:
        id = await directory(kit, mint=mint, hasher=hasher).accounts.id_of(login)
        found = await own.store.get(Account, id)
        return (
            found is not None
            and found.record.active
            and await hasher.verify(found.record.password_hash, password)
        )
    finally:
        hasher.close()


async def open_first_account(system: System, mint: TokenMint, login: str, name: str, password: str) -> None:
    """The same, in a system that signs with this key."""
    hasher = Hasher()
    own = system.units["directory"].adapters
    kit = Kit(own.store, system.clock, own.ids, system.atlas)
    new = NewAccount(login=login, name=name, password=SecretStr(password), roles=(Role.ADMINISTRATOR,))
    try:
        with suppress(LoginTaken):  # by another instance, in this very moment
            await directory(kit, mint=mint, hasher=hasher).accounts.ensure(new)
    finally:
        hasher.close()
