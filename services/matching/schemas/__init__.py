"""A match and its waves as staff see them: who was asked and why, what is held, what stands in the way."""

from services.matching.schemas.match import MatchView, match_view
from services.matching.schemas.wave import WaveView, wave_view

__all__ = ["MatchView", "WaveView", "match_view", "wave_view"]
