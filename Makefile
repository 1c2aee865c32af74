# The tasks of the project; `make help` lists them.
# PYTHON=... names the interpreter; otherwise the first one that is new enough is taken.
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
RUN := PATH="$(BIN):$$PATH" VIRTUAL_ENV="$(CURDIR)/$(VENV)"

.PHONY: help demo test build rust-test python-test lint docs-test bench clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: build  ## build, install into .venv, fit InstEval and print the summary
	$(RUN) python docs/examples/insteval.py

test: lint rust-test python-test  ## build and run everything that must pass

$(VENV)/ready: pyproject.toml .ci/venv
	PYTHON="$(PYTHON)" .ci/venv $(VENV)
	$(RUN) python -m pip install --quiet --upgrade pip
	$(RUN) python -m pip install --quiet "maturin>=1.9,<2" "cmake>=3.20"
	touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(RUN) python -m pip install --quiet --group test
	touch $@

build: $(VENV)/ready  ## compile the engine and install the package into .venv
	$(RUN) maturin develop --release --quiet

rust-test: $(VENV)/ready  ## tests of the engine
	$(RUN) cargo test --workspace --quiet

python-test: build $(VENV)/ready-dev  ## tests of the package, on all cores
	$(RUN) python -m pytest tests -n auto --dist worksteal

docs-test: build $(VENV)/ready-dev  ## examples of the documentation only
	$(RUN) python -m pytest tests/docs

lint: build $(VENV)/ready-dev  ## formatting, lints and types
	cargo fmt --all --check
	$(RUN) cargo clippy --workspace --all-targets --quiet -- -D warnings
	$(RUN) ruff check python tests benches docs .ci
	$(RUN) ruff format --check python tests benches docs .ci
	$(RUN) pyright
	$(RUN) python -m mypy.stubtest mixedmodels._engine --ignore-missing-stub

bench: build  ## benches of the engine (criterion)
	$(RUN) cargo bench -p mixedmodels

clean:  ## remove everything that was built
	rm -rf target $(VENV)
