# MeMS: build it, try it, test it. `make help` lists the targets.

CARGO ?= cargo
CC ?= cc
PREFIX ?= /usr/local
LIBMEMS := $(CURDIR)/target/release/libmems.so

# The tests and scripts look for the library under target/, wherever the user's own builds go.
export CARGO_TARGET_DIR := $(CURDIR)/target
export LIBMEMS CC

.PHONY: build help demo test test-c test-rust test-programs test-programs-all run bench bench-quick bench-counting bench-profile bench-mems cli man install clean pitfalls misuse soak fuzz verify
.DEFAULT_GOAL := build

## build: libmems.so (release)
build:
	$(CARGO) build --release -p mems

## demo: build libmems.so alone, preload it under a real program, show a mems_print_stats
demo: build
	@scripts/demo.sh

## test: everything; ends with one line: N passed, N failed, N skipped
test: build
	@scripts/test.sh

## test-c: the C programs of c_tests/, linked and preloaded (T="name name" for some of them)
test-c: build
	@scripts/c_tests.sh $(T)

## test-rust: the Rust tests of the whole workspace
test-rust: build
	$(CARGO) test --workspace --no-fail-fast

## test-programs: real programs, plain and preloaded, compared (T="name name" for some; E="MEMS_HARDEN=1" for another mode)
test-programs: build
	@scripts/programs.sh $(E:%=-e %) $(T)

## test-programs-all: all of them as MeMS comes, hardened, and with guarded blocks (about 5 minutes)
test-programs-all: build
	@status=0; for e in "" "-e MEMS_HARDEN=1" "-e MEMS_GUARD=sample:1000"; do scripts/programs.sh $$e $(T) || status=1; done; exit $$status

## pitfalls, misuse: who passes what: glibc, MeMS and the allocators installed here, as tables (T="options" of the scripts)
pitfalls misuse: build
	@scripts/$@.sh $(T)

## verify: loom models of the lock-free parts; the engine's tests under AddressSanitizer
verify:
	@scripts/verify.sh

## fuzz M=10: the C interface against a model for so many minutes, guided by coverage
fuzz:
	@scripts/fuzz.sh $(or $(M),10)

## soak M=30: threads, forks, signals and refusals for so many minutes
soak: build
	@scripts/soak.sh $(or $(M),30)

## run T=name: one C test by hand, its output shown
run: build
	@scripts/c_tests.sh -v $(or $(T),$(error say which test: make run T=name))

## bench: every row, every allocator, then docs/performance.md (about 11 minutes; BENCH="--rounds 9" for more, see scripts/bench.sh --help)
bench: build
	@scripts/bench-report.sh $(BENCH)

## bench-quick R="mixed small": some rows beside the strongest peers, in under a minute
bench-quick: build
	@bench/quick.sh $(R)

## bench-counting: the price of counting, against a build without it
bench-counting: build
	@scripts/bench-counting.sh

## bench-profile: what call sites cost, beside heaptrack (about 4 minutes; P="--rounds 9 --others python" for options)
bench-profile: build
	@scripts/bench-profile.sh $(P)

## bench-mems: ns of mems_malloc, mems_get and mems_free by live segments, beside a plain linear list (about a minute)
bench-mems: build
	@scripts/bench_mems.sh $(N)

## cli: the mems command (release)
cli:
	$(CLI_PROFILE) $(CARGO) build --release -p mems-cli

# The command is not on anybody's fast path: its build is to be quick, not its code.
CLI_PROFILE := CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0

## man: man pages and shell completions, into build/man and build/completions
man: cli
	target/release/mems man build/man
	@mkdir -p build/completions
	target/release/mems completions bash > build/completions/mems
	target/release/mems completions zsh > build/completions/_mems
	target/release/mems completions fish > build/completions/mems.fish

## install PREFIX=/usr/local: library, header, mems command, man pages, completions
install: build man
	install -d $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 target/release/libmems.so $(DESTDIR)$(PREFIX)/lib/libmems.so
	install -m 644 include/mems.h $(DESTDIR)$(PREFIX)/include/mems.h
	install -m 755 target/release/mems $(DESTDIR)$(PREFIX)/bin/mems
	install -m 644 build/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -D -m 644 build/completions/mems $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mems
	install -D -m 644 build/completions/_mems $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_mems
	install -D -m 644 build/completions/mems.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/mems.fish

## clean: remove what was built
clean:
	$(CARGO) clean
	rm -rf build

help:
	@sed -n 's/^## /make /p' Makefile
