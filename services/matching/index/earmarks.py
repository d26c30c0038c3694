"""专款专用, each condition on its own: whether a gift's terms allow it to go to this need.

Resources decides; this is its rule over copies, so that no lot is asked for in vain.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from services.matching.index.port import LotsQuery
from shared.contracts.parts import Earmark
from shared.contracts.vocabulary import Category, GoodsRule, TargetGroup


class Terms(NamedTuple):
    """An earmark as a value that can be told apart from others."""

    purposes: frozenset[Category]
    target_groups: frozenset[TargetGroup]
    areas: tuple[str, ...]
    from_day: date | None
    to_day: date | None

    @classmethod
    def of(cls, earmark: Earmark) -> Terms:
        return cls(
            frozenset(earmark.purposes),
            frozenset(earmark.target_groups),
            tuple(sorted(earmark.areas)),
            earmark.from_day,
            earmark.to_day,
        )


def allows(rule: GoodsRule, terms: Terms, query: LotsQuery) -> bool:
    """Whether the terms meet this one condition; a condition that is not set is met."""
    match rule:
        case GoodsRule.EARMARK_PURPOSE:
            return not terms.purposes or query.purpose in terms.purposes
        case GoodsRule.EARMARK_GROUP:
            return not terms.target_groups or not terms.target_groups.isdisjoint(query.target_groups)
        case GoodsRule.EARMARK_AREA:
            return not terms.areas or query.area.startswith(terms.areas)
        case GoodsRule.EARMARK_DATE:
            return (terms.from_day is None or terms.from_day <= query.today) and (
                terms.to_day is None or query.today <= terms.to_day
            )
        case _:
            return True
