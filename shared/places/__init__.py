"""Where things are: the national area tree, and a copy of the directory's sites and organisations."""

from shared.places.atlas import Atlas, Site, ring_around
from shared.places.divisions import Area, Divisions, divisions, one_lies_in_the_other

__all__ = ["Area", "Atlas", "Divisions", "Site", "divisions", "one_lies_in_the_other", "ring_around"]
