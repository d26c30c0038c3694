"""What can be asked of needs intake, by people and by messages."""

from services.needs.service.contacts import Contacts
from services.needs.service.households import Households
from services.needs.service.leads import Leads
from services.needs.service.listening import Listening
from services.needs.service.loading import Loading
from services.needs.service.needs import Needs

__all__ = ["Contacts", "Households", "Leads", "Listening", "Loading", "Needs"]
