"""Keys of a cluster: made up on a first start in development, never in production."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from shared.embedded.clock import SystemClock
from shared.run.settings import Settings
from shared.security.access import Principal
from shared.security.passwords import Hasher
from wushe.cluster import link_for
from wushe.commands.run import refuse_what_everybody_knows
from wushe.commands.serve import Door
from wushe.embedded import embedded
from wushe.first import ensure_administrator
from wushe.keys import (
    KeyMissing,
    NoPasswordFile,
    SampleAccounts,
    SampleSecret,
    administrator_password,
    security_for,
)
from wushe.sample.staff import ADMINISTRATOR, PASSWORD, STAFF
from wushe.serving import moving

CLOCK = SystemClock()


def settings(data: Path, **given: Any) -> Settings:
    return Settings(data=data, **given)


async def test_what_the_directory_signs_the_others_can_verify(tmp_path: Path) -> None:
    directory = await security_for("directory", settings(tmp_path), CLOCK)
    needs = await security_for("needs", settings(tmp_path), CLOCK)
    assert directory.mint is not None
    token = directory.mint.sign(Principal("a", (), None, None, CLOCK.now()), "s")
    assert needs.verifier.verify(token).principal.account_id == "a"
    assert needs.mint is None


async def test_a_second_instance_of_the_directory_signs_with_the_same_key(tmp_path: Path) -> None:
    one = await security_for("directory", settings(tmp_path), CLOCK)
    two = await security_for("directory", settings(tmp_path), CLOCK)
    assert one.mint is not None and two.mint is not None
    assert one.mint.secret("x") == two.mint.secret("x")


@pytest.mark.parametrize("service", ["directory", "matching"])
async def test_production_makes_up_no_key(tmp_path: Path, service: str) -> None:
    with pytest.raises(KeyMissing):
        await security_for(service, settings(tmp_path, env="production"), CLOCK)
    absent = {"signing_key_file": tmp_path / "a.pem", "verify_key_file": tmp_path / "b.pem"}
    with pytest.raises(KeyMissing):
        await security_for(service, settings(tmp_path, env="production", **absent), CLOCK)


@pytest.mark.parametrize("service", ["directory", "matching"])
async def test_production_refuses_keys_of_a_sample_town(tmp_path: Path, service: str) -> None:
    await security_for("directory", settings(tmp_path), CLOCK)
    keys = {
        "signing_key_file": tmp_path / "keys" / "signing.pem",
        "verify_key_file": tmp_path / "keys" / "verify.pem",
    }
    with pytest.raises(SampleSecret):
        await security_for(service, settings(tmp_path, env="production", **keys), CLOCK)


def test_production_wants_a_password_that_is_not_the_samples(tmp_path: Path) -> None:
    assert administrator_password(settings(tmp_path)) == PASSWORD
    for nothing in (None, tmp_path / "nothing"):
        with pytest.raises(NoPasswordFile, match="password"):
            administrator_password(settings(tmp_path, env="production", admin_password_file=nothing))
    known = tmp_path / "known"
    known.write_text(f"{PASSWORD}\n")
    with pytest.raises(SampleSecret):
        administrator_password(settings(tmp_path, env="production", admin_password_file=known))


async def test_production_refuses_data_in_which_any_account_of_the_sample_is_left(tmp_path: Path) -> None:
    """As after a restore: who has changed the administrator's password has not changed all the others."""
    async with embedded(tmp_path, hasher=Hasher.cheap()) as system, moving(system):
        await ensure_administrator(system, tmp_path, ADMINISTRATOR, "admin", "a word of our own")
        await refuse_what_everybody_knows(system, tmp_path)
        for login in (STAFF[1].login, "demo-1a2b3c-charity"):
            await ensure_administrator(system, tmp_path, login, "somebody", PASSWORD)
            with pytest.raises(SampleAccounts, match=login):
                await refuse_what_everybody_knows(system, tmp_path)


async def test_a_directory_answers_nobody_before_it_has_looked_at_the_accounts(tmp_path: Path) -> None:
    async with embedded(tmp_path, hasher=Hasher.cheap()) as system, moving(system):
        door = Door(system.api, opened=False)
        transport = httpx2.ASGITransport(app=door)
        async with httpx2.AsyncClient(transport=transport, base_url="http://inside") as http:
            body = {"login": "nobody", "password": PASSWORD}
            early = await http.post("/api/session", json=body)
            assert (early.status_code, int(early.headers["retry-after"]) > 0) == (503, True)
            assert (await http.get("/healthz")).status_code == 200
            door.opened = True
            assert (await http.post("/api/session", json=body)).status_code == 401


def test_there_are_fewer_than_twenty_settings() -> None:
    assert len(Settings.model_fields) < 20


def test_a_station_of_another_name_has_topics_of_its_own(tmp_path: Path) -> None:
    assert link_for(settings(tmp_path)).prefix == ""
    assert link_for(settings(tmp_path, station="second")).prefix == "second."


def test_the_page_for_operators_names_every_setting() -> None:
    page = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"WUSHE_{name.upper()}`" not in page] == []
