"""`make bench-cluster`: B3 on Kafka and MongoDB, ours against a plain peer on the same servers."""
