"""The bus port on Apache Kafka."""

from shared.kafka.bus import KafkaBus
from shared.kafka.link import Link, Patience, flaw_in, is_there
from shared.kafka.publisher import TooLarge

__all__ = ["KafkaBus", "Link", "Patience", "TooLarge", "flaw_in", "is_there"]
