## tests of the kernels, and of the flat backend's search over a snapshot of plain arrays
check_PROGRAMS += tests/test_kernels tests/test_flat_search tests/test_flat_text_sort
TESTS += tests/test_kernels tests/test_flat_search tests/test_flat_text_sort

tests_test_kernels_SOURCES = tests/test_kernels.c tests/unit.h
tests_test_kernels_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_kernels_LDADD = libspcommon.la $(CUNIT_LIBS)

## not linked with libspflat.la, whose store answers for snapshots too
tests_test_flat_search_SOURCES = tests/test_flat_search.c tests/unit.h \
	plugins/sklearn_flat/distance.c plugins/sklearn_flat/distance.h \
	plugins/sklearn_flat/search.c plugins/sklearn_flat/search.h \
	plugins/sklearn_flat/search_bound.c plugins/sklearn_flat/search_bound.h \
	plugins/sklearn_flat/search_hits.c plugins/sklearn_flat/search_hits.h \
	plugins/sklearn_flat/search_pool.c plugins/sklearn_flat/search_pool.h \
	plugins/sklearn_flat/search_scan.c plugins/sklearn_flat/search_scan.h
tests_test_flat_search_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(OPENBLAS_CFLAGS)
tests_test_flat_search_LDADD = libspcommon.la $(OPENBLAS_LIBS) $(CUNIT_LIBS)

tests_test_flat_text_sort_SOURCES = tests/test_flat_text_sort.c tests/unit.h plugins/sklearn_flat/text_sort.c \
	plugins/sklearn_flat/text_sort.h
tests_test_flat_text_sort_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_flat_text_sort_LDADD = $(CUNIT_LIBS)
