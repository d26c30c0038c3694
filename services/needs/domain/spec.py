"""What others may know of a need."""

from __future__ import annotations

from services.needs.domain.need import Need
from shared.contracts.parts import NeedSpec


def spec(need: Need) -> NeedSpec:
    """All that others may know of the need."""
    assert need.posted_at is not None and need.deadline_at is not None
    return NeedSpec(
        site_id=need.site_id,
        area=need.area,
        cell=need.cell,
        household_id=need.household_id,
        category=need.category,
        field=need.field,
        urgency=need.urgency,
        audience=need.audience,
        target_groups=need.target_groups,
        people=need.people,
        goods=need.goods,
        posted_at=need.posted_at,
        deadline_at=need.deadline_at,
    )
