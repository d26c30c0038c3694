"""When people are to be heard of: whoever has a seat, whoever fetches goods, whoever signs for them; and until when."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.needs.domain.need import Need
from shared.contracts.parts import SitePolicy
from shared.contracts.vocabulary import HoldStatus, TaskStatus


def expected_at(need: Need, policy: SitePolicy) -> datetime | None:
    """When the next word of the service ought to have come: a check-in, a check-out, a signature."""
    late, pick_up = (timedelta(seconds=s) for s in (policy.no_show_seconds, policy.pick_up_seconds))
    times = []
    for seat in need.seats_to_serve:
        there = need.task_is(seat, TaskStatus.CHECKED_IN)
        times.append((seat.window.end_at if there else seat.window.start_at) + late)
    for goods in need.goods_to_receive:
        issued = need.hold_is(goods, HoldStatus.ISSUED)
        since = need.holds[goods.hold_id].at if issued else need.match.heard_at
        if goods.pick_up_by and not issued:
            times.append(goods.pick_up_by)
        elif since:
            times.append(max(since + pick_up, goods.pick_up_by or since))
    return min(times, default=None)


def last_call(need: Need) -> datetime:
    """Until when it can be met. Of a need that went ahead each visit that is still to come is worth looking for."""
    assert need.deadline_at is not None
    starts = (line.window.start_at for line in need.people if line.required)
    return max([need.deadline_at, *starts]) if need.went_ahead else need.deadline_at


def nothing_more_at(need: Need) -> datetime:
    """When nothing more can come: goods that are all received are waited for no longer than the last visit."""
    assert need.over_at is not None
    last_end = max((line.window.end_at for line in need.people), default=None)
    return last_end if last_end and need.given else need.over_at
