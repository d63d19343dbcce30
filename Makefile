PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test lint bench lab notebooks screenshots clean

demo: $(VENV)/demo.done
	$(BIN)/lrnanalysis demo

test: lint
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: $(VENV)/test.done
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pyright --pythonpath $(BIN)/python

bench: $(VENV)/bench.done
	$(BIN)/python -m benchmarks

lab: $(VENV)/lab.done
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/00_quick_start.ipynb

notebooks: $(VENV)/test.done
	$(BIN)/python notebooks/execute.py

screenshots: $(VENV)/test.done
	$(BIN)/python docs/screenshots.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.done: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/test.done: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[test,lint]'
	touch $@

$(VENV)/bench.done: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	touch $@

$(VENV)/lab.done: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[lab]'
	touch $@
