"""What can be said of the containers without an engine: `make compose-check` runs them where there is one."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import bson
import pytest
import yaml

from shared.run.settings import Settings
from tests.servers.containers import KAFKA_IMAGE, MONGO_IMAGE
from wushe.routing import caddyfile, services

ROOT = Path(__file__).parents[2]
SERVERS = ("kafka", "mongo")
LASTING = (*services(), *SERVERS, "edge")
OF_COMPOSE_ALONE = {"WUSHE_BASE_IMAGE", "WUSHE_ORIGIN", "WUSHE_SECRETS"}


class _Loader(yaml.SafeLoader):
    """Reads Compose's own tags, such as `!override`, as if they were not there."""


_Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_sequence(node))


def read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((ROOT / name).read_text(encoding="utf-8"), Loader=_Loader)
    return loaded


STATION = read("docker-compose.yml")
PRODUCTION = read("deploy/compose.tls.yml")
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")


def container(name: str) -> dict[str, Any]:
    found: dict[str, Any] = STATION["services"][name]
    return found


def test_every_service_is_there_and_nothing_besides_but_what_they_stand_on() -> None:
    assert set(STATION["services"]) == {*LASTING, "sample"}
    assert all(container(name)["command"] == ["serve", name] for name in services())


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_begins_again_by_itself_within_a_limit_and_fills_no_disk(name: str) -> None:
    it = container(name)
    assert it["restart"] == "unless-stopped"
    assert it["mem_limit"]
    assert it["logging"]["options"]["max-size"]
    assert "no-new-privileges:true" in it["security_opt"]


@pytest.mark.parametrize("name", [*services(), "sample"])
def test_a_service_runs_as_nobody_in_particular_and_writes_only_to_its_volumes(name: str) -> None:
    it = container(name)
    assert it["user"] == "10001:10001"
    assert it["read_only"] is True
    assert it["cap_drop"] == ["ALL"]
    assert "ports" not in it, "only the edge is reached from outside"


@pytest.mark.parametrize("name", services())
def test_a_service_starts_once_it_can_be_served_and_its_image_knows_how_it_is(name: str) -> None:
    waits = container(name)["depends_on"]
    assert all(waits[server] == {"condition": "service_healthy"} for server in SERVERS)
    assert "healthcheck" not in container(name) and "\nHEALTHCHECK " in DOCKERFILE


@pytest.mark.parametrize("name", [*SERVERS, "edge"])
def test_broker_store_and_edge_are_asked_how_they_are(name: str) -> None:
    assert container(name)["healthcheck"]["test"][0] == "CMD"


def test_broker_and_store_are_asked_in_their_own_protocols() -> None:
    """Which versions do you speak, and `ping`: a client's own bytes, since a client in Java or Node costs more than they."""
    versions = struct.pack(">ihhih", 10, 18, 0, 1, -1)
    ping = bson.encode({"ping": 1, "$db": "admin"})
    assert said_by_the_probe("kafka") == versions
    assert said_by_the_probe("mongo") == struct.pack("<iiiiib", 21 + len(ping), 1, 0, 2013, 0, 0) + ping


def said_by_the_probe(name: str) -> bytes:
    """What the health check writes, as the shell understands it: `$$` is how Compose spells a dollar sign."""
    (written,) = re.findall(r"printf '([^']*)'", container(name)["healthcheck"]["test"][-1])
    octal = re.sub(r"\\([0-7]{1,3})", lambda found: chr(int(found[1], 8)), written.replace("$$", "$"))
    return octal.encode("latin-1")


def test_only_the_edge_has_a_way_out_and_a_door() -> None:
    assert STATION["networks"]["inside"] == {"internal": True}
    assert {name for name in STATION["services"] if "outside" in container(name)["networks"]} == {"edge"}
    assert {name for name in STATION["services"] if "ports" in container(name)} == {"edge"}


def test_what_must_not_be_lost_lies_in_named_volumes() -> None:
    mounted = [v.split(":") for name in STATION["services"] for v in container(name).get("volumes", ())]
    named = {volume for volume, *_ in mounted if not volume.startswith(".")}
    assert named == set(STATION["volumes"])
    assert ["kafka", container("kafka")["environment"]["KAFKA_LOG_DIRS"]] in mounted
    assert ["mongo", "/data/db"] in mounted
    assert ["keys", "/keys"] in mounted and sum(volume == "keys" for volume, *_ in mounted) == 1, (
        "the signing key is the directory's alone"
    )


def test_no_secret_is_written_down() -> None:
    for document in (STATION, PRODUCTION):
        for name, it in document["services"].items():
            for key, value in it.get("environment", {}).items():
                secret = re.search("PASSWORD|SECRET|TOKEN|(?<!CLUSTER_)KEY", key)
                assert not secret or key.endswith("_FILE"), f"{name} is given {key}={value}"


def test_production_is_given_keys_and_a_password_of_its_own() -> None:
    given = {name: PRODUCTION["services"][name]["environment"] for name in (*services(), "sample")}
    assert all(settings["WUSHE_ENV"] == "production" for settings in given.values())
    for name in services():
        files = {v.removeprefix("/run/secrets/") for k, v in given[name].items() if k.endswith("_FILE")}
        held = set(PRODUCTION["services"][name]["secrets"])
        assert held <= files and held <= set(PRODUCTION["secrets"])
        assert ("signing.pem" in held) == (name == "directory")


def test_every_setting_that_is_given_is_one() -> None:
    known = {f"WUSHE_{name.upper()}" for name in Settings.model_fields} | OF_COMPOSE_ALONE
    for name in ("docker-compose.yml", "deploy/compose.tls.yml", "deploy/Dockerfile"):
        given = set(re.findall(r"WUSHE_[A-Z_]+", (ROOT / name).read_text(encoding="utf-8")))
        assert given <= known, f"{name} speaks of {sorted(given - known)}"


def test_the_tests_run_on_the_same_servers() -> None:
    assert container("kafka")["image"] == KAFKA_IMAGE
    assert container("mongo")["image"] == MONGO_IMAGE


def test_the_image_is_built_from_anywhere() -> None:
    """No frontend that must be fetched, no index, no registry: these come from outside, as build arguments."""
    assert "# syntax=" not in DOCKERFILE
    assert not re.search(r"https?://", DOCKERFILE)
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert bases == ["${BASE}", "${BASE}"], "what builds is not what is shipped"
    images = [it["image"] for it in STATION["services"].values()]
    assert not [image for image in images if "." in image.split("/")[0].split(":")[0]], "no registry's host"


def test_the_image_is_of_nobody_in_particular_and_holds_what_the_locks_say() -> None:
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.M) == ["10001:10001"]
    assert "--require-hashes" in DOCKERFILE


def test_nothing_gets_into_the_image_by_chance() -> None:
    first, *let_in = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert first == "*"
    copied = re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.M)
    assert {line.removeprefix("!") for line in let_in if line.startswith("!")} == set(copied)


def test_the_edge_follows_the_table() -> None:
    assert (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8") == caddyfile()
    assert str(container("edge")["healthcheck"]["test"][-1]).endswith(":8081/")
    assert "http://:8081 {" in caddyfile()
