# ttgateway: the commands that people use. `make run` and `make test` make all that they need.
PYTHON ?= python3
STATE ?= ttgateway-state
PORT ?= 8000
BIN := .venv/bin

.PHONY: run test lint types docs schemathesis diagram news clean

run: .venv/run
	@echo
	@echo "ttgateway serves at http://127.0.0.1:$(PORT)/ and keeps its state in $(STATE)/ ; Ctrl-C ends it."
	@echo "Next, in a second terminal:   $(BIN)/ttgateway listen"
	@echo "and in a third one:           $(BIN)/ttgateway simulate"
	@echo
	@exec $(BIN)/twistd -n --pidfile= ttgateway --listen tcp:$(PORT):interface=127.0.0.1 --state-dir $(STATE)

# Two workers: what needs the real machine is one's alone (tests/conftest.py), and takes the longest.
test: .venv/dev
	@.ci/tools
	$(BIN)/python -m pytest -n 2 --dist loadscope

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/dev
	$(BIN)/mypy

docs: .venv/dev
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

# Needs unshare and ip (util-linux, iproute2); SECONDS=600 goes on for so long, with another seed each time.
schemathesis: .venv/dev
	.ci/schemathesis $(SECONDS)

# Needs Graphviz (the Debian package graphviz); the drawing is committed, so that nothing else does.
diagram:
	dot -Tsvg docs/listener-queue.dot -o docs/listener-queue.svg

news: .venv/dev
	$(BIN)/towncrier build --draft --version next

clean:
	rm -rf .venv .venv-schemathesis build dist docs/_build *.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ttgateway needs Python 3.11 or newer; name one with: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv

.venv/run: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/dev: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch .venv/run $@
