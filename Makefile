# make help lists the targets. On a fresh clone, make demo and make test each
# do everything themselves; they need Go, Python 3.10 to 3.13 and a package
# registry, nothing else.

PREFIX  ?= /usr/local
DESTDIR ?=
PYTHON  ?= python3
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

GO        := go
BUILD     := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'
SOURCES   := $(shell find cmd endpointfs globus server tools -name '*.go' -not -name '*_test.go' 2>/dev/null) \
             $(shell find endpointfs globus -type f -not -name '*.go' -not -path '*/testdata/*' 2>/dev/null) go.mod go.sum
# The race detector needs a C compiler; without one the tests run without it.
RACE      := $(if $(shell command -v $${CC:-cc} 2>/dev/null),-race,)
FUZZTIME  ?= 20s
# A package whose tests take this long hangs, even on a machine ten times loaded.
HANG      ?= 60m
# The processors that wheels are built for, and where they go.
WHEEL_ARCHS ?= amd64 arm64
WHEELS      ?= build/wheel

.PHONY: help build demo wheel test test-short test-slurm faults duel bench fuzz update record lint lock install clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: bin/chiltepin bin/globus-sandbox ## build both programs, static, into bin/

bin/%: $(SOURCES)
	$(BUILD) -o $@ ./cmd/$*

wheel: $(WHEEL_ARCHS:%=build/wheel/%/chiltepin) ## build Python wheels that carry the program, into build/wheel
	@rm -f $(WHEELS)/chiltepin_endpoint-*.whl
	@for arch in $(WHEEL_ARCHS); do \
	  $(PYTHON) clients/python/backend.py --binary build/wheel/$$arch/chiltepin --arch $$arch --version '$(VERSION)' $(WHEELS) || exit 1; done

build/wheel/%/chiltepin: $(SOURCES)
	GOOS=linux GOARCH=$* $(BUILD) -o $@ ./cmd/chiltepin

demo: build ## run the main job: the real daemon and SDK against the local stand-in
	@cmd/chiltepin/demo/run

test: ## run all tests, with the real daemon, SDK and broker
	$(GO) test $(RACE) -timeout $(HANG) ./...

test-short: ## run what needs nothing installed, in a minute; the rest is skipped
	$(GO) test -short ./...

test-slurm: ## run resource pools through Debian's Slurm, which it installs and starts; takes root
	globus/pool/testdata/slurm/run $(GO) test -tags slurm -run '^TestSlurm$$' -count 1 -timeout $(HANG) ./globus/pool
faults: ## run every fault on every operation, and write docs/faults.md
	$(GO) test ./cmd/chiltepin/faults -timeout $(HANG) -whole -write
	$(GO) test ./cmd/chiltepin/faults -timeout $(HANG) -run Times -write
	$(GO) test ./cmd/chiltepin/faults -run Page

duel: ## run the same faults through globus-compute-endpoint too, and write docs/duel.md
	$(GO) test ./cmd/chiltepin/faults -timeout $(HANG) -run Duel -duel -write -v

bench: build ## print benchmarks, each as a ratio to a peer or floor in the same run
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 20m ./... | grep -v -e '^ok' -e 'no test files' -e '^PASS'

fuzz: ## fuzz every parser for FUZZTIME each
	@for dir in $$(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u); do \
	  for target in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | sed 's/func //'); do \
	    echo "$$dir $$target"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./$$dir || exit 1; done; done

update: ## rewrite the goldens; a diff in them is what the world will see change
	$(GO) test ./tools -run Golden -update
	$(GO) test ./server/mcp ./server/rpc -run Transcript -update

record: ## record anew how the real daemon fails (globus/daemon/testdata/failures); takes ten minutes
	$(GO) test ./globus/endpoint -run TestRecords -record -timeout 30m

lint: ## gofmt, vet, staticcheck, tidy go.mod
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run gofmt -w on these'; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff

lock: ## regenerate the hash-locked Python requirements
	$(GO) run ./globus/runtime/cmd/lock

install: build ## install under $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 0755 bin/chiltepin $(DESTDIR)$(PREFIX)/bin/chiltepin

clean: ## remove what was built
	rm -rf bin build
