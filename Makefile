.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

# Files, not folders, so that later runs install nothing unless what they name has changed.
RUNTIME := .venv/.runtime
DEV := .venv/.dev
BENCH := .venv-bench/.installed
SCHEMATHESIS := .venv-schemathesis/.installed

.PHONY: help
help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(RUNTIME) ## List bindings: of a stand-in API, or with PICTIFY_API_KEY set, your own
ifdef PICTIFY_API_KEY
	@$(BIN)/python examples/list_bindings.py
else
	@$(BIN)/python -m pictify_client.testing $(BIN)/python examples/list_bindings.py
endif

.PHONY: test
test: $(DEV) ## Run the tests, and see that they reach every line
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

.PHONY: test-fleet
test-fleet: $(DEV) ## Test what a fleet shares, on a redis-server that it starts, and print the figures
	PICTIFY_TEST_FLEET=1 $(BIN)/python -m pytest -q -s tests/test_fleet.py

.PHONY: faults
faults: $(DEV) ## Try every fault on every kind of call, over real sockets, and print what became of them
	$(BIN)/python -m tests.faults

.PHONY: schemathesis
schemathesis: $(SCHEMATHESIS) ## Try on the stand-in all that can be made of the contract
	$(BIN)/python -m tests.conformance

.PHONY: check
check: $(DEV) ## Run all that needs no running: lint, types, layers, the contract, drift
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PATH=$(BIN):$$PATH basedpyright
	PATH=$(BIN):$$PATH basedpyright --verifytypes pictify_client --ignoreexternal
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	$(BIN)/openapi-spec-validator openapi.yaml
	$(BIN)/python -m generator --check

.PHONY: generate
generate: $(DEV) ## Generate pictify_client/api and pictify_client/models from openapi.yaml
	$(BIN)/python -m generator

.PHONY: record
record: $(DEV) ## Record the responses of the live API anew (needs PICTIFY_API_KEY)
	$(BIN)/python -m tests.record

.PHONY: format
format: $(DEV) ## Put the code in the form that `make check` wants
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: lock
lock: $(DEV) ## Choose the newest versions of the development environment
	$(BIN)/pip install --quiet uv
	echo hatchling | $(BIN)/uv pip compile pyproject.toml - --quiet --upgrade --all-extras --universal \
		--python-version 3.11 --no-header --no-annotate --output-file constraints.txt

.PHONY: bench
bench: $(BENCH) ## Measure how fast it is beside others, into benchmarks/results.json and benchmarks/charts
	.venv-bench/bin/python -m benchmarks

.PHONY: bench-quick
bench-quick: $(BENCH) ## Measure likewise with smaller numbers, in under a minute, and only print
	.venv-bench/bin/python -m benchmarks --quick

.PHONY: clean
clean: ## Remove everything that was made
	rm -rf .venv .venv-bench .venv-schemathesis benchmarks/build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist

export PIP_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

$(RUNTIME): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
		"Python 3.11 or newer is needed; name one: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(DEV): $(RUNTIME)
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@

# What is measured beside the package stays out of its own environment.
$(BENCH): pyproject.toml constraints.txt openapi.yaml generator/overlay.yaml benchmarks/peers.txt | $(DEV)
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --editable . --requirement benchmarks/peers.txt
	$(BIN)/python -m benchmarks.stock
	@touch $@

# It wants versions of its own of what the development environment has.
$(SCHEMATHESIS): | $(DEV)
	$(PYTHON) -m venv .venv-schemathesis
	PIP_CONSTRAINT= .venv-schemathesis/bin/pip install --quiet 'schemathesis==4.32.5'
	@touch $@
