# Two commands for a newcomer: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: venv clients demo serve test lint bench docs clean

venv: $(STAMP)

# A finished install leaves the stamp; a changed pyproject.toml makes it stale.
$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev --group clients
	@touch $@

demo: venv
	$(BIN)/portrayal six-rounds --sample --output demo

serve: venv
	$(BIN)/portrayal serve

# The JavaScript clients that tests drive the server with; without Node.js those tests are skipped.
clients: tests/clients/js/node_modules/.package-lock.json

tests/clients/js/node_modules/.package-lock.json: tests/clients/js/package-lock.json
	@if command -v npm >/dev/null; then cd tests/clients/js && npm ci --silent --no-audit --no-fund; \
	else echo "no npm: the tests of the JavaScript clients are skipped"; fi

test: venv clients
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: venv
	$(BIN)/portrayal bench speed

docs: venv
	$(BIN)/python -c "from pathlib import Path; from portrayal.bench.reference_pages import write; write(Path('docs'))"

clean:
	rm -rf $(VENV) tests/clients/js/node_modules demo out .mypy_cache .ruff_cache .pytest_cache
