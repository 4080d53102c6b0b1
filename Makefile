# Every target sets up what it needs; nothing has to be installed by hand.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup demo test soak bench deploy clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	$(BIN)/python -m tasks.warm
	touch $@

demo: setup
	@$(BIN)/captchas demo

test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/python -m pytest

soak: setup
	$(BIN)/python -m pytest -m soak -n 0

bench: setup
	$(BIN)/python -m tests.benchmarks

deploy: setup
	@test -n "$$PREFECT_API_URL" || { echo "PREFECT_API_URL: name the server to deploy to, for instance http://127.0.0.1:4200/api"; exit 2; }
	$(BIN)/prefect work-pool create captchas --type process --overwrite
	$(BIN)/prefect --no-prompt deploy --all

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache
	find flows tasks storage fonts tests -name __pycache__ -prune -exec rm -rf {} +
