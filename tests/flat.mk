## tests of the flat backend's store
FLAT_STORE_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/sklearn_flat -I$(top_srcdir)/tests
FLAT_STORE_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(LMDB_CFLAGS)
FLAT_STORE_LIBS = libspflat.la libspcore.la $(CUNIT_LIBS)
flat_store_programs = tests/test_flat_store \
	tests/test_flat_store_process \
	tests/test_flat_store_damage \
	tests/test_flat_store_threads \
	tests/test_flat_store_kill \
	tests/test_flat_store_journal \
	tests/test_flat_store_memory
check_PROGRAMS += $(flat_store_programs)
TESTS += $(flat_store_programs)
EXTRA_DIST += tests/store_model.h

tests_test_flat_store_SOURCES = tests/test_flat_store.c tests/store_rig.h tests/unit.h
tests_test_flat_store_CPPFLAGS = $(FLAT_STORE_CPPFLAGS)
tests_test_flat_store_CFLAGS = $(FLAT_STORE_CFLAGS)
tests_test_flat_store_LDADD = $(FLAT_STORE_LIBS)

tests_test_flat_store_process_SOURCES = tests/test_flat_store_process.c tests/store_rig.h tests/unit.h
tests_test_flat_store_process_CPPFLAGS = $(FLAT_STORE_CPPFLAGS)
tests_test_flat_store_process_CFLAGS = $(FLAT_STORE_CFLAGS)
tests_test_flat_store_process_LDADD = $(FLAT_STORE_LIBS)

tests_test_flat_store_damage_SOURCES = tests/test_flat_store_damage.c tests/store_rig.h tests/unit.h
tests_test_flat_store_damage_CPPFLAGS = $(FLAT_STORE_CPPFLAGS)
tests_test_flat_store_damage_CFLAGS = $(FLAT_STORE_CFLAGS)
tests_test_flat_store_damage_LDADD = $(FLAT_STORE_LIBS)

tests_test_flat_store_threads_SOURCES = tests/test_flat_store_threads.c tests/store_rig.h tests/unit.h
tests_test_flat_store_threads_CPPFLAGS = $(FLAT_STORE_CPPFLAGS)
tests_test_flat_store_threads_CFLAGS = $(FLAT_STORE_CFLAGS)
tests_test_flat_store_threads_LDADD = $(FLAT_STORE_LIBS)

tests_test_flat_store_kill_SOURCES = tests/test_flat_store_kill.c tests/store_rig.h tests/unit.h
tests_test_flat_store_kill_CPPFLAGS = $(FLAT_STORE_CPPFLAGS)
tests_test_flat_store_kill_CFLAGS = $(FLAT_STORE_CFLAGS)
tests_test_flat_store_kill_LDADD = $(FLAT_STORE_LIBS)

tests_test_flat_store_journal_SOURCES = tests/test_flat_store_journal.c tests/store_rig.h tests/unit.h
tests_test_flat_store_journal_CPPFLAGS = $(FLAT_STORE_CPPFLAGS)
tests_test_flat_store_journal_CFLAGS = $(FLAT_STORE_CFLAGS)
tests_test_flat_store_journal_LDADD = $(FLAT_STORE_LIBS)

tests_test_flat_store_memory_SOURCES = tests/test_flat_store_memory.c tests/store_rig.h tests/unit.h
tests_test_flat_store_memory_CPPFLAGS = $(FLAT_STORE_CPPFLAGS)
tests_test_flat_store_memory_CFLAGS = $(FLAT_STORE_CFLAGS)
tests_test_flat_store_memory_LDADD = $(FLAT_STORE_LIBS)

## sanitizers have their own malloc: there only our own objects' calls are caught
if SANITIZED
tests_test_flat_store_memory_CPPFLAGS += -DWRAPPED
tests_test_flat_store_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
endif

## records a writer's file operations; built without sanitizers, which come after it
check_LTLIBRARIES += tests/preload_journal.la
tests_preload_journal_la_SOURCES = tests/preload_journal.c tests/journal.h
tests_preload_journal_la_CFLAGS = -std=c11 -Wall -Wextra -Wconversion
tests_preload_journal_la_LDFLAGS = -module -avoid-version -shared -rpath $(abs_builddir)/tests
tests_test_flat_store_journal_CPPFLAGS += -DPRELOAD_JOURNAL='"$(abs_builddir)/tests/.libs/preload_journal.so"'
EXTRA_tests_test_flat_store_journal_DEPENDENCIES = tests/preload_journal.la

## the store's values, fuzzed; listed in tests/fuzz.mk
check_PROGRAMS += tests/fuzz/replay_store
TESTS += tests/fuzz/replay_store
EXTRA_DIST += tests/fuzz/store
tests_fuzz_replay_store_SOURCES = tests/fuzz/fuzz_store.c tests/fuzz/standalone.c
tests_fuzz_replay_store_CPPFLAGS = $(FLAT_STORE_CPPFLAGS) -DFUZZ_CORPUS='"$(abs_top_srcdir)/tests/fuzz/store"'
tests_fuzz_replay_store_LDADD = libspflat.la
if FUZZING
tests_fuzz_fuzz_store_SOURCES = tests/fuzz/fuzz_store.c
tests_fuzz_fuzz_store_CPPFLAGS = $(FLAT_STORE_CPPFLAGS)
tests_fuzz_fuzz_store_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_store_LDADD = libspflat.la
endif
