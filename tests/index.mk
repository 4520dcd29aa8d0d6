## what the core makes of indexes: calls as programs make them, on the minimal backend linked in
index_tests = tests/test_index tests/test_index_search tests/test_session
check_PROGRAMS += $(index_tests)
TESTS += $(index_tests)
index_rig_flags = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
check_LTLIBRARIES += tests/libsprig.la
tests_libsprig_la_SOURCES = tests/index_rig.c tests/index_rig.h tests/mock/minimal.c tests/mock/minimal_rows.c \
	tests/mock/minimal_rows.h tests/copy_rig.c tests/copy_rig.h
tests_libsprig_la_CFLAGS = $(index_rig_flags)
tests_libsprig_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -DTEST_TOP_BUILDDIR='"$(abs_top_builddir)"'
index_rig_libs = tests/libsprig.la tests/libspcases.la libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)

tests_test_index_SOURCES = tests/test_index.c
tests_test_index_CFLAGS = $(index_rig_flags)
tests_test_index_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_test_index_LDADD = $(index_rig_libs)

tests_test_index_search_SOURCES = tests/test_index_search.c
tests_test_index_search_CFLAGS = $(index_rig_flags)
tests_test_index_search_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_test_index_search_LDADD = $(index_rig_libs)

tests_test_session_SOURCES = tests/test_session.c
tests_test_session_CFLAGS = $(index_rig_flags)
tests_test_session_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_test_session_LDADD = $(index_rig_libs)

## copies, between the minimal backend and the flat plugin of this build
copy_tests = tests/test_copy tests/test_copy_resume tests/test_copy_types
check_PROGRAMS += $(copy_tests)
TESTS += $(copy_tests)
copy_rig_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -DTEST_TOP_BUILDDIR='"$(abs_top_builddir)"'

tests_test_copy_SOURCES = tests/test_copy.c
tests_test_copy_CFLAGS = $(index_rig_flags)
tests_test_copy_CPPFLAGS = $(copy_rig_cppflags)
tests_test_copy_LDADD = $(index_rig_libs)

tests_test_copy_types_SOURCES = tests/test_copy_types.c tests/unit.h
tests_test_copy_types_CFLAGS = $(index_rig_flags)
tests_test_copy_types_LDADD = $(index_rig_libs)

tests_test_copy_resume_SOURCES = tests/test_copy_resume.c
tests_test_copy_resume_CFLAGS = $(index_rig_flags)
tests_test_copy_resume_CPPFLAGS = $(copy_rig_cppflags)
tests_test_copy_resume_LDADD = $(index_rig_libs)

EXTRA_DIST += tests/copy_pairs.py tests/qdrant_copy.py

## beside the others that ThreadSanitizer runs
concurrent_tests += tests/test_session tests/test_copy_resume
