"""A match that cannot be planned for yet waits, and is not woken again and again meanwhile."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from services.matching.domain.opening import open_search
from services.matching.domain.scene import Scene, Station, Tier
from services.matching.domain.searching import postpone
from shared.contracts.parts import SitePolicy
from shared.contracts.vocabulary import SiteKind
from tests.services.matching_desk import a_line, a_need, some_goods
from tests.world import START

STATION = Station(SitePolicy(), ZoneInfo("Asia/Shanghai"), (Tier("east", SiteKind.STATION, "522702102"),))


def test_nothing_of_a_match_stays_due_while_the_index_is_not_ready() -> None:
    now, later = (Scene(START + timedelta(days=days), lambda _: STATION) for days in (0, 1))
    match = open_search(None, "n", a_need(a_line(), some_goods()), now).record.but(partial_at=now.now)
    assert match.due_at == now.now
    after = postpone(match, later).record
    assert after.due_at is not None and after.due_at > later.now
