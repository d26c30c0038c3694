"""The services. Each owns its records; they meet only through the events in `shared.contracts`."""
