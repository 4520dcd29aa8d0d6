## tests of the flat backend's store
FLAT_STORE_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/sklearn_flat -I$(top_srcdir)/tests
FLAT_STORE_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(LMDB_CFLAGS)
FLAT_STORE_LIBS = libspflat.la libspcore.la $(CUNIT_LIBS)
check_PROGRAMS += tests/test_flat_store tests/test_flat_store_process
TESTS += tests/test_flat_store tests/test_flat_store_process

tests_test_flat_store_SOURCES = tests/test_flat_store.c tests/store_rig.h tests/unit.h
tests_test_flat_store_CPPFLAGS = $(FLAT_STORE_CPPFLAGS)
tests_test_flat_store_CFLAGS = $(FLAT_STORE_CFLAGS)
tests_test_flat_store_LDADD = $(FLAT_STORE_LIBS)

tests_test_flat_store_process_SOURCES = tests/test_flat_store_process.c tests/store_rig.h tests/unit.h
tests_test_flat_store_process_CPPFLAGS = $(FLAT_STORE_CPPFLAGS)
tests_test_flat_store_process_CFLAGS = $(FLAT_STORE_CFLAGS)
tests_test_flat_store_process_LDADD = $(FLAT_STORE_LIBS)
