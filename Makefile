# Two commands: make demo, make test. The others are parts of them.
PYTHON ?= python3
PORT ?= 8080
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test quick check bench slow lock stop web data

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or later is needed: make demo PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(BIN)/python
	$(BIN)/pip install -q --require-hashes -r requirements/runtime.txt
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.runtime
	$(BIN)/pip install -q --require-hashes -r requirements/test.txt
	@touch $@

WEB_SOURCES := $(shell find web/src web/public web/docs web/index.html web/package.json -type f 2>/dev/null)

web/dist/index.html: $(WEB_SOURCES) web/package-lock.json $(VENV)/.runtime
	$(BIN)/python tools/node.py npm --prefix web ci --ignore-scripts --no-audit --no-fund --silent
	$(BIN)/python tools/node.py npm --prefix web run build --silent
	@touch $@

web: web/dist/index.html

demo: $(VENV)/.runtime web/dist/index.html
	$(BIN)/mobility demo --port $(PORT)

stop: $(VENV)/.runtime
	$(BIN)/mobility stop

test: $(VENV)/.test web/dist/index.html tests/clients/node_modules/.installed
	$(BIN)/python tools/browser.py
	$(BIN)/pytest -q -n 2 --dist loadfile -m "not slow and not bench and not alone"
	$(BIN)/pytest -q -m "alone and not slow"

tests/clients/node_modules/.installed: tests/clients/package-lock.json $(VENV)/.runtime
	$(BIN)/python tools/node.py npm --prefix tests/clients ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

quick: $(VENV)/.test
	$(BIN)/pytest -q -m unit

slow: $(VENV)/.test
	$(BIN)/pytest -m slow

data: $(VENV)/.runtime
	$(BIN)/python tools/get_data.py

bench: $(VENV)/.test
	$(BIN)/python benchmarks/plan_porto.py
	$(BIN)/python benchmarks/geocode_porto.py
	$(BIN)/python benchmarks/build_territories.py
	$(BIN)/python benchmarks/matrix_porto.py

check: $(VENV)/.test web/dist/index.html
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_docs.py
	$(BIN)/python tools/node.py npm --prefix web run check --silent

lock: $(BIN)/python
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header requirements/runtime.in -o requirements/runtime.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header requirements/test.in -c requirements/runtime.txt -o requirements/test.txt
