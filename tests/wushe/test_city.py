"""The large invented city of `wushe sample`, made through the HTTP interface of a real system."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.security.passwords import Hasher
from wushe.client import Api, Refused
from wushe.commands.sample import Making
from wushe.embedded import embedded
from wushe.first import ensure_administrator
from wushe.sample.staff import ADMINISTRATOR, PASSWORD
from wushe.serving import moving
from wushe.terminal import progress


async def test_a_city_can_be_made_twice_and_nobody_knows_the_passwords_of_its_accounts(
    tmp_path: Path,
) -> None:
    async with embedded(tmp_path, hasher=Hasher.cheap()) as system, moving(system):
        await ensure_administrator(system, tmp_path, ADMINISTRATOR, "admin", PASSWORD)
        api = Api.inside(system.api)
        admin = await api.sign_in(ADMINISTRATOR, PASSWORD)
        with progress() as bar:
            for _ in range(2):
                assert await Making(admin, 3, bar).all(people=20, lots=5, needs=4) == 0
        opened = [account["login"] async for account in admin.every("/api/accounts")]
        made = [login for login in opened if login.startswith("load-3-")]
        assert len(made) == 4
        for login in made:
            with pytest.raises(Refused):
                await api.sign_in(login, PASSWORD)
        await api.close()
