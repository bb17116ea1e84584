# Needs Python >= 3.11 and make; everything else comes as wheels, pinned by hash in requirements/.
# `make help` lists what there is.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.SILENT:

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8300
DATA ?= ./data/demo
PEERS := $(patsubst requirements/peers/%.txt,$(VENV)/peers/.%,$(wildcard requirements/peers/*.txt))
ARGS ?=

.PHONY: help install run test lint format bench test-crash test-real test-scale bench-preview bench-apply bench-peers screenshots \
        lock clean

help: ## list the targets
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.run ## make .venv and install livepost[demo] into it

run: $(VENV)/.run ## start the demo: its shop is http://localhost:8300/shop (PORT=, DATA=, ARGS= change it)
	exec $(BIN)/livepost demo --port $(PORT) --data $(DATA) $(ARGS)

test: $(VENV)/.test ## install the test extras too and run the tests (ARGS= go to pytest)
	$(BIN)/python -m pytest -q -n auto --dist loadfile $(ARGS)

lint: $(VENV)/.test ## ruff, formatting, mypy --strict (benchmarks too), import floors
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy --strict --no-error-summary src benchmarks/*.py
	$(BIN)/lint-imports --no-cache > $(VENV)/floors.log || { cat $(VENV)/floors.log; exit 1; }
	echo "lint: ruff, format, mypy --strict and import floors hold"

format: $(VENV)/.test ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format --quiet .

bench: $(VENV)/.run ## measure, as JSON (ARGS= names one)
	$(BIN)/livepost bench $(ARGS)

test-crash: $(VENV)/.test ## kill, roll back, fail the disk, scan the bytes (long)
	$(BIN)/python -m pytest -q -n auto --dist loadfile tests/crash $(ARGS)

test-real: $(VENV)/.test $(VENV)/.clients $(VENV)/.kafka ## against real servers and the real command (long)
	$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder tests/real $(ARGS)

test-scale: $(VENV)/.test ## the tests marked `scale` (long)
	$(BIN)/python -m pytest -q -m scale tests $(ARGS)

bench-preview: $(VENV)/.test ## from a click in the demo's shop to the changed mail, in Chromium, as JSON
	PYTHONPATH=. $(BIN)/python benchmarks/preview.py --clicks 300 $(ARGS)

bench-peers: $(VENV)/.test $(VENV)/.kafka $(PEERS) ## Livepost and others on the same events, as a table and JSON (12 min)
	PYTHONPATH=. $(BIN)/python -m benchmarks.peers.run $(ARGS)

bench-apply: $(VENV)/.run ## live latency while a new 90-day feature is applied, as JSON
	$(BIN)/python benchmarks/apply.py $(ARGS)

screenshots: $(VENV)/.test ## take the pictures of docs/pictures (a minute and a half; needs Chromium)
	PYTHONPATH=. $(BIN)/python docs/pictures/take.py

lock: ## pin the newest allowed versions again, with hashes (needs uv)
	requirements/lock

clean: ## remove .venv and what tools left behind (never data/)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# One stamp a set of packages: the second time nothing is asked of anyone. `test` holds all of `run`.
$(VENV)/.run: requirements/run.txt requirements/install pyproject.toml
	requirements/install run $(VENV)
	touch $@

$(VENV)/.test: requirements/test.txt requirements/install pyproject.toml
	requirements/install test $(VENV)
	touch $(VENV)/.run $@

# The official SDKs that tests/real runs, in an environment of their own: what they pin is none of ours.
$(VENV)/.clients: requirements/clients.txt requirements/install tests/real/clients/package-lock.json
	requirements/install clients $(VENV)/clients
	touch $@

# Apache Kafka's jars, which tests/real starts; Maven's own cache has them too, so that a new .venv fetches nothing.
$(VENV)/.kafka: requirements/kafka.xml requirements/kafka.sha256 requirements/install
	requirements/install kafka $(VENV)/kafka
	touch $@

# Who is measured beside us, each in an environment of its own.
$(VENV)/peers/.%: requirements/peers/%.txt requirements/install
	requirements/install peers/$* $(VENV)/peers/$*
	touch $@
