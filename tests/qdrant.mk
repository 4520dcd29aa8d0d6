## the qdrant backend without a server, or with ones that are none
## its headers before those of the core, some of which have the same names
QDRANT_CPPFLAGS = -I$(top_srcdir)/plugins/qdrant $(AM_CPPFLAGS) -I$(top_srcdir)/tests
QDRANT_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS)
QDRANT_LIBS = libspqdrant.la libspcore.la $(JANSSON_LIBS) $(CUNIT_LIBS)
qdrant_programs = tests/test_qdrant_address tests/test_qdrant_transport tests/test_qdrant_instance \
	tests/test_qdrant_memory
check_PROGRAMS += $(qdrant_programs)
TESTS += $(qdrant_programs)

tests_test_qdrant_transport_SOURCES = tests/test_qdrant_transport.c tests/qdrant_fake.h tests/qdrant_link_rig.h tests/unit.h
tests_test_qdrant_transport_CPPFLAGS = $(QDRANT_CPPFLAGS)
tests_test_qdrant_transport_CFLAGS = $(QDRANT_CFLAGS)
tests_test_qdrant_transport_LDADD = $(QDRANT_LIBS)

tests_test_qdrant_address_SOURCES = tests/test_qdrant_address.c tests/qdrant_link_rig.h conformance/tree.h tests/unit.h
tests_test_qdrant_address_CPPFLAGS = $(QDRANT_CPPFLAGS)
tests_test_qdrant_address_CFLAGS = $(QDRANT_CFLAGS)
tests_test_qdrant_address_LDADD = $(QDRANT_LIBS)

tests_test_qdrant_instance_SOURCES = tests/test_qdrant_instance.c tests/qdrant_fake.h tests/qdrant_link_rig.h tests/unit.h
tests_test_qdrant_instance_CPPFLAGS = $(QDRANT_CPPFLAGS)
tests_test_qdrant_instance_CFLAGS = $(QDRANT_CFLAGS)
tests_test_qdrant_instance_LDADD = $(QDRANT_LIBS)

tests_test_qdrant_memory_SOURCES = tests/test_qdrant_memory.c tests/qdrant_fake.h tests/qdrant_link_rig.h tests/unit.h
tests_test_qdrant_memory_CPPFLAGS = $(QDRANT_CPPFLAGS)
tests_test_qdrant_memory_CFLAGS = $(QDRANT_CFLAGS)
tests_test_qdrant_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=asprintf
tests_test_qdrant_memory_LDADD = $(QDRANT_LIBS)

## what the others test of every plugin
AM_TESTS_ENVIRONMENT += TEST_PLUGINS="$$TEST_PLUGINS qdrant"; export TEST_PLUGINS;

## threads, cancelling, forks
concurrent_tests += tests/test_qdrant_transport tests/test_qdrant_instance

## the server's replies, fuzzed
check_PROGRAMS += tests/fuzz/replay_qdrant
TESTS += tests/fuzz/replay_qdrant
EXTRA_DIST += tests/fuzz/qdrant
tests_fuzz_replay_qdrant_SOURCES = tests/fuzz/fuzz_qdrant.c tests/fuzz/standalone.c
tests_fuzz_replay_qdrant_CPPFLAGS = $(QDRANT_CPPFLAGS) -DFUZZ_CORPUS='"$(abs_top_srcdir)/tests/fuzz/qdrant"'
tests_fuzz_replay_qdrant_CFLAGS = $(QDRANT_CFLAGS)
tests_fuzz_replay_qdrant_LDADD = libspqdrant.la libspcore.la $(JANSSON_LIBS)
if FUZZING
fuzz_programs += tests/fuzz/fuzz_qdrant
tests_fuzz_fuzz_qdrant_SOURCES = tests/fuzz/fuzz_qdrant.c
tests_fuzz_fuzz_qdrant_CPPFLAGS = $(QDRANT_CPPFLAGS)
tests_fuzz_fuzz_qdrant_CFLAGS = $(QDRANT_CFLAGS)
tests_fuzz_fuzz_qdrant_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_qdrant_LDADD = libspqdrant.la libspcore.la $(JANSSON_LIBS)
endif
