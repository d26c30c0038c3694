"""What every service stands on: the language between services, the ports, the adapters, the loop."""
