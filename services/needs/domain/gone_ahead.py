"""Whether a need has gone ahead, and with what: what was promised then is not torn up by what fails since."""

from __future__ import annotations

from collections.abc import Sequence

from services.needs.domain.facts import Seat
from services.needs.domain.need import Need


def goes_ahead(need: Need, seats: Sequence[Seat]) -> bool:
    """Whether any of these was told to come to what is required: a visit that is good by itself tells nothing of the rest."""
    required = {line.id for line in need.people if line.required}
    return any(seat.made and seat.line_id in required for seat in seats)


def somebody_comes(need: Need) -> bool:
    """Whether anybody who was told where to go is still to come."""
    return any(seat.made for seat in need.seats_to_serve)


def went_as_a_whole(need: Need) -> bool:
    """Whether anybody who is required was told to come, or required goods are confirmed."""
    required = {line.id for line in need.goods if line.required}
    return goes_ahead(need, need.match.seats) or any(g.line_id in required for g in need.held_goods)


def goods_kept(need: Need) -> bool:
    """Whether goods are promised still, of all that is required."""
    required = [line for line in need.goods if line.required]
    return bool(need.goods_to_receive) and all(need.held(line) >= line.minimum for line in required)
