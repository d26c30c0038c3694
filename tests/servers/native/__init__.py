"""Apache Kafka and a MongoDB-compatible server as plain processes, for machines without a Docker engine."""
