"""What only the embedded adapters promise: one file, one writer, one lock, and what a bad disk does to them."""
