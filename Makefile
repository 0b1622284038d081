# Every target makes what it needs in .venv; nothing needs root. PYTHON chooses the interpreter, 3.11 or newer.
# WORKERS is how many processes share the tests of `make test`, a file to each: a file's tests share one kernel.
# FUZZ is how many programs `make fuzz` walks through, CHURN how many seeds of folder changes, for how many seconds each.
PYTHON ?= python3
WORKERS ?= 2
FUZZ ?= 5000
CHURN ?= 20:10
BIN := .venv/bin
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test fuzz check lab bench notebook images clean

help:  ## what there is
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/'

demo: .venv/base  ## a real kernel, a watched folder, good and broken saves, in seconds
	$(BIN)/python notebooks/demo.py

test: .venv/test  ## the whole test suite, in a real JupyterLab too where Chromium is
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

fuzz: .venv/test  ## random programs and random changes of folders, compared with a fresh process and the disk; make fuzz FUZZ=200 CHURN=3:5
	IPYHOT_FUZZ=$(FUZZ) IPYHOT_CHURN=$(CHURN) $(BIN)/python -m pytest tests/test_machine.py tests/test_churn.py

check: .venv/check  ## ruff, mypy, and which module may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layers.py

lab: .venv/lab  ## the quickstart notebook in JupyterLab
	cd notebooks && ../$(BIN)/python -m jupyterlab quickstart.ipynb

bench: .venv/bench  ## ipyhot beside the floor and its peers, as ratios of one run
	$(BIN)/python benchmarks/bench.py

notebook: .venv/test  ## run notebooks/quickstart.ipynb again and keep its outputs
	$(BIN)/python notebooks/execute.py

images: .venv/test  ## take the pictures of the documentation again, in a real JupyterLab
	IPYHOT_IMAGES=$(CURDIR)/docs/images IPYHOT_BROWSER=required $(BIN)/python -m pytest -q tests/test_lab.py

clean:  ## remove .venv and caches
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/base: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ipyhot needs Python 3.11 or newer; say make PYTHON=/path/to/python3.11")'
	@echo "Installing ipyhot into .venv ..."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/test: .venv/base
	@echo "Installing what the tests need into .venv ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

.venv/check: .venv/test
	@echo "Installing ruff and mypy into .venv ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,check]'
	@touch $@

.venv/lab: .venv/base
	@echo "Installing JupyterLab into .venv ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[lab]'
	@touch $@

.venv/bench: .venv/test
	@echo "Installing what ipyhot is compared with into .venv ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,bench]'
	@touch $@
