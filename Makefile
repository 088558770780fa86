# Everything runs in .venv, made here from the lock; only Python 3.11+ and make are needed before.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help demo test tests check lint types layers lock peers bench clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY) ## simulate a site, track every camera, evaluate, write an HTML report
	$(BIN)/sightline demo

test: $(READY) ## lint, types, import layers, every test
	@$(MAKE) --no-print-directory lint layers
	@$(MAKE) --no-print-directory -j 2 types tests

# A module's tests share their servers, so they stay together; conftest says which modules begin.
# Hundreds of processes are started: what one has compiled, the next need not.
tests: export PYTHONDONTWRITEBYTECODE :=
tests: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

check: lint types layers

lint: $(READY) ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	$(BIN)/mypy

layers: $(READY) ## imports only point down
	$(BIN)/lint-imports

lock: ## renew constraints.txt from pyproject.toml
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install -q uv
	.venv-lock/bin/uv pip compile --universal --no-emit-index-url --no-annotate --no-header --python-version 3.11 --extra dev --upgrade -o constraints.txt pyproject.toml
	rm -rf .venv-lock

.venv-peers/.ready: benchmarks/peers.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install -q --disable-pip-version-check -r benchmarks/peers.txt
	@touch $@

peers: .venv-peers/.ready ## the programs we measure ourselves against, in an environment of their own

clean: ## remove what make made
	rm -rf .venv .venv-peers .mypy_cache .pytest_cache .ruff_cache sightline-demo
