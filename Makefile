## pushlet-fcgi - a Pushlet server behind FastCGI
##
## Targets
##   all            pushletd, pushlet-relay, pushlet-bridge, pushlet-publish,
##                  pushlet-sources, pushletctl, libpushlet.{a,so}
##   run            install what is missing, build, start the demo
##   check          install what is missing, build, run every test
##   check-unit check-fuzz check-server check-browser check-guards
##                  one group of the tests
##   bench          install what is missing, build, measure: tests/bench/run
##   crash          the same, and kill a process at each store to the segment
##                  of each operation: tests/unit/test_crash.c
##   storm          the same, and kill processes of a server under load:
##                  tests/storm/storm.mjs
##   cluster        the same for three nodes and their Redis:
##                  tests/storm/cluster.mjs
##   soak           the same, and see that nothing grows under thousands of
##                  clients that come and go: tests/storm/soak.mjs
##   hostile        the same, and print which hostile inputs get which answers:
##                  tests/server/hostile
##   fuzz           install what is missing, build with clang, look for inputs
##                  that break something: tests/fuzz/run.  check-fuzz is a
##                  short look, by any compiler: tests/fuzz/driver.c
##   conformance    play the protocol against the server at URL, ours or
##                  another, and say what holds: tests/conformance/run.mjs
##   analyze        install what is missing, let cppcheck and clang-tidy read
##                  the source: build-aux/analyze
##   install        below $(DESTDIR)$(prefix); uninstall removes the same files
##   deb            install what is missing, build the Debian packages of HEAD in
##                  $(BUILD)/deb
##   clean          what was built in $(BUILD)
##   distclean      all that a fresh clone does not have
##   dist           a source tarball of HEAD, with configure
##   help           this text
##
## Knobs, given as make NAME=VALUE
##   BUILD=DIR      where everything is built: build, or build-asan,
##                  build-tsan, ... with SANITIZE; build-fuzz by fuzz
##   SANITIZE=LIST  address,undefined or thread or another -fsanitize= list
##   DEVELOPER=1    more warnings, all of them errors, banned functions
##   CRASH_POINTS=1 compile in the points where the tests kill a process
##   CC, CPPFLAGS, CFLAGS, LDFLAGS
##                  the flags come last and win; a changed flag rebuilds
##   prefix, sbindir, sysconfdir, ..., DESTDIR
##                  the usual directories; ./configure --help lists them
##   TESTS=WORD     only test files with WORD in their path, also of bench
##                  and fuzz
##   SECONDS=N      how long each fuzzer runs: 10
##   KILLS=N        how many processes storm kills: 200
##   SEED=N         makes storm, cluster, soak and check-fuzz choose the same again;
##                  they print it
##   MINUTES=N      how long soak and cluster take: 5
##   URL=URL        the server that conformance asks; PROFILE=original, if it
##                  should be like Just van den Broecke's; WAIT=N seconds for
##                  its heartbeats; SUBJECT=TEXT, what all subjects begin with;
##                  JSON=FILE for a report that programs read
##   DEPS=:         install no packages
##   VALGRIND=1     unit tests, and pushletd in server tests, run under valgrind
##   V=1            show the commands

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: all analyze analyze-built bench bench-built check check-unit \
	check-fuzz check-server check-browser check-guards check-built clean \
	cluster cluster-built conformance crash crash-built deb dist distclean \
	fuzz fuzz-built help hostile hostile-built install run soak soak-built \
	storm storm-built uninstall FORCE
all:

# -- configuration --------------------------------------------------------
#
# config.mk is made by the rule below when it is missing: GNU make remakes the
# files it includes.  The goals of NEED_NO_CONFIG come before that: run, check
# and the like must first install the very packages that configure looks for,
# and then call make again.

CHECKS = check check-unit check-fuzz check-server check-browser check-guards
BUILD_FIRST = run analyze bench cluster crash fuzz hostile soak storm $(CHECKS)
NEED_NO_CONFIG = help clean conformance deb distclean $(BUILD_FIRST)

ifneq ($(filter-out $(NEED_NO_CONFIG),$(or $(MAKECMDGOALS),all)),)
include config.mk
endif

# These call make again, which is free to build in parallel; their own make
# must not build the same files meanwhile (make -j all check).
ifneq ($(filter $(BUILD_FIRST),$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

configure: configure.ac
	@command -v autoconf >/dev/null || { echo 'make: autoconf not found' \
		'(Debian: autoconf); build-aux/deps build installs' \
		'all that is needed' >&2; exit 1; }
	autoconf
	@rm -rf autom4te.cache configure~; touch $@

config.mk: config.mk.in configure
	@if test -x config.status; then \
		./config.status --recheck && ./config.status; \
	else \
		./configure; \
	fi
	@touch $@

# -- directories and flags ------------------------------------------------

comma = ,
sanitizers = $(subst $(comma), ,$(SANITIZE))
build_suffix = $(if $(SANITIZE),$(or \
	$(if $(filter address,$(sanitizers)),-asan), \
	$(if $(filter thread,$(sanitizers)),-tsan), \
	$(if $(filter memory,$(sanitizers)),-msan), \
	-$(subst $(comma),-,$(SANITIZE))))
BUILD ?= build$(strip $(build_suffix))
OBJ = $(BUILD)/obj

WARNINGS = -Wall -Wextra
ifneq ($(filter-out 0,$(DEVELOPER)),)
WARNINGS += -Werror -Wformat=2 -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wshadow -Wstrict-prototypes -Wundef -Wvla \
	-Wwrite-strings -include base/banned.h
endif

# Fortified functions need -O and hide their calls from the sanitizers.
FORTIFY = $(if $(SANITIZE)$(filter -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE \
	-D_FORTIFY_SOURCE=2)
SANITIZE_FLAGS = $(if $(SANITIZE),-fsanitize=$(SANITIZE) \
	-fno-omit-frame-pointer \
	$(if $(filter undefined,$(sanitizers)),-fno-sanitize-recover=all))

# An empty _GNU_SOURCE agrees with a source file that defines it again.
DEFINES = -D_GNU_SOURCE= -DPUSHLET_VERSION='"$(VERSION)"' \
	-DSYSCONFDIR='"$(sysconfdir)"' \
	$(if $(filter-out 0,$(CRASH_POINTS)),-DCRASH_POINTS)
BASE_CFLAGS = -std=gnu11 -Isrc -Iinclude $(DEFINES) -O2 -g -pthread \
	-fstack-protector-strong -fstack-clash-protection $(FORTIFY) $(WARNINGS) $(SANITIZE_FLAGS) \
	$(FCGI_CFLAGS) $(XML_CFLAGS) $(UV_CFLAGS) $(INIH_CFLAGS) \
	$(CURSES_CFLAGS) $(HIREDIS_CFLAGS)
BASE_LDFLAGS = -pthread $(SANITIZE_FLAGS) -Wl,-z,relro -Wl,-z,now \
	-Wl,--as-needed

OBJ_CFLAGS = -fPIE
COMPILE = $(CC) $(BASE_CFLAGS) $(OBJ_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(BASE_LDFLAGS) -pie $(CFLAGS) $(LDFLAGS)
LINK_SO = $(CC) $(BASE_LDFLAGS) -shared \
	-Wl,-soname,libpushlet.so.$(SOVERSION) \
	$(if $(SANITIZE),,-Wl,--no-undefined) $(CFLAGS) $(LDFLAGS)

quiet = $(if $(V),,@printf '  %-4s %s\n' '$(1)' '$@';)

# -- what is made of what -------------------------------------------------

src = $(sort $(wildcard $(addsuffix /*.c,$(addprefix src/,$(1)))))
obj = $(patsubst %.c,$(OBJ)/%.o,$(1))

SOVERSION = 0
LIB_SRC = $(call src,base shm broker)
SERVER_SRC = src/main.c $(call src,fcgi channel command daemon)
RELAY_SRC = $(call src,relay)
BRIDGE_SRC = $(call src,bridge)
TOOL_SRC = $(sort $(wildcard src/tools/tool_*.c))
PUBLISH_SRC = $(sort $(wildcard src/tools/publish_*.c))
FEED_SRC = $(call src,feed)
SOURCES_SRC = $(call src,sources)
CTL_SRC = $(sort $(wildcard src/tools/ctl_*.c))
UNIT_SRC = $(LIB_SRC) $(TOOL_SRC) $(FEED_SRC) $(filter-out src/main.c \
	src/relay/pushlet-relay.c src/sources/pushlet-sources.c, \
	$(SERVER_SRC) $(RELAY_SRC) $(SOURCES_SRC)) \
	src/bridge/place.c src/bridge/entry.c src/bridge/link.c
UNIT_TESTS = $(sort $(wildcard tests/unit/test_*.c))
UNIT_COMMON = $(filter-out $(UNIT_TESTS),$(wildcard tests/unit/*.c))
BENCHES = $(sort $(wildcard tests/bench/*.c))
BENCH_MAINS = $(addprefix tests/bench/,feed.c load.c null.c segment.c)
FUZZERS = $(sort $(wildcard tests/fuzz/fuzz_*.c))

LIBRARY = $(BUILD)/libpushlet.a
SHARED = $(BUILD)/libpushlet.so
TOOLS = $(BUILD)/pushlet-publish $(BUILD)/pushletctl
UNIT_PROGRAMS = $(patsubst tests/unit/%.c,$(BUILD)/test/%,$(UNIT_TESTS))
BENCH_PROGRAMS = $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(BENCH_MAINS))
FUZZ_COMMON = tests/fuzz/driver.c tests/fuzz/mutation.c
FUZZ_PROGRAMS = $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/fuzz/%,$(FUZZERS))
FUZZ_CHECKS = $(patsubst tests/fuzz/%.c,$(BUILD)/test/%,$(FUZZERS))

# The members of libpushlet share one compilation: position-independent, and
# hidden but for what include/pushlet.h marks, so only that leaves the .so.
LIB_OBJ = $(call obj,$(LIB_SRC))
$(LIB_OBJ): private OBJ_CFLAGS = -fPIC -fvisibility=hidden

PROGRAMS = $(addprefix $(BUILD)/,pushletd pushlet-relay pushlet-bridge \
	pushlet-sources) $(TOOLS)
all: $(PROGRAMS) $(LIBRARY) $(SHARED) $(BUILD)/pushlet.pc

LIB_LIBS = $(INIH_LIBS) -lrt
$(BUILD)/pushletd: private LIBS = $(FCGI_LIBS) $(XML_LIBS) $(UV_LIBS) \
	$(LIB_LIBS)
$(BUILD)/pushlet-bridge: private LIBS = $(HIREDIS_LIBS) $(LIB_LIBS)
$(BUILD)/pushlet-publish: private LIBS = $(XML_LIBS) $(LIB_LIBS)
$(BUILD)/pushlet-sources: private LIBS = $(XML_LIBS) $(UV_LIBS) $(LIB_LIBS)
$(BUILD)/pushletctl: private LIBS = $(CURSES_LIBS) $(LIB_LIBS)

$(BUILD)/pushletd: $(call obj,$(SERVER_SRC)) $(LIBRARY)
# Of the library it gets what it calls, and that needs nothing but libc.
$(BUILD)/pushlet-relay: $(call obj,$(RELAY_SRC) src/fcgi/handover.c \
	src/fcgi/record.c) $(LIBRARY)
$(BUILD)/pushlet-bridge: $(call obj,$(BRIDGE_SRC)) $(LIBRARY)
$(TOOLS): $(BUILD)/%: $(OBJ)/src/tools/%.o $(call obj,$(TOOL_SRC)) $(LIBRARY)
$(BUILD)/pushlet-publish: $(call obj,$(PUBLISH_SRC) $(FEED_SRC))
$(BUILD)/pushlet-sources: $(call obj,$(SOURCES_SRC) $(FEED_SRC)) $(LIBRARY)
$(BUILD)/pushletctl: $(call obj,$(CTL_SRC))
$(PROGRAMS): $(BUILD)/flags $(BUILD)/sources
	$(call quiet,LINK)$(LINK) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

$(LIBRARY): $(LIB_OBJ) $(BUILD)/sources
$(BUILD)/test/libunits.a: $(call obj,$(UNIT_SRC)) $(BUILD)/sources
$(BUILD)/test/libcrash.a: $(LIB_SRC:%.c=$(OBJ)/crash/%.o) $(BUILD)/sources
$(LIBRARY) $(BUILD)/test/libunits.a $(BUILD)/test/libcrash.a:
	@mkdir -p $(@D); rm -f $@
	$(call quiet,AR)$(AR) rcs $@ $(filter %.o,$^)

# The file has no version in its name: the install target adds it.
$(SHARED): $(LIB_OBJ) $(BUILD)/flags $(BUILD)/sources
	$(call quiet,LINK)$(LINK_SO) -o $@ $(filter %.o,$^) $(LIB_LIBS)
	@ln -sf $(@F) $@.$(SOVERSION)

# For pkg-config; always made, for prefix and the like may have changed.
$(BUILD)/pushlet.pc: FORCE
	@mkdir -p $(@D); printf '%s\n' >$@ \
		'Name: pushlet' \
		'Description: publishes events to the web pages of pushletd' \
		'Version: $(VERSION)' \
		'Libs: -L$(libdir) -lpushlet' \
		'Libs.private: $(LIB_LIBS) -pthread' \
		'Cflags: -I$(includedir)'

# Check is asked for here, not by configure: only the tests need it.
CHECK_CFLAGS = $(shell $(PKG_CONFIG) --cflags check)
CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)
TEST_LIBS = $(FCGI_LIBS) $(XML_LIBS) $(UV_LIBS) $(HIREDIS_LIBS) $(LIB_LIBS)

$(OBJ)/tests/%.o: private OBJ_CFLAGS = -fPIE -I$(<D) $(CHECK_CFLAGS)
$(UNIT_PROGRAMS): private LIBS = $(CHECK_LIBS) $(TEST_LIBS)
$(UNIT_PROGRAMS): $(BUILD)/test/%: $(OBJ)/tests/unit/%.o \
	$(call obj,$(UNIT_COMMON))
$(BENCH_PROGRAMS): private LIBS = $(TEST_LIBS)
$(BENCH_PROGRAMS): $(BUILD)/bench/%: $(OBJ)/tests/bench/%.o
$(BUILD)/bench/load: $(call obj,$(filter-out $(BENCH_MAINS),$(BENCHES)))
# The tests that kill a process at each of its stores (tests/unit/test_crash*)
# are linked with a library that has the points for it.
CRASH_PROGRAMS = $(filter $(BUILD)/test/test_crash%,$(UNIT_PROGRAMS))
$(CRASH_PROGRAMS:$(BUILD)/test/%=$(OBJ)/tests/unit/%.o): \
	private OBJ_CFLAGS = -fPIE -I$(<D) $(CHECK_CFLAGS) -DCRASH_POINTS
$(OBJ)/crash/%.o: private OBJ_CFLAGS = -fPIE -DCRASH_POINTS
$(CRASH_PROGRAMS): $(BUILD)/test/libcrash.a

# The test that lets allocations fail has its own malloc.
$(BUILD)/test/test_memory: private LIBS = $(CHECK_LIBS) $(TEST_LIBS) \
	$(addprefix -Wl$(comma)--wrap=,malloc calloc realloc free strdup)

# Fuzzers have the main() of libFuzzer, or for a short look one of ours.
$(OBJ)/tests/fuzz/%.o: private OBJ_CFLAGS = -fPIE -I$(<D)
$(FUZZ_PROGRAMS): private LIBS = -fsanitize=fuzzer $(TEST_LIBS)
$(FUZZ_PROGRAMS): $(BUILD)/fuzz/%: $(OBJ)/tests/fuzz/fuzz_%.o
$(FUZZ_CHECKS): private LIBS = $(TEST_LIBS)
$(FUZZ_CHECKS): $(BUILD)/test/%: $(OBJ)/tests/fuzz/%.o $(call obj,$(FUZZ_COMMON))
$(BUILD)/fuzz/http $(BUILD)/test/fuzz_http: $(call obj,src/tools/ctl_http.c)
# command/ has a words_add(), too.
$(BUILD)/fuzz/entry $(BUILD)/test/fuzz_entry: $(call obj,src/bridge/link.c)

$(filter-out $(CRASH_PROGRAMS),$(UNIT_PROGRAMS)) $(BENCH_PROGRAMS) \
	$(FUZZ_PROGRAMS) $(FUZZ_CHECKS): $(BUILD)/test/libunits.a
$(UNIT_PROGRAMS) $(BENCH_PROGRAMS) $(FUZZ_PROGRAMS) $(FUZZ_CHECKS): $(BUILD)/flags
	@mkdir -p $(@D)
	$(call quiet,LINK)$(LINK) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

define compile
	@mkdir -p $(@D)
	$(call quiet,CC)$(COMPILE) -MMD -MP -c -o $@ $<
endef

$(OBJ)/%.o: %.c $(BUILD)/flags
	$(compile)

$(OBJ)/crash/%.o: %.c $(BUILD)/flags
	$(compile)

.SECONDARY:
-include $(patsubst %.c,$(OBJ)/%.d,$(UNIT_SRC) src/main.c $(BRIDGE_SRC) \
	src/relay/pushlet-relay.c src/sources/pushlet-sources.c $(UNIT_TESTS) \
	$(UNIT_COMMON) $(BENCHES) $(FUZZERS) $(FUZZ_COMMON) $(wildcard src/tools/*.c)) \
	$(LIB_SRC:%.c=$(OBJ)/crash/%.d)

# Stamps: written only when their text changes, so that what depends on them
# is rebuilt when a flag, the compiler or the list of files does.
$(BUILD)/flags: text = $(COMPILE) $(LINK) $(LINK_SO) $(FCGI_LIBS) $(XML_LIBS) \
	$(UV_LIBS) $(CURSES_LIBS) $(HIREDIS_LIBS) $(LIB_LIBS)
$(BUILD)/sources: text = $(UNIT_SRC) $(BRIDGE_SRC) $(wildcard src/tools/*.c)
$(BUILD)/flags $(BUILD)/sources: FORCE
	@mkdir -p $(@D); \
	printf '%s\n' '$(subst ','\'',$(text))' >$@.new; \
	if cmp -s $@.new $@; then rm -f $@.new; else mv -f $@.new $@; fi

# -- running and testing --------------------------------------------------

DEPS = build-aux/deps
AGAIN = $(MAKE) --no-print-directory
# Under another name: a recipe with $(MAKE) in it runs even under make -n.
make_program := $(MAKE)

run:
	@$(DEPS) run
	@+$(AGAIN) all
	@PUSHLET_BUILD='$(abspath $(BUILD))' exec conf/demo/run

# The browser group joins in as soon as it has a test.
check: GROUP = guards unit fuzz server \
	$(if $(wildcard tests/browser/*.test.*js),browser)
check-%: GROUP = $(@:check-%=%)
$(CHECKS):
	@$(DEPS) check $(filter browser,$(GROUP)) \
		$(if $(filter-out 0,$(VALGRIND)),valgrind)
	@+$(AGAIN) check-built CHECK_GROUPS='$(strip $(GROUP))'

# A report of a sanitizer ends the process with a status no program of ours
# has, and is printed where the test that started it reads.
SANITIZER_ENV = \
	ASAN_OPTIONS="exitcode=99:detect_leaks=1:$$ASAN_OPTIONS" \
	LSAN_OPTIONS="exitcode=99:$$LSAN_OPTIONS" \
	TSAN_OPTIONS="exitcode=99:halt_on_error=1:$$TSAN_OPTIONS" \
	UBSAN_OPTIONS="exitcode=99:print_stacktrace=1:$$UBSAN_OPTIONS"

VALGRIND_COMMAND = valgrind -q --vgdb=no --error-exitcode=99 --exit-on-first-error=yes
slowness = $(if $(filter-out 0,$(VALGRIND)),12,$(if $(SANITIZE),4,1))

check-built: all $(if $(filter unit,$(CHECK_GROUPS)),$(UNIT_PROGRAMS)) \
	$(if $(filter fuzz,$(CHECK_GROUPS)),$(FUZZ_CHECKS))
	@$(if $(SANITIZE),$(SANITIZER_ENV)) \
	PUSHLET_BUILD='$(abspath $(BUILD))' PUSHLET_SANITIZE='$(SANITIZE)' \
	PUSHLET_TEST_SLOW="$${PUSHLET_TEST_SLOW:-$(slowness)}" \
	VALGRIND='$(if $(filter-out 0,$(VALGRIND)),$(VALGRIND_COMMAND))' \
	CC='$(CC)' MAKE='$(make_program)' TESTS='$(TESTS)' SEED='$(SEED)' \
	tests/run $(CHECK_GROUPS)

bench:
	@$(DEPS) browser
	@+$(AGAIN) bench-built

bench-built: all $(BENCH_PROGRAMS)
	@PUSHLET_BUILD='$(abspath $(BUILD))' TESTS='$(TESTS)' tests/bench/run

# Needs node, and nothing that is built here.
conformance:
	@node tests/conformance/run.mjs $(if $(PROFILE),--profile='$(PROFILE)') \
		$(if $(WAIT),--wait='$(WAIT)') \
		$(if $(SUBJECT),--subject='$(SUBJECT)') \
		$(if $(TESTS),--only='$(TESTS)') \
		$(if $(JSON),--json='$(JSON)') $(if $(URL),'$(URL)')

cluster crash hostile soak storm:
	@$(DEPS) check
	@+$(AGAIN) $@-built

crash-built: $(CRASH_PROGRAMS)
	@for program in $^; do CK_FORK=yes "$$program" || exit 1; done

hostile-built: all
	@PUSHLET_BUILD='$(abspath $(BUILD))' tests/server/hostile

KILLS = 200
SEED =
MINUTES = 5

storm-built: all
	@PUSHLET_BUILD='$(abspath $(BUILD))' tests/storm/run storm.mjs \
		'$(KILLS)' '$(SEED)'

cluster-built: all
	@PUSHLET_BUILD='$(abspath $(BUILD))' tests/storm/run cluster.mjs \
		'$(MINUTES)' '$(SEED)'

soak-built: all
	@PUSHLET_BUILD='$(abspath $(BUILD))' tests/storm/run soak.mjs \
		'$(MINUTES)' '$(SEED)'

# Only clang has libFuzzer, and all that it is to see the way through must be
# compiled for that.
FUZZ_CC = clang
SECONDS = 10

fuzz:
	@$(DEPS) fuzz
	@+$(AGAIN) fuzz-built CC='$(FUZZ_CC)' DEVELOPER=1 \
		BUILD='$(if $(filter file,$(origin BUILD)),build-fuzz,$(BUILD))' \
		SANITIZE=address,undefined,fuzzer-no-link

fuzz-built: $(FUZZ_PROGRAMS)
	@$(SANITIZER_ENV) PUSHLET_BUILD='$(abspath $(BUILD))' \
	TESTS='$(TESTS)' tests/fuzz/run '$(SECONDS)'

# clang-tidy sees what is compiled: it is given the same flags.
analyze:
	@$(DEPS) analyze
	@+$(AGAIN) analyze-built

analyze-built: config.mk
	@build-aux/analyze -std=gnu11 -Isrc -Iinclude $(DEFINES) \
		$(FCGI_CFLAGS) $(XML_CFLAGS) $(UV_CFLAGS) $(INIH_CFLAGS) \
		$(HIREDIS_CFLAGS)

# -- installing -----------------------------------------------------------

INSTALL = install
jsdir = $(datadir)/pushlet/js
tree = $(sort $(shell find $(1) -type f 2>/dev/null))
MAN_PAGES = $(sort $(wildcard man/*.[1578]))

# MODE:SOURCE:TARGET of each installed file, for install and for uninstall.
INSTALLED = \
	755:$(BUILD)/pushletd:$(sbindir)/pushletd \
	755:$(BUILD)/pushlet-relay:$(sbindir)/pushlet-relay \
	755:$(BUILD)/pushlet-bridge:$(sbindir)/pushlet-bridge \
	755:$(BUILD)/pushletctl:$(sbindir)/pushletctl \
	755:$(BUILD)/pushlet-publish:$(bindir)/pushlet-publish \
	755:$(BUILD)/pushlet-sources:$(sbindir)/pushlet-sources \
	644:$(LIBRARY):$(libdir)/libpushlet.a \
	644:$(SHARED):$(libdir)/libpushlet.so.$(VERSION) \
	644:$(BUILD)/pushlet.pc:$(libdir)/pkgconfig/pushlet.pc \
	644:include/pushlet.h:$(includedir)/pushlet.h \
	644:README:$(docdir)/README \
	644:LICENSE:$(docdir)/LICENSE \
	$(foreach f,$(MAN_PAGES),\
		644:$f:$(mandir)/man$(subst .,,$(suffix $f))/$(notdir $f)) \
	644:conf/completion/pushletctl.bash:$(datadir)/bash-completion/completions/pushletctl \
	644:conf/completion/_pushletctl:$(datadir)/zsh/site-functions/_pushletctl \
	$(foreach f,$(filter-out conf/demo/% conf/completion/%,$(call tree,conf)),\
		644:$f:$(docdir)/examples/$(f:conf/%=%)) \
	$(foreach f,$(call tree,pushlet-js),\
		644:$f:$(jsdir)/$(f:pushlet-js/%=%))
LINKS = $(libdir)/libpushlet.so.$(SOVERSION) $(libdir)/libpushlet.so
OWN_DIRS = $(docdir) $(datadir)/pushlet

install: all
	@for entry in $(INSTALLED); do \
		mode=$${entry%%:*}; files=$${entry#*:}; \
		$(INSTALL) -D -m $$mode "$${files%%:*}" \
			"$(DESTDIR)$${files#*:}" || exit 1; \
	done
	@for link in $(LINKS); do \
		ln -sf libpushlet.so.$(VERSION) "$(DESTDIR)$$link" || exit 1; \
	done

# Directories that others share stay, also when they are empty now.
uninstall:
	@for entry in $(INSTALLED) $(addprefix ::,$(LINKS)); do \
		rm -f "$(DESTDIR)$${entry#*:*:}" || exit 1; \
	done
	@for dir in $(OWN_DIRS); do \
		test ! -d "$(DESTDIR)$$dir" || \
			find "$(DESTDIR)$$dir" -depth -type d -empty -delete; \
	done

# -- the rest -------------------------------------------------------------

DIST = $(PACKAGE_TARNAME)-$(VERSION)

dist: configure
	git archive --format=tar.gz --prefix=$(DIST)/ --add-file=configure \
		-o $(DIST).tar.gz HEAD

# Of a copy: what packaging leaves behind is beside it, not in the tree.
DEB = $(abspath $(BUILD))/deb

deb:
	@$(DEPS) deb
	rm -rf '$(DEB)'; mkdir -p '$(DEB)/source'
	git archive HEAD | tar -x -C '$(DEB)/source'
	cd '$(DEB)/source' && env -u MAKEFLAGS -u MAKELEVEL -u BUILD \
		dpkg-buildpackage -us -uc -b
	rm -r '$(DEB)/source'

# By name: BUILD may be a directory that holds other things as well.
clean:
	rm -rf $(addprefix $(BUILD)/,obj test bench deb fuzz test-logs flags sources \
		pushletd pushlet-relay pushlet-bridge pushlet-publish \
		pushlet-sources pushletctl pushlet.pc libpushlet.a \
		libpushlet.so libpushlet.so.$(SOVERSION))
	@test ! -d $(BUILD) || rmdir --ignore-fail-on-non-empty $(BUILD)

distclean: clean
	rm -rf build $(filter-out build-aux,$(wildcard build-*)) \
		autom4te.cache config.log config.mk config.status configure configure~ \
		pushlet-fcgi-*.tar.gz tests/browser/node_modules

help:
	@sed -n 's/^## \{0,1\}//p' Makefile
