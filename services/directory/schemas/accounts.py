"""Accounts and sessions over HTTP. Passwords are held so that nothing prints them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, SecretStr

from services.directory.domain.accounts import Account
from services.directory.schemas.places import Id, OrganisationView, SiteView
from shared.contracts.vocabulary import Role
from shared.http import Name, Schema

Roles = Annotated[tuple[Role, ...], Field(min_length=1, max_length=len(Role))]
Password = Annotated[SecretStr, Field(max_length=1000)]
"""Longer than any password there is; without a limit, putting the characters of a long one into one form takes minutes."""
Login = Annotated[str, Field(min_length=1, max_length=60)]


class NewAccount(Schema):
    login: Login
    password: Password
    name: Name
    roles: Roles
    site_id: Id | None = None
    organisation_id: Id | None = None


class AccountEdit(Schema):
    """Only what is sent is changed. An account keeps its login."""

    name: Name = ""
    roles: Roles = ()
    site_id: Id | None = None
    organisation_id: Id | None = None

    def on(self, account: Account) -> Account:
        return account.but(**{name: getattr(self, name) for name in self.model_fields_set})


class AccountView(Schema):
    id: str
    login: str
    name: str
    roles: tuple[Role, ...]
    site_id: str | None
    organisation_id: str | None
    active: bool

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls(
            id=account.id,
            login=account.login,
            name=account.name,
            roles=account.roles,
            site_id=account.site_id,
            organisation_id=account.organisation_id,
            active=account.active,
        )


class NewPassword(Schema):
    """`current` is asked for by whoever changes their own."""

    current: Password | None = None
    new: Password


class SignIn(Schema):
    login: str = Field(max_length=200)
    password: Password


class Refresh(Schema):
    """For programs; a browser sends the cookie instead."""

    refresh_token: SecretStr


class Tokens(Schema):
    """`access_token` goes into `Authorization: Bearer`; `refresh_token` is good once, for the next pair."""

    access_token: str
    token_type: str = "Bearer"
    expires_at: datetime
    refresh_token: str
    account: AccountView


class WhoAmI(Schema):
    """The account behind this session, where it belongs, and what it may do: action → own, organisation, site,
    subtree or any."""

    account: AccountView
    site: SiteView | None
    organisation: OrganisationView | None
    actions: dict[str, str]
