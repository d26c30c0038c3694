"""The language between services: one class per event and version, one table of topics, the envelope."""

from shared.contracts.base import Event, Message, Part, Topic
from shared.contracts.catalogue import EVENTS, REGISTRY
from shared.contracts.envelope import Registry, encode
from shared.contracts.topics import TOPICS

__all__ = ["EVENTS", "REGISTRY", "TOPICS", "Event", "Message", "Part", "Registry", "Topic", "encode"]
