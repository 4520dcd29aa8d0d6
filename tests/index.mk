## what the core makes of indexes: calls as programs make them, on the minimal backend linked in
index_tests = tests/test_index tests/test_index_search tests/test_session
check_PROGRAMS += $(index_tests)
TESTS += $(index_tests)
index_rig = tests/index_rig.c tests/index_rig.h tests/ask.c tests/ask.h tests/contract/contract.h tests/contract/encode.c \
	tests/contract/expand.c tests/contract/decode.c tests/contract/match.c tests/mock/minimal.c \
	tests/mock/minimal_rows.c tests/mock/minimal_rows.h tests/tree.h tests/unit.h
index_rig_flags = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
index_rig_libs = libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)

tests_test_index_SOURCES = tests/test_index.c $(index_rig)
tests_test_index_CFLAGS = $(index_rig_flags)
tests_test_index_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_test_index_LDADD = $(index_rig_libs)

tests_test_index_search_SOURCES = tests/test_index_search.c $(index_rig)
tests_test_index_search_CFLAGS = $(index_rig_flags)
tests_test_index_search_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_test_index_search_LDADD = $(index_rig_libs)

tests_test_session_SOURCES = tests/test_session.c $(index_rig)
tests_test_session_CFLAGS = $(index_rig_flags)
tests_test_session_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_test_session_LDADD = $(index_rig_libs)

## beside the others that ThreadSanitizer runs
concurrent_tests += tests/test_session
