"""Who could help and what could be given: copies of the registry and of the stock, made for searching."""
