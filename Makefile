# Two commands for a newcomer: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: venv demo test lint bench docs clean

venv: $(STAMP)

# A finished install leaves the stamp; a changed pyproject.toml makes it stale.
$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev --group clients
	@touch $@

demo: venv
	$(BIN)/portrayal six-rounds --sample --output demo

test: venv
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
	rm -rf $(VENV) demo out .mypy_cache .ruff_cache .pytest_cache
