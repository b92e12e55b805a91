# Two commands for everyone: `make lab` and `make test`. Both set up .venv first, once.
# Another Python: make lab PYTHON=python3.13

PYTHON ?= python3
BIN := .venv/bin
# Threads of the linear algebra fight each other when tests run side by side.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

# JupyterLab wants to be told that root is meant; in a container one often is.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: lab test notebooks handout mark figures site bench bench-scale lint lock

lab: .venv/ready
	$(BIN)/python notebooks/lessons.py copies
	$(BIN)/jupyter lab $(AS_ROOT) my-course/START.ipynb

test: .venv/ready lint
	$(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder --nbval --nbval-current-env

# The course for a browser, in site/: open site/index.html, or serve the folder.
site: .venv/ready
	$(ONE_THREAD) $(BIN)/python docs/build.py
	@echo "The site is in site/: open site/index.html"

bench: .venv/ready
	$(ONE_THREAD) $(BIN)/python benchmarks/run.py

# Up to ten million rows; more: make bench-scale ROWS=100_000_000
bench-scale: .venv/ready
	$(ONE_THREAD) $(BIN)/python benchmarks/scale.py $(ROWS)

lint: .venv/ready
	$(BIN)/ruff format --check --quiet || { echo "make lint: run $(BIN)/ruff format"; exit 1; }
	$(BIN)/ruff check --quiet
	$(BIN)/mypy

# All lessons, or some: make notebooks LESSONS="03 04"
notebooks: .venv/ready
	$(ONE_THREAD) $(BIN)/python notebooks/lessons.py execute $(LESSONS)

handout: .venv/ready
	$(BIN)/python notebooks/lessons.py handout

# A class's notebooks: make mark FOLDER=handed-in; seconds for each: LIMIT=60
mark: .venv/ready
	$(ONE_THREAD) $(BIN)/python notebooks/mark.py "$(FOLDER)" $(if $(LIMIT),--limit $(LIMIT))

figures: .venv/ready
	PYTHONPATH=notebooks $(ONE_THREAD) $(BIN)/python figures/draw.py

lock: .venv/ready
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --upgrade --all-extras pyproject.toml -o requirements.lock

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"This course needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + \
		": name another one, as in make lab PYTHON=python3.13")'
	@echo "Setting up .venv, once; this takes a minute or two."
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@# JupyterLab would otherwise ask for news from the network.
	@$(BIN)/jupyter labextension disable --level=sys_prefix "@jupyterlab/apputils-extension:announcements" 2>/dev/null
	@touch $@
