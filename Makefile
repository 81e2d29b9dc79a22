# What a person runs. The workflows run the same commands; STACK is staging or prod.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
STACK ?= staging

# Bytecode is kept: half of a short process would else be compiling.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install lock demo test unit lint format bench bench-policy bench-guards docs docs-check site golden guards preview deploy drift prove secrets-check rollback
.PHONY: bench-proofs harmless policy guards-application watch-soak
.PHONY: review name-plan approved-plan comment notify propose-rotation reviewed approved clean

install: $(STAMP)

# uv from PATH, else the one that the lock pins; CONTRIBUTING.md has the same with plain pip. Packages are compiled when
# first imported: that costs seconds, all their 12,000 files 70.
UV = $$(uv --version >/dev/null 2>&1 && echo uv || echo $(BIN)/uv)
$(STAMP): requirements.lock requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("atlas-access needs Python 3.11 or later: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || if uv --version >/dev/null 2>&1; then uv venv --python $(PYTHON) $(VENV); else $(PYTHON) -m venv $(VENV); fi
	@$(UV) --version >/dev/null 2>&1 || { sed -n '/^uv==/,/[^\\]$$/p' requirements.lock >$(VENV)/uv.txt && \
	  $(BIN)/python -m pip install --disable-pip-version-check --require-hashes --requirement $(VENV)/uv.txt; }
	@$(UV) pip install --python $(BIN)/python --require-hashes --requirement requirements.lock
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m sandbox.browser
	@touch $@

# Pin and hash everything anew; the versions that are there stay, unless a requirements file asks for another.
lock: $(STAMP)
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile --quiet --universal --generate-hashes --no-annotate \
	  --no-emit-index-url --python-version 3.11 --output-file requirements.lock requirements-dev.txt

demo: $(STAMP)
	@$(BIN)/atlas-access sandbox demo

test: lint
	$(PYTEST)

# The quick answer while one writes: no I/O, fewer examples, and none of the searches through whole spaces.
unit: $(STAMP)
	$(PYTEST) tests/unit -m 'not thorough' --hypothesis-profile=quick

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)
	@for each in tests/bench/bench_*.py; do echo "== $$each" && $(BIN)/python $$each || exit 1; done

bench-policy: $(STAMP)
	$(BIN)/python tests/bench/bench_policy.py

# Constant load through the whole migration and through a rollback, the rollout's own overhead, every replay; then a
# crash at every boundary, and real kills. Ten minutes and more.
soak: $(STAMP)
	$(BIN)/python tests/bench/soak.py
	$(PYTEST) tests/unit/test_step_loop_crash.py tests/sandbox/test_rollout_killed.py
	$(PYTEST) tests/golden tests/sandbox/test_proof_audit_role.py tests/sandbox/test_rollout_killed.py -m soak

# Capture anew what must not change by accident; `git diff tests/golden/data` shows what did. Takes minutes.
golden: $(STAMP)
	$(BIN)/python -m tests.golden.capture tests/golden/data here world

# The three incidents and seven more: each shown happening without our gates, then caught. Not part of `make test`.
replays: $(STAMP)
	@$(BIN)/atlas-access sandbox replay --all --dir .sandbox-replays

docs: $(STAMP)
	$(BIN)/atlas-access docs

# The documents as a site, in site/; a link that leads nowhere fails it.
site: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

docs-check: $(STAMP)
	$(BIN)/atlas-access docs --check

# What is left out, and why, is in guards.yaml.
guards: $(STAMP)
	$(BIN)/atlas-access guard all

# Another repository's code, by this one's manifest.
guards-application: $(STAMP)
	$(BIN)/atlas-access guard all --no-documents --source "$(SOURCE)"

bench-guards: $(STAMP)
	$(BIN)/python tests/bench/bench_guards.py

preview: $(STAMP)
	@pulumi preview --stack $(STACK) --policy-pack policy --diff --color never --non-interactive \
	  --save-plan plan-$(STACK).json >preview-$(STACK).txt; code=$$?; cat preview-$(STACK).txt; exit $$code

# Whatever the update came to, what the servers say now is asked, and only drift that was not there before counts.
deploy: $(STAMP)
	@$(BIN)/atlas-access drift $(STACK) --format json >drift-$(STACK).json; code=0; \
	  pulumi up --stack $(STACK) --policy-pack policy --plan plan-$(STACK).json --yes --non-interactive || code=$$?; \
	  $(BIN)/atlas-access prove $(STACK) || code=$$?; \
	  $(BIN)/atlas-access drift $(STACK) --before drift-$(STACK).json || code=$$?; exit $$code

drift: $(STAMP)
	@$(BIN)/atlas-access drift $(STACK) $(if $(GITHUB_REPOSITORY),--github $(GITHUB_REPOSITORY)); code=$$?; \
	  test -z "$(GITHUB_OUTPUT)" || echo "answer=$$code" >>"$(GITHUB_OUTPUT)"; exit $$code

prove: $(STAMP)
	$(BIN)/atlas-access prove $(STACK)

# The state as it was deployed; its secrets stay encrypted.
policy: $(STAMP)
	@pulumi stack export --stack $(STACK) | $(BIN)/atlas-access policy $(STACK) --state -

secrets-check: $(STAMP)
	$(BIN)/atlas-access guard validate-secrets --stack $(STACK) --no-login

watch-soak: $(STAMP)
	$(BIN)/atlas-access soak $(STACK) --watch

rollback: $(STAMP)
	$(BIN)/atlas-access rollback $(STACK)

# What a change does to access, for the pull request's comment; `answer` is the command's exit code.
BASE ?= origin/main
review: $(STAMP)
	@$(BIN)/atlas-access review --base $(BASE) --format md >review.md 2>&1; code=$$?; cat review.md; \
	  test -z "$(GITHUB_OUTPUT)" || echo "answer=$$code" >>"$(GITHUB_OUTPUT)"; test $$code -le 1

# What the workflows do with GitHub. A plan is kept under the tree that it was made for: what is merged is applied only
# as it was previewed.
name-plan approved-plan comment notify reviewed: export STACK := $(STACK)
name-plan approved-plan comment notify reviewed: $(STAMP)
	@$(BIN)/python -m atlas_access.workflow $@

propose-rotation: export STACK := $(STACK)
propose-rotation: $(STAMP)
	@$(BIN)/atlas-access drift $(STACK) --format json >drift-$(STACK).json; $(BIN)/python -m atlas_access.workflow $@

# The job `approval` has nothing to do: its environment asks the approving role.
approved:
	@echo "approved"

# MONGOSH names a mongosh (npm install mongosh); without one its line says "not run".
bench-proofs: $(STAMP)
	@$(BIN)/python tests/bench/bench_proofs.py

# The test that a proof changes nothing, on the newest mongod of SERIES (7.0, 8.0, …; current: of all), from MongoDB's
# list of releases and only with the checksum that is listed there. Needs jq and Ubuntu 22.04 or later on x86-64.
SERIES ?= current
RELEASES = https://downloads.mongodb.org/current.json
NEWEST = [.versions[] | select(.production_release and (.version | startswith("$(SERIES:current=)")))] \
  | max_by(.version | split(".") | map(tonumber)) | .downloads[] \
  | select(.target == "ubuntu2204" and .arch == "x86_64" and .edition == "targeted") | .archive | "\(.url) \(.sha256)"
harmless: $(STAMP)
	@folder=$$(mktemp -d) && archive=$$folder/mongod.tgz && curl -fsSL --retry 3 -o $$folder/releases $(RELEASES) && \
	  set -- $$(jq -er '$(NEWEST)' $$folder/releases) && test $$# = 2 && curl -fsSL --retry 3 -o $$archive "$$1" && \
	  echo "$$2  $$archive" | sha256sum --check --quiet && \
	  tar -xzf $$archive -C $$folder --strip-components=2 --wildcards '*/bin/mongod' && \
	  MONGOD=$$folder/mongod $(PYTEST) tests/sandbox/test_proof_harmless.py; code=$$?; rm -rf $$folder; exit $$code

clean:
	@test ! -e .sandbox || test ! -x $(BIN)/atlas-access || $(BIN)/atlas-access sandbox down
	rm -rf $(VENV) site .sandbox .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .test-artifacts .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
