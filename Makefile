# The one door. Every target sets up what it needs; set-up is quick when nothing changed.
#
#   make demo    set up, start laydown, deliver a generated sample project, show the receipt
#   make test    set up, pass every check and test
#   make help    the rest

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
CONSOLE := src/laydown/console/index.html
# Folders too: a source that is gone changes the folder it was in.
CONSOLE_SOURCES := $(shell find console -name node_modules -prune -o -name tests -prune -o -print)

.PHONY: help setup demo test check format soak bench infra docs lock build clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: .setup/done $(CONSOLE) ## make .venv with everything in it, and the console

.setup/done: scripts/setup.sh pyproject.toml requirements/dev.txt
	@PYTHON="$(PYTHON)" bash scripts/setup.sh
	@mkdir -p .setup && touch .setup/done

# Without Node it stays unmade, and the next `make` looks for Node again.
$(CONSOLE): scripts/console.sh $(CONSOLE_SOURCES)
	@bash scripts/console.sh

demo: setup ## a sample delivery, from start to receipt; ARGS=--exit stops by itself
	@$(BIN)/laydown demo $(ARGS)

test: setup ## everything that must pass
	@bash scripts/test.sh $(ARGS)

check: setup ## format, lint, types, import contracts: the quick part of `make test`
	@bash scripts/check.sh

format: setup ## let the formatter have its way
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

soak: setup ## longer runs of the tests that kill processes
	@SOAK=1 TEST_ENGINE=embedded $(BIN)/pytest -q tests/api/test_any_order.py \
		tests/e2e/test_kills.py tests/e2e/test_spike.py $(ARGS)
	@SOAK=1 TEST_ENGINE=distributed $(BIN)/pytest -q tests/e2e/test_kills.py $(ARGS)

bench: setup ## measure against other receivers, side by side; writes docs/performance.md
	@$(BIN)/python -m bench $(ARGS)

infra: setup ## synthesize what stands on AWS, without AWS, and ask every rule about it
	@bash scripts/infra.sh $(ARGS)

docs: setup ## write what comes from the code: reference, pictures, papers, the console's shapes
	@$(BIN)/python -m tests.repo.rendering
	@$(BIN)/python -m tests.browser.pictures
	@$(BIN)/python -m tests.repo.papers
	@if [ -d console/node_modules ]; then npm --prefix console run --silent types; fi

lock: setup ## choose new versions of the dependencies, at least a week old
	@bash scripts/lock.sh

build: setup ## a wheel in dist/, the console in it
	@CI=true $(MAKE) -s --no-print-directory $(CONSOLE) || \
		{ echo "build: no wheel is made without the console in it" >&2; exit 1; }
	@$(BIN)/uv build --wheel -q --out-dir dist

clean: ## forget everything that make made
	rm -rf .venv .setup infra/.venv infra/cdk.out console/node_modules scripts/papers/node_modules src/laydown/console .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist demo-data bench/.work
