"""Writing the contracts down, and telling whether what is written has drifted from the code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from shared.contracts import EVENTS, TOPICS, Event
from wushe.contracts.compatible import breaks
from wushe.contracts.examples import example
from wushe.routing import caddyfile

ROOT = Path(__file__).parents[2]
SCHEMAS = Path("shared/contracts/schemas")
EXAMPLES = Path("shared/contracts/examples")
ASYNCAPI = Path("docs/asyncapi.json")
CADDYFILE = Path("deploy/Caddyfile")


class Incompatible(Exception):
    """An event changed in a way that needs a new version."""


def stem(event: type[Event]) -> str:
    return f"{event.name}.v{event.version}"


def written(hears: Mapping[str, Iterable[type[Event]]]) -> dict[Path, str]:
    """Every generated file with its text: schemas, the AsyncAPI document, the edge's table. `hears` says which service hears what."""
    files = {SCHEMAS / f"{stem(e)}.json": _text(_schema(e)) for e in EVENTS}
    files[ASYNCAPI] = _text(_asyncapi(hears))
    files[CADDYFILE] = caddyfile()
    return files


def drift(hears: Mapping[str, Iterable[type[Event]]], root: Path = ROOT) -> list[str]:
    """The files that differ from the code or are missing, with what would break; empty when all is as it should be."""
    found = []
    for path, text in written(hears).items():
        present = (root / path).read_text(encoding="utf-8") if (root / path).exists() else None
        if present is None:
            found.append(f"{path}: missing")
        elif present != text:
            found.append(f"{path}: differs from the code")
    found += [
        f"{EXAMPLES / stem(e)}.json: missing"
        for e in EVENTS
        if not (root / EXAMPLES / f"{stem(e)}.json").exists()
    ]
    return found


def write(hears: Mapping[str, Iterable[type[Event]]], root: Path = ROOT) -> list[Path]:
    """Write what differs; never touch an example that is there. Raises Incompatible before writing anything."""
    files = written(hears)
    for path, text in files.items():
        if path.parent == SCHEMAS and (root / path).exists():
            broken = breaks(json.loads((root / path).read_text(encoding="utf-8")), json.loads(text))
            if broken:
                raise Incompatible(f"{path.stem} needs a new version: {'; '.join(broken)}")
    for event in EVENTS:
        path = EXAMPLES / f"{stem(event)}.json"
        if not (root / path).exists():
            files[path] = _text(json.loads(example(event)))
    changed = [
        p for p, t in files.items() if not (root / p).exists() or (root / p).read_text(encoding="utf-8") != t
    ]
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(files[path], encoding="utf-8")
    return changed


def _schema(event: type[Event]) -> dict[str, Any]:
    schema = event.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:wushe:schema:{event.name}:v{event.version}",
        **schema,
    }


def _asyncapi(hears: Mapping[str, Iterable[type[Event]]]) -> dict[str, Any]:
    operations = {f"{t.service}.says.{t.kind}": _operation("send", t.service, t.name) for t in TOPICS}
    for service, events in hears.items():
        for topic in sorted({e.topic for e in events}):
            operations[f"{service}.hears.{topic.service}.{topic.kind}"] = _operation(
                "receive", service, topic.name
            )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Wushe 五社",
            "version": "1.0.0",
            "description": "The events between the services: CloudEvents 1.0, structured JSON, keyed by subject.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {t.name: _channel(t.name, t.partitions) for t in TOPICS},
        "operations": operations,
        "components": {"messages": {stem(e): _message(e) for e in EVENTS}},
    }


def _operation(action: str, service: str, channel: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "tags": [{"name": service}]}


def _channel(name: str, partitions: int) -> dict[str, Any]:
    events = [e for e in EVENTS if e.topic.name == name]
    return {
        "address": name,
        "messages": {stem(e): {"$ref": f"#/components/messages/{stem(e)}"} for e in events},
        "bindings": {"kafka": {"partitions": partitions, "bindingVersion": "0.5.0"}},
    }


def _message(event: type[Event]) -> dict[str, Any]:
    envelope = {
        "type": "object",
        "required": [
            "specversion",
            "id",
            "source",
            "type",
            "subject",
            "time",
            "partitionkey",
            "sequence",
            "data",
        ],
        "properties": {
            "specversion": {"const": "1.0"},
            "type": {"const": event.type()},
            "source": {"const": f"/wushe/{event.topic.service}"},
            "data": {"$ref": f"../{SCHEMAS}/{stem(event)}.json"},
        },
    }
    summary = (event.__doc__ or event.name).strip().splitlines()[0]
    return {"name": event.type(), "title": event.name, "summary": summary, "payload": envelope}


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
