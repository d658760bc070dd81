# The commands that people type; CMake does the work. See CONTRIBUTING.md.
BUILD ?= build
JOBS  ?= $(shell nproc)
MAKEFLAGS += --no-print-directory

.PHONY: all demo test bench install deb docs asan tsan asan-build tsan-build format lint clean

all:
	@test -f $(BUILD)/Makefile || cmake --preset release -B $(BUILD)
	@cmake --build $(BUILD) -j $(JOBS)

demo: all
	@tools/demo $(BUILD)

test: all
	@tests/run-tests $(BUILD)

bench: all
	@tools/bench $(BUILD)

install: all
	cmake --install $(BUILD)

# A package for the Debian or Ubuntu that this runs on; in a folder of its own, configured for /usr.
deb:
	@packaging/make_deb.sh $(BUILD)-deb

# The reference that is read off the tables of commands and options; a test compares it.
docs: all
	@$(BUILD)/sdxl-lab manual --markdown >docs/COMMAND.md

# The tests again under a sanitizer, each in a folder of its own.
asan tsan: %: %-build
	@tests/run-tests $(BUILD)-$@

asan-build tsan-build: %-build:
	@test -f $(BUILD)-$*/Makefile || cmake --preset $* -B $(BUILD)-$*
	@cmake --build $(BUILD)-$* -j $(JOBS)

format:
	git ls-files '*.c' '*.h' '*.cu' '*.cuh' | xargs clang-format -i

lint: all
	git ls-files 'src/*.c' 'tools/*.c' | xargs clang-tidy --quiet -p $(BUILD)

clean:
	rm -rf $(BUILD) $(BUILD)-*
