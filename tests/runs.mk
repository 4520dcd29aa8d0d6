## run records
check_PROGRAMS += test_runs
TESTS += test_runs
test_runs_SOURCES = tests/test_runs.c tests/unit.h
test_runs_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
test_runs_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup
test_runs_LDADD = libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS)
