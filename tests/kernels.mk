## tests of the kernels, and of the flat backend's search over a snapshot of plain arrays
check_PROGRAMS += tests/test_kernels tests/test_flat_search tests/test_flat_text_sort
TESTS += tests/test_kernels tests/test_flat_search tests/test_flat_text_sort

tests_test_kernels_SOURCES = tests/test_kernels.c tests/unit.h
tests_test_kernels_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_kernels_LDADD = libspcommon.la $(CUNIT_LIBS)

## of libspflat.la the linker takes the search alone: the snapshots are the test's own
tests_test_flat_search_SOURCES = tests/test_flat_search.c tests/unit.h
tests_test_flat_search_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_flat_search_LDADD = libspflat.la $(CUNIT_LIBS)

tests_test_flat_text_sort_SOURCES = tests/test_flat_text_sort.c tests/unit.h plugins/sklearn_flat/text_sort.c \
	plugins/sklearn_flat/text_sort.h
tests_test_flat_text_sort_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_flat_text_sort_LDADD = $(CUNIT_LIBS)
