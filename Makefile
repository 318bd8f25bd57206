# The targets a newcomer needs are `make run` and `make test`; `make help` lists the rest.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BUILD   ?= 0
PREFIX  ?= /usr/local/sysflow

# Host and plugins must be built alike: these flags are the only place that says how.
LDFLAGS    := -X main.version=$(VERSION) -X main.buildNumber=$(BUILD)
BUILDFLAGS := -trimpath
export CGO_ENABLED := 1

.PHONY: help build plugin plugins install docker-build run test lint fuzz bench bench-compare generate check-generated clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

build: ## build driver/sfprocessor
	$(GO) build $(BUILDFLAGS) -ldflags '$(LDFLAGS)' -o driver/sfprocessor ./driver

run: build ## replay a shipped trace through shipped policies and print the alerts
	cd driver && ./sfprocessor -config=../resources/pipelines/pipeline.alerts.json ../resources/traces/webshell.sf

plugin: ## build the plugin in DIR as OUT, for example DIR=path/to/my/plugin OUT=resources/plugins/my.so
	@test -n "$(DIR)" -a -n "$(OUT)" || { echo "usage: make plugin DIR=path/to/my/plugin OUT=path/to/my.so" >&2; exit 2; }
	GO='$(GO)' docker/build-plugin '$(DIR)' '$(OUT)' $(BUILDFLAGS)

plugins: ## build the example plugins
	$(MAKE) -C plugins/drivers/auditlog
	$(MAKE) -C plugins/processors/example
	$(MAKE) -C plugins/processors/enrich
	$(MAKE) -C plugins/handlers/printer
	$(MAKE) -C plugins/actions/example

install: build ## install program, pipelines and policies under PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/conf \
	  $(DESTDIR)$(PREFIX)/resources/drivers $(DESTDIR)$(PREFIX)/resources/plugins \
	  $(DESTDIR)$(PREFIX)/resources/handlers $(DESTDIR)$(PREFIX)/resources/actions
	install -m 0755 driver/sfprocessor $(DESTDIR)$(PREFIX)/bin/sfprocessor
	cp -R resources/policies resources/pipelines $(DESTDIR)$(PREFIX)/resources/
	install -m 0644 resources/pipelines/pipeline.distribution.json $(DESTDIR)$(PREFIX)/conf/pipeline.json

TAG     ?= dev
RELEASE ?= $(TAG)
docker-build: ## build the images sysflowtelemetry/sf-processor:TAG and sysflowtelemetry/plugin-builder:TAG
	docker build -f docker/Dockerfile --target plugin-builder --build-arg VERSION=$(VERSION) --build-arg BUILD_NUMBER=$(BUILD) \
	  -t sysflowtelemetry/plugin-builder:$(TAG) .
	docker build -f docker/Dockerfile --build-arg VERSION=$(VERSION) --build-arg BUILD_NUMBER=$(BUILD) --build-arg RELEASE=$(RELEASE) \
	  -t sysflowtelemetry/sf-processor:$(TAG) .

test: ## run every test, with the race detector
	$(GO) test -race -shuffle=on -timeout 20m ./...

# The parser generator writes code that cannot be reached, and much that staticcheck dislikes.
lint: ## format, vet and static analysis
	@out=$$(gofmt -l $$(git ls-files '*.go' | grep -v /internal/gen/)); test -z "$$out" || { echo "gofmt: $$out"; exit 1; }
	$(GO) vet -unreachable=false ./...
	$(GO) tool staticcheck $$($(GO) list ./... | grep -v '/internal/gen$$')

FUZZTIME ?= 10s
fuzz: ## run each fuzz target for FUZZTIME
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; \
	done

# The benchmarks of the whole program: CPU time, allocations and memory per record beside the floor, which is inflating
# the same blocks. SFP_BENCH_TRACE and SFP_BENCH_RECORDS choose what is replayed; COUNT=6 gives benchstat something to compare.
COUNT ?= 1
bench: ## measure replays: cost per record, and its ratio to the floor
	@mkdir -p bench
	$(GO) test -run '^$$' -bench '^BenchmarkReplay$$' -benchtime 1x -count $(COUNT) -timeout 60m ./driver | tee bench/new.txt

bench-compare: ## compare with git revision REV, for example REV=HEAD~1 COUNT=6
	@test -n "$(REV)" || { echo "usage: make bench-compare REV=revision [COUNT=6]" >&2; exit 2; }
	rm -rf bench/rev && git worktree prune && git worktree add --detach bench/rev $(REV)
	cd bench/rev && $(GO) test -run '^$$' -bench '^BenchmarkReplay$$' -benchtime 1x -count $(COUNT) -timeout 60m ./driver | tee ../old.txt
	git worktree remove --force bench/rev
	$(MAKE) bench
	$(GO) tool benchstat bench/old.txt bench/new.txt

generate: ## regenerate parser, reference pages and traces
	$(GO) generate ./...

check-generated: generate ## fail if a generated file is not current
	git diff --exit-code
	@new=$$(git ls-files --others --exclude-standard); test -z "$$new" || { echo "not committed: $$new"; exit 1; }

clean: ## remove what was built
	rm -rf driver/sfprocessor bench
	rm -f resources/drivers/*.so resources/plugins/*.so resources/handlers/*.so resources/actions/*.so
