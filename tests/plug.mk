## what the plugins in the tree share
PLUG_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
PLUG_LIBS = libspplug.la libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)
PLUG_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
plug_programs = tests/test_json_write tests/test_json_read
check_PROGRAMS += $(plug_programs)
TESTS += $(plug_programs)

tests_test_json_write_SOURCES = tests/test_json_write.c tests/unit_fails.h tests/unit_locale.h tests/unit.h
tests_test_json_write_CFLAGS = $(PLUG_CFLAGS)
tests_test_json_write_LDFLAGS = $(PLUG_LDFLAGS)
tests_test_json_write_LDADD = $(PLUG_LIBS)

tests_test_json_read_SOURCES = tests/test_json_read.c tests/unit_fails.h tests/unit.h
tests_test_json_read_CFLAGS = $(PLUG_CFLAGS)
tests_test_json_read_LDFLAGS = $(PLUG_LDFLAGS)
tests_test_json_read_LDADD = $(PLUG_LIBS)
