"""The rules of needs intake: records, and pure decisions about them."""

from services.needs.domain.disclosure import ContactRead
from services.needs.domain.household import Household, Resident
from services.needs.domain.lead import Lead
from services.needs.domain.need import Need

__all__ = ["ContactRead", "Household", "Lead", "Need", "Resident"]
