## fuzz targets: replayed over their corpora by the tests, run by libFuzzer after --enable-fuzzing (clang)
replay_programs = tests/fuzz/replay_envelope tests/fuzz/replay_filter
check_PROGRAMS += $(replay_programs)
TESTS += $(replay_programs)

tests_fuzz_replay_envelope_SOURCES = tests/fuzz/fuzz_envelope.c tests/fuzz/standalone.c
tests_fuzz_replay_envelope_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"$(abs_top_srcdir)/tests/fuzz/envelope"'

tests_fuzz_replay_filter_SOURCES = tests/fuzz/fuzz_filter.c tests/fuzz/standalone.c
tests_fuzz_replay_filter_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"$(abs_top_srcdir)/tests/fuzz/filter"'
tests_fuzz_replay_filter_LDADD = libspcore.la

EXTRA_DIST += tests/fuzz/envelope

fuzz_programs =
if FUZZING
fuzz_programs += tests/fuzz/fuzz_envelope tests/fuzz/fuzz_filter tests/fuzz/fuzz_config tests/fuzz/fuzz_store
EXTRA_PROGRAMS += $(fuzz_programs)

tests_fuzz_fuzz_envelope_SOURCES = tests/fuzz/fuzz_envelope.c
tests_fuzz_fuzz_envelope_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_filter_SOURCES = tests/fuzz/fuzz_filter.c
tests_fuzz_fuzz_filter_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_filter_LDADD = libspcore.la
endif

## for ./check
fuzzers: $(fuzz_programs)
print-fuzzers:
	@echo $(fuzz_programs:tests/fuzz/fuzz_%=%)
