## tests of the flat backend's store
FLAT_STORE_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/sklearn_flat -I$(top_srcdir)/tests
FLAT_STORE_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(LMDB_CFLAGS)
FLAT_STORE_LIBS = libspflat.la libspcore.la $(CUNIT_LIBS)
flat_store_programs = tests/test_flat_store \
	tests/test_flat_store_process \
	tests/test_flat_store_damage \
	tests/test_flat_store_threads \
	tests/test_flat_store_kill
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
