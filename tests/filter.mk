## columns and the filter language
filter_tests = test_column test_filter test_filter_codec test_filter_support test_filter_eval \
	test_filter_cases test_filter_memory
check_PROGRAMS += $(filter_tests)
TESTS += $(filter_tests)

test_column_SOURCES = tests/test_column.c tests/unit.h
test_column_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
test_column_LDADD = libspcommon.la $(CUNIT_LIBS)

test_filter_SOURCES = tests/test_filter.c tests/unit.h
test_filter_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
test_filter_LDADD = libspcore.la $(CUNIT_LIBS)

test_filter_codec_SOURCES = tests/test_filter_codec.c tests/unit.h
test_filter_codec_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
test_filter_codec_LDADD = libspcore.la $(CUNIT_LIBS)

test_filter_support_SOURCES = tests/test_filter_support.c tests/unit.h
test_filter_support_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
test_filter_support_LDADD = libspcore.la $(CUNIT_LIBS)

test_filter_eval_SOURCES = tests/test_filter_eval.c tests/filter_table.c tests/filter_table.h tests/unit.h
test_filter_eval_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
test_filter_eval_LDADD = libspcore.la $(CUNIT_LIBS)

test_filter_cases_SOURCES = tests/test_filter_cases.c tests/filter_table.c tests/filter_table.h tests/unit.h
test_filter_cases_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
test_filter_cases_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_SRCDIR='"$(abs_top_srcdir)"'
test_filter_cases_LDADD = libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)

test_filter_memory_SOURCES = tests/test_filter_memory.c tests/filter_table.h tests/unit.h
test_filter_memory_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
test_filter_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
test_filter_memory_LDADD = libspcore.la $(CUNIT_LIBS)

EXTRA_DIST += docs/filters.md \
	tests/cases/filter/errors.json tests/cases/filter/like.json tests/cases/filter/lists.json \
	tests/cases/filter/logic.json tests/cases/filter/names.json tests/cases/filter/numbers.json \
	tests/cases/filter/special_floats.json tests/cases/filter/text.json tests/cases/filter/truth.json \
	tests/fuzz/filter
