# Set-up and run. `make run` and `make test` need nothing but Debian's make and Python 3.11.

PYTHON ?= python3
ARCHIVE ?= archive
INDEX ?= index
HOST ?= 127.0.0.1
PORT ?= 5000

BIN := .venv/bin
READY := .venv/.ready
DEV := .venv/.dev
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Two processes, each file in one of them; the longest files, which break builds, come first.
PYTEST := $(BIN)/pytest --numprocesses 2 --max-worker-restart 0 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup run build test quick check bench

help:
	@echo "make run                 set up, index archive/, serve http://$(HOST):$(PORT)/"
	@echo "make run ARCHIVE=folder  the same with your own articles"
	@echo "make test                set up, run every test"
	@echo "make quick               the tests that take no index, model, browser or server, in under a minute"
	@echo "make check               lint and type-check"
	@echo "make bench               time, memory and disk of generated articles; the server under load"

# Pinned by constraints.txt; its torch is the build without CUDA where the index offers one.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Warraq needs Python 3.11 or newer; name one: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "On Debian, run: apt-get install python3-venv"; exit 1; }
	$(PIP) --editable .
	@touch $@

$(DEV): $(READY)
	$(PIP) --editable '.[dev]'
	@touch $@

setup: $(READY)

build: $(READY)
	$(BIN)/warraq build --archive "$(ARCHIVE)" --index "$(INDEX)"

run: build
	$(BIN)/warraq serve --index "$(INDEX)" --host "$(HOST)" --port "$(PORT)"

test: $(DEV)
	$(PYTEST)

quick: $(DEV)
	$(PYTEST) -m "not slow"

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(DEV)
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/steps.py
	$(BIN)/python benchmarks/load.py
