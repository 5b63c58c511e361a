# Needs Python 3.11 or newer; `make test` also checks the edge Worker where there is npm.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell python3.11 -c 'import sys; print(sys.executable)' 2>/dev/null || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
NPM := $(shell command -v npm)
PYTEST_ARGS ?= -n 2 --dist loadfile
SOURCES := src tests benchmarks scripts

.PHONY: help
help:
	@echo "make TARGET, where TARGET is"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.demo ## a folder of real documentation, answered, tuned, proven and cached (ends by itself)
	$(BIN)/jargonaut demo $(ARGS)

.PHONY: venv
venv: $(VENV)/.dev ## .venv with everything for development
	@echo "Ready: source $(BIN)/activate"

.PHONY: test
test: $(VENV)/.dev lint worker $(VENV)/.workerd servers-fetch ## everything that has to hold before a change lands
	scripts/loopback_only.sh $(BIN)/pytest $(PYTEST_ARGS)

.PHONY: lint
lint: $(VENV)/.dev ## style, types, import directions
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

.PHONY: format
format: $(VENV)/.dev ## put the code into the common format
	$(BIN)/ruff check --fix --quiet $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

# The bundle is committed, so that users need no Node; whoever has npm checks that it is what the sources build.
.PHONY: worker
ifdef NPM
worker: worker/node_modules/.installed ## types, bundle and tests of the edge Worker
	cd worker && npm run --silent check && npm test --silent
else
worker:
	@echo "no npm here: the edge Worker is not checked"
endif

.PHONY: docs
docs: $(VENV)/.dev ## write the generated pages of docs/
	$(BIN)/python scripts/generate_docs.py

.PHONY: servers
servers: $(VENV)/.dev ## real Elasticsearch and OpenSearch, without Docker, until Ctrl-C (NAMES=... for some of them)
	$(BIN)/python -m tests.servers run $(NAMES)

.PHONY: servers-fetch
servers-fetch: $(VENV)/.dev
	$(BIN)/python -m tests.servers fetch

.PHONY: bench-main
bench-main: $(VENV)/.dev ## measure speed and memory, into benchmarks/results/
	$(BIN)/python -m benchmarks.main $(ARGS)

.PHONY: bench-documents
bench-documents: $(VENV)/.dev ## what parsers make of documents, side by side with peers, into benchmarks/results/
	$(BIN)/python -m benchmarks.documents $(ARGS)

.PHONY: golden
golden: $(VENV)/.dev ## write the golden set anew (needs LibreOffice, Chromium, poppler-utils and fonts)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/golden.txt
	$(BIN)/python -m benchmarks.golden $(ARGS)

.PHONY: bench-index
bench-index: $(VENV)/.dev ## measure the index engines against each other, into benchmarks/results/
	$(BIN)/python -m benchmarks.index $(ARGS)

.PHONY: bench-edge
bench-edge: $(VENV)/.dev $(VENV)/.workerd ## measure the edge beside other gateways, into benchmarks/results/
	$(BIN)/python -m benchmarks.edge $(ARGS)
.PHONY: bench-adaptation
bench-adaptation: $(VENV)/.dev ## measure what adaptation gains on labelled collections, into benchmarks/results/
	$(BIN)/python -m benchmarks.adaptation $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev $(VENV)/.workerd ## kill builds, read spoiled files, try to cross answers at the edge, into benchmarks/results/
	$(BIN)/python -m benchmarks.soak $(ARGS)

.PHONY: lock
lock: $(VENV)/.bootstrap ## pin the dependencies anew (ARGS=--upgrade for the newest)
	UV=$(UV) scripts/lock_requirements.sh $(ARGS)

.PHONY: clean
clean: ## remove .venv, caches and what the demo made
	rm -rf $(VENV) demo dist .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis worker/node_modules
	find src tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.bootstrap: requirements/bootstrap.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Jargonaut needs Python 3.11 or newer; set PYTHON=")'
	test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

# An editable install without isolation: its build tools are pinned too.
$(VENV)/.demo: $(VENV)/.bootstrap requirements/demo.txt requirements/edge.txt pyproject.toml
	@echo "Installing pinned dependencies into $(VENV) (once; PyTorch is large)"
	$(UV) pip install --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/demo.txt
ifndef NPM
	$(UV) pip install --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/edge.txt
endif
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.bootstrap requirements/dev.txt pyproject.toml
	$(UV) pip install --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@ $(VENV)/.demo

$(VENV)/.workerd: $(VENV)/.dev src/jargonaut/deployment/workerd_binary.py
	$(BIN)/jargonaut edge fetch
	touch $@

worker/node_modules/.installed: worker/package-lock.json
	cd worker && npm ci --no-audit --no-fund --silent
	touch $@
