"""Every setting there is: read once, from the environment, and passed on as values.

Addresses and limits are settings; names of things are not. Secrets come by file path.
"""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.run.faults import ALL_POINTS, KillAt


def _named(path: Any) -> Any:
    """An empty path would be the working directory, which no other command takes for it."""
    if path == "":
        raise PydanticCustomError("string_too_short", "empty", {"min_length": 1})
    return path


def _point(fault: str) -> str:
    """A named point, and at which pass."""
    try:
        if fault:
            KillAt.parse(fault)
    except ValueError as e:
        raise PydanticCustomError("fault_point", "no point", {"points": ", ".join(ALL_POINTS)}) from e
    return fault


def _proxies(trusted: str) -> str:
    """Addresses and networks, or `*` alone; what is none would be compared with addresses, and never be the same."""
    if (trusted := trusted.strip()) == "*":
        return trusted
    for one in filter(None, map(str.strip, trusted.split(","))):
        try:
            ip_network(one)
        except ValueError as e:
            raise PydanticCustomError("addresses", "no addresses") from e
    return trusted


class Settings(BaseSettings):
    """Settings with the prefix `WUSHE_`."""

    model_config = SettingsConfigDict(env_prefix="WUSHE_", extra="ignore")

    env: Literal["development", "production"] = Field(
        "development", description="production refuses sample accounts and generated keys"
    )
    data: Annotated[Path, BeforeValidator(_named)] = Field(
        Path("data"), description="the data directory of the embedded store"
    )
    host: str = Field("127.0.0.1", description="the address to listen on", min_length=1)
    port: int = Field(8000, description="the port to listen on", ge=0, le=65535)
    language: str | None = Field(None, description="the language of the command line; by LANG if unset")
    log: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="the least that is logged"
    )
    signing_key_file: Path | None = Field(
        None, description="the Ed25519 private key (PEM) of the directory service"
    )
    verify_key_file: Path | None = Field(
        None, description="the matching public key (PEM) of every other service"
    )
    admin_password_file: Path | None = Field(None, description="the first administrator's password")
    sample: bool = Field(True, description="load the sample town on first start (embedded)")
    kafka: str = Field("127.0.0.1:9092", description="the Kafka brokers, as in one:9092,two:9092 (cluster)")
    kafka_security_file: Path | None = Field(
        None, description="a JSON file of what the Kafka client needs to sign in, such as security_protocol"
    )
    kafka_copies: int = Field(1, description="how many brokers keep each new topic", ge=1)
    mongo: str = Field("mongodb://127.0.0.1:27017/", description="the address of MongoDB (cluster)")
    mongo_file: Path | None = Field(None, description="a file with that address, if it holds a password")
    mongo_client: Literal["pymongo", "motor"] = Field("pymongo", description="the driver that speaks to it")
    station: str = Field(
        "wushe",
        description="keeps several stations on one MongoDB and Kafka apart",
        pattern=r"^[a-z0-9]{1,20}$",
    )
    edge_trusts: Annotated[str, AfterValidator(_proxies)] = Field(
        "",
        description="proxies in front of `wushe edge`, as in 127.0.0.1,10.0.0.7: who asked is what they say",
    )
    fault: Annotated[str, AfterValidator(_point)] = Field(
        "", description="tests only: POINT:N stops the process dead at the Nth pass of a named point"
    )
