"""The one table of topics. Topics are created from it, never by a broker by itself."""

from __future__ import annotations

from shared.contracts.base import Topic

AREA = Topic("directory", "area", partitions=1)
SITE = Topic("directory", "site", partitions=1)
ORGANISATION = Topic("directory", "organisation", partitions=1)
ACCOUNT = Topic("directory", "account", partitions=1)

HOUSEHOLD = Topic("needs", "household")
LEAD = Topic("needs", "lead")
NEED = Topic("needs", "need")

VOLUNTEER = Topic("volunteers", "volunteer")
TEAM = Topic("volunteers", "team")
CALENDAR = Topic("volunteers", "calendar")
ASKING = Topic("volunteers", "asking")
SERVICE_RECORD = Topic("volunteers", "service_record")

LOT = Topic("resources", "lot")

MATCH = Topic("matching", "match")

TOPICS: tuple[Topic, ...] = (
    AREA, SITE, ORGANISATION, ACCOUNT,
    HOUSEHOLD, LEAD, NEED,
    VOLUNTEER, TEAM, CALENDAR, ASKING, SERVICE_RECORD,
    LOT,
    MATCH,
)  # fmt: skip
