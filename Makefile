PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test browser soak lint bench clean

run: $(VENV)/.app
	$(BIN)/streamlit run app.py

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal

browser: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not soak" tests/browser

soak: $(VENV)/.test
	$(BIN)/python -m pytest -m soak

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/python tests/bench.py

clean:
	rm -rf $(VENV)

$(VENV)/.app: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.test: $(VENV)/.app pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -e ".[test]"
	touch $@
