# Set-up and run. `make run` and `make test` need nothing but Debian's make and Python 3.11.

PYTHON ?= python3
ARCHIVE ?= archive
INDEX ?= index
HOST ?= 127.0.0.1
PORT ?= 5000

BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup run build test check bench

help:
	@echo "make run                 set up, index archive/, serve http://$(HOST):$(PORT)/"
	@echo "make run ARCHIVE=folder  the same with your own articles"
	@echo "make test                set up, run every test"
	@echo "make check               lint and type-check"
	@echo "make bench               time, memory and disk of 10,000 generated articles; the server under load"

# Pinned by constraints.txt; its torch is the build without CUDA where the index offers one.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Warraq needs Python 3.11 or newer; name one: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "On Debian, run: apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(READY)

build: $(READY)
	$(BIN)/warraq build --archive "$(ARCHIVE)" --index "$(INDEX)"

run: build
	$(BIN)/warraq serve --index "$(INDEX)" --host "$(HOST)" --port "$(PORT)"

# In two processes, each file in one of them; those that break builds, the longest, come first.
test: $(READY)
	$(BIN)/pytest --numprocesses 2 --max-worker-restart 0 --dist loadfile --no-loadscope-reorder

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/steps.py
	$(BIN)/python benchmarks/load.py
