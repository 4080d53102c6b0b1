# Every target first installs the packages that it needs.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
# What the kernels need, without what only flows need: they are compiled while pip, on a single core, installs the rest.
KERNELS = $(BIN)/python -c 'import tomllib; print(*(name for name in tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"] if not name.startswith(("prefect", "fastapi", "sqlalchemy", "dask", "cryptography", "cyclopts"))), sep="\n")'
# What the extra `test` names. To install `.[test]` would build the project once more.
TESTERS = $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["test"], sep="\n")'
PEER := .venv-ddddocr
OTHERS := captcha==0.7.1 django-simple-captcha==0.7.0 multicolorcaptcha==1.2.0 wheezy.captcha==3.2.2 \
	flask-simple-captcha==5.5.5 captchagen==0.1.0 gvcode==1.0.3
NODE := .node-svg-captcha
NPM := svg-captcha@1.4.0 @resvg/resvg-js@2 captchapng@0.0.1 trek-captcha@0.4.0
# Empty, so that Python keeps what it compiles: else each of the processes that tests start would compile the packages.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo check test test-all soak docs bench bench-peers others deploy clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt -r <($(KERNELS))
	$(BIN)/python -m tasks.warm reading & reading=$$!; \
		$(BIN)/python -m tasks.warm & kernels=$$!; \
		$(PIP) -c constraints.txt -e . -r <($(TESTERS)) && wait $$kernels && wait $$reading
	$(BIN)/python -m flows.service.database_template & template=$$!; \
		$(BIN)/python -m compileall -qq -j 0 -x '/(tests?|torch|torchgen|sympy|mpmath|networkx|moto|mypyc?|setuptools|pip)/' $(VENV)/lib flows tasks storage; wait $$template
	touch $@

demo: setup
	@$(BIN)/captchas demo

# Takes seconds: style, types, and the rules of imports.
check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 0 tests/test_imports.py tests/test_types.py

# The rules of `make check` are tests as well, so they take their turn beside the others.
test: setup
	$(BIN)/python -m pytest

# The tests that are marked slow as well: before a release, and after a change of what they drive.
test-all: setup
	$(BIN)/python -m pytest -m 'not soak'

soak: setup
	$(BIN)/python -m pytest -m soak -n 0

# The site, in build/site: strict, and without a network once the extra is installed.
docs: setup
	@$(BIN)/python -c 'import material' 2> /dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --config-file docs/site/mkdocs.yml  # --quiet would count no warning
	@echo "build/site/index.html"

bench: setup
	$(BIN)/python -m tests.benchmarks

# Readers by others are not dependencies; a reader that cannot be installed is left out. make bench-peers ARGS='--count 2000'
bench-peers: setup
	@command -v tesseract > /dev/null || { test "$$(id -u)" = 0 && apt-get -qq update && apt-get -qqy install --no-install-recommends tesseract-ocr; } \
		|| echo "Tesseract could not be installed (apt-get as root; see above); going on without it"
	@$(PEER)/bin/python -c 'import ddddocr' 2> /dev/null || { $(PYTHON) -m venv $(PEER) && $(PEER)/bin/python -m pip install --quiet --disable-pip-version-check ddddocr; } \
		|| echo "ddddocr could not be installed into $(PEER) (see above); going on without it"
	@$(BIN)/python -m tests.benchmarks.peers $(ARGS)

# CAPTCHA generators by others, each in an environment of its own; what cannot be installed is left out.
others: setup
	@for package in $(OTHERS); do \
		folder=.venv-$${package%%=*}; \
		test -e $$folder/.ready && continue; \
		$(PYTHON) -m venv $$folder && $$folder/bin/python -m pip install --quiet --disable-pip-version-check $$package pillow \
			&& touch $$folder/.ready || { rm -rf $$folder; echo "$$package could not be installed (see above); going on without it"; }; \
	done
	@test "$$(cat $(NODE)/.ready 2> /dev/null)" = "$(NPM)" || { mkdir -p $(NODE) && npm install --silent --no-audit --no-fund --prefix $(NODE) $(NPM) \
		&& echo "$(NPM)" > $(NODE)/.ready; } || { echo "$(NPM) could not be installed with npm (see above); going on without them"; }
	@$(BIN)/python -m tests.benchmarks.others $(ARGS)

deploy: setup
	@$(BIN)/captchas up --deploy

clean:
	rm -rf $(VENV) $(PEER) $(foreach package,$(OTHERS),.venv-$(firstword $(subst ==, ,$(package)))) $(NODE) build *.egg-info .pytest_cache .ruff_cache
	find flows tasks storage fonts tests -name __pycache__ -prune -exec rm -rf {} +
