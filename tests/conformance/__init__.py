"""What every adapter promises: written against `shared.ports` only, run over all of `adapters`."""
