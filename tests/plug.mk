## what the plugins in the tree share
PLUG_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
PLUG_LIBS = libspplug.la libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)
PLUG_WRAP = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
plug_programs = tests/test_json_write tests/test_json_read tests/test_plug_fields
check_PROGRAMS += $(plug_programs)
TESTS += $(plug_programs)

tests_test_json_write_SOURCES = tests/test_json_write.c tests/unit_fails.h tests/unit_locale.h tests/unit.h
tests_test_json_write_CFLAGS = $(PLUG_CFLAGS)
tests_test_json_write_LDFLAGS = $(PLUG_WRAP)
tests_test_json_write_LDADD = $(PLUG_LIBS)

tests_test_json_read_SOURCES = tests/test_json_read.c tests/unit_fails.h tests/unit.h
tests_test_json_read_CFLAGS = $(PLUG_CFLAGS)
tests_test_json_read_LDFLAGS = $(PLUG_WRAP)
tests_test_json_read_LDADD = $(PLUG_LIBS)

tests_test_plug_fields_SOURCES = tests/test_plug_fields.c tests/unit_fails.h tests/unit.h
tests_test_plug_fields_CFLAGS = $(PLUG_CFLAGS)
tests_test_plug_fields_LDFLAGS = $(PLUG_WRAP)
tests_test_plug_fields_LDADD = $(PLUG_LIBS)

## a server's JSON, fuzzed
check_PROGRAMS += tests/fuzz/replay_json
TESTS += tests/fuzz/replay_json
EXTRA_DIST += tests/fuzz/json
tests_fuzz_replay_json_SOURCES = tests/fuzz/fuzz_json.c tests/fuzz/standalone.c
tests_fuzz_replay_json_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"$(abs_top_srcdir)/tests/fuzz/json"'
tests_fuzz_replay_json_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_json_LDADD = libspplug.la libspcore.la $(JANSSON_LIBS)
if FUZZING
fuzz_programs += tests/fuzz/fuzz_json
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c
tests_fuzz_fuzz_json_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_json_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_json_LDADD = libspplug.la libspcore.la $(JANSSON_LIBS)
endif
