"""What can be asked of matching: hear what happened, wake a match whose time has come, show how it stands."""

from services.matching.service.copies import Copies
from services.matching.service.matching import Matching
from services.matching.service.stations import Stations
from services.matching.service.waves import Waves

__all__ = ["Copies", "Matching", "Stations", "Waves"]
