## tests of the kernels, and of the flat backend's search
check_PROGRAMS += tests/test_kernels
TESTS += tests/test_kernels
tests_test_kernels_SOURCES = tests/test_kernels.c tests/unit.h
tests_test_kernels_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_kernels_LDADD = libspcommon.la $(CUNIT_LIBS)
