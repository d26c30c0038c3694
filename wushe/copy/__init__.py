"""Moving a station from one data directory to the servers of a cluster: everything, once, and countably."""
