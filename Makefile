# Two commands matter to a newcomer: `make run` and `make test`. The rest is for those who change the code.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
EXTRA  := $(BIN)/python -c 'import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]], sep="\n")'
LOCK   := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
          --no-emit-index-url --no-emit-find-links --no-header --no-annotate
# What the engine asks for and doesn't get: docs/DEPENDENCIES.md says why.
LEFT_OUT := phonenumbers httpx linkpreview python-magic python-magic-bin requests tqdm

# Compiling the code anew at every start takes longer than the start itself.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test setup check bench long docs lock clean

run: setup
	@$(BIN)/guvercin baslat --ornek

setup: $(VENV)/.setup
$(VENV)/.setup: requirements.txt requirements-build.txt requirements-web.txt requirements-test.txt pyproject.toml hatch_build.py $(wildcard src/guvercin/locale/*/LC_MESSAGES/*.po)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Güvercin needs Python 3.11 or newer: make run PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements.txt -r requirements-build.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(PIP) --no-deps --only-binary :all: --require-hashes -r requirements-web.txt -r requirements-test.txt 2>$(VENV)/web.log || { \
		echo "Telefon bağlama (WhatsApp Web) bu makineye kurulamadı; deneme hattı ve Cloud API çalışır. Nedeni: $(VENV)/web.log"; \
		echo "Linking a phone (WhatsApp Web) could not be installed on this machine; the sandbox and the Cloud API work. Why: $(VENV)/web.log"; }
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.setup
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.dev
	@$(BIN)/python -m bench $(ARGS)

long: $(VENV)/.dev
	@GUVERCIN_ROUNDS=full $(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

docs: $(VENV)/.dev
	@$(BIN)/python docs/generate.py

lock: $(VENV)/.dev
	@$(BIN)/$(LOCK) pyproject.toml -o requirements.txt
	@$(BIN)/$(LOCK) --group build -c requirements.txt -o requirements-build.txt
	@for package in $(LEFT_OUT); do echo "$$package ; python_version < '3'"; done >$(VENV)/overrides.txt
	@$(EXTRA) web | $(BIN)/$(LOCK) - -c requirements.txt --override $(VENV)/overrides.txt -o requirements-web.txt
	@$(EXTRA) test | $(BIN)/$(LOCK) - -c requirements.txt -c requirements-web.txt -o requirements-test.txt
	@$(EXTRA) postgres | $(BIN)/$(LOCK) - -c requirements.txt -o requirements-postgres.txt
	@$(EXTRA) test | $(BIN)/$(LOCK) - --group dev -c requirements.txt -c requirements-build.txt -c requirements-web.txt -c requirements-test.txt -c requirements-postgres.txt -o requirements-dev.txt

clean:
	rm -rf $(VENV) dist
