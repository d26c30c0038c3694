# The only door. `make` explains itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PORT ?= 8000
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

.PHONY: help run demo test test-faults test-cluster test-cluster-faults compose-check check format contracts bench bench-cluster \
        servers cluster cluster-down lock clean

help: ## what there is to do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s'|'

# --- environments ----------------------------------------------------------------------------------
# Each stamp names the set that the environment holds; the development set contains the other one.
.venv/run: requirements/cluster.txt pyproject.toml
	@test .venv/dev -nt requirements/dev.txt && test .venv/dev -nt pyproject.toml && touch $@ || ( echo "Setting up (about a minute, once) …" \
	  && $(PYTHON) -m venv .venv && $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/cluster.txt \
	  && $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . && touch $@ )

.venv/dev: requirements/dev.txt pyproject.toml
	@echo "Setting up for development (about a minute, once) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## lock the dependency sets anew (needs uv)
	requirements/lock

# --- using it --------------------------------------------------------------------------------------
run: .venv/run ## everything in one process with a sample town; PORT=8000
	@exec $(BIN)/wushe run --port $(PORT)

demo: .venv/run ## the whole story in the terminal, in under a minute; URL=http://… tells it to a running system
	@exec $(BIN)/wushe demo $(if $(URL),--url $(URL))

cluster: .venv/dev ## the same as processes on Kafka and a MongoDB-compatible server, two instances of each; PORT=8000
	@$(BIN)/python -m tests.cluster up --port $(PORT)

cluster-down: .venv/dev ## end what `make cluster` started; the data stays in build/cluster
	@$(BIN)/python -m tests.cluster down

# --- proving it ------------------------------------------------------------------------------------
test: .venv/dev ## all tests that need no Docker, Kafka or MongoDB
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup tests

test-faults: .venv/dev ## kill real processes at every named point, and 200 times blindly; KILLS=200
	WUSHE_FAULTS=1 KILLS=$(or $(KILLS),200) $(BIN)/pytest -n $(WORKERS) -m faults tests

test-cluster: .venv/dev servers ## the adapters and the cluster on real servers (given, in containers, or native), faults at CI length
	WUSHE_CLUSTER=1 WUSHE_REQUIRE_SERVERS=1 $(BIN)/pytest -m "cluster or conformance" tests

test-cluster-faults: .venv/dev servers ## all seven groups of faults of the cluster at full length; KILLS=100 ONLY=broker
	WUSHE_CLUSTER=1 WUSHE_REQUIRE_SERVERS=1 WUSHE_AT_LENGTH=1 KILLS=$(or $(KILLS),100) $(BIN)/pytest -rP -m cluster_faults $(if $(ONLY),-k $(ONLY)) tests/cluster

compose-check: .venv/dev ## the system in containers, built, told the story, killed and begun again (needs Docker)
	@$(BIN)/python -m tests.cluster.compose

servers: .venv/dev ## install the native servers that test-cluster and cluster use (needs Java 17, Maven, Go)
	@$(BIN)/python -m tests.servers install

check: .venv/dev ## format, lint, strict types, layers, contract drift
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n 0 tests/architecture
	$(BIN)/wushe contracts --check

format: .venv/dev ## put the code in form
	$(BIN)/ruff check --fix --select I,F401,RUF100 .
	$(BIN)/ruff format .

contracts: .venv/dev ## write the AsyncAPI document, the schemas and missing examples
	$(BIN)/wushe contracts

bench: .venv/dev ## figures as ratios against a peer in the same run
	$(BIN)/python -m tests.bench

bench-cluster: .venv/dev servers ## the same on a real Kafka broker and a MongoDB-compatible server
	$(BIN)/python -m tests.bench_cluster

clean: ## remove what was built, not the data; what `make cluster` started is ended
	@test ! -d build/cluster || test ! -x $(BIN)/python || $(BIN)/python -m tests.cluster down
	@test ! -d build || find build -mindepth 1 -maxdepth 1 ! -name cluster -exec rm -rf {} +
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis
