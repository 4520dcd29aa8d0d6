## configuration, the names it suggests, and the loader with plugins that are broken in every way
config_tests = test_suggest test_config test_config_memory test_loader
check_PROGRAMS += $(config_tests)
TESTS += $(config_tests)

test_suggest_SOURCES = tests/test_suggest.c tests/unit.h
test_suggest_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
test_suggest_LDADD = libspcore.la $(CUNIT_LIBS)

test_config_SOURCES = tests/test_config.c tests/unit.h
test_config_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
test_config_LDADD = libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)

test_config_memory_SOURCES = tests/test_config_memory.c tests/unit.h
test_config_memory_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
test_config_memory_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup
test_config_memory_LDADD = libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)

test_loader_SOURCES = tests/test_loader.c tests/unit.h
test_loader_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
test_loader_CPPFLAGS = $(AM_CPPFLAGS) -DMOCK_DIR='"$(abs_top_builddir)/.libs"'
test_loader_LDADD = libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)
test_loader_DEPENDENCIES = libspcore.la $(mock_modules)

## one tiny plugin for each way of being broken
mock_modules = simplugin_mock_abi_not_offered.la simplugin_mock_crash.la simplugin_mock_cut_table.la simplugin_mock_edge_table.la \
	simplugin_mock_entry_error.la simplugin_mock_entry_silent.la simplugin_mock_foreign.la \
	simplugin_mock_future_abi.la simplugin_mock_future_table.la simplugin_mock_good.la \
	simplugin_mock_no_entry.la simplugin_mock_no_table.la simplugin_mock_null_slot.la \
	simplugin_mock_parameters.la simplugin_mock_size_zero.la simplugin_mock_threads.la simplugin_mock_undefined.la
check_LTLIBRARIES += libmock_dependency.la $(mock_modules)
## -rpath makes libtool build modules that are never installed
mock_ldflags = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere

libmock_dependency_la_SOURCES = tests/mock/dependency.c tests/mock/mock.h
libmock_dependency_la_LDFLAGS = $(AM_LDFLAGS) -avoid-version -shared -rpath /nowhere

simplugin_mock_abi_not_offered_la_SOURCES = tests/mock/abi_not_offered.c tests/mock/mock.h
simplugin_mock_abi_not_offered_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_crash_la_SOURCES = tests/mock/crash.c tests/mock/mock.h
simplugin_mock_crash_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_cut_table_la_SOURCES = tests/mock/cut_table.c tests/mock/mock.h
simplugin_mock_cut_table_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_entry_error_la_SOURCES = tests/mock/entry_error.c tests/mock/mock.h
simplugin_mock_entry_error_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_entry_silent_la_SOURCES = tests/mock/entry_silent.c tests/mock/mock.h
simplugin_mock_entry_silent_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_foreign_la_SOURCES = tests/mock/foreign.c tests/mock/mock.h
simplugin_mock_foreign_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_foreign_la_LIBADD = libmock_dependency.la
simplugin_mock_future_abi_la_SOURCES = tests/mock/future_abi.c tests/mock/mock.h
simplugin_mock_future_abi_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_edge_table_la_SOURCES = tests/mock/edge_table.c tests/mock/mock.h
simplugin_mock_edge_table_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_future_table_la_SOURCES = tests/mock/future_table.c tests/mock/mock.h
simplugin_mock_future_table_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_good_la_SOURCES = tests/mock/good.c tests/mock/mock.h
simplugin_mock_good_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_no_entry_la_SOURCES = tests/mock/no_entry.c tests/mock/mock.h
simplugin_mock_no_entry_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_no_table_la_SOURCES = tests/mock/no_table.c tests/mock/mock.h
simplugin_mock_no_table_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_null_slot_la_SOURCES = tests/mock/null_slot.c tests/mock/mock.h
simplugin_mock_null_slot_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_parameters_la_SOURCES = tests/mock/parameters.c tests/mock/mock.h
simplugin_mock_parameters_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_size_zero_la_SOURCES = tests/mock/size_zero.c tests/mock/mock.h
simplugin_mock_size_zero_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_threads_la_SOURCES = tests/mock/threads.c tests/mock/mock.h
simplugin_mock_threads_la_LDFLAGS = $(mock_ldflags)
simplugin_mock_undefined_la_SOURCES = tests/mock/undefined.c tests/mock/mock.h
simplugin_mock_undefined_la_LDFLAGS = $(mock_ldflags)

## what tests/differential/config.py asks
check_PROGRAMS += tests/differential/config_driver
tests_differential_config_driver_SOURCES = tests/differential/config_driver.c
tests_differential_config_driver_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_differential_config_driver_LDADD = libspcore.la $(JANSSON_LIBS)
EXTRA_DIST += tests/differential/config.py tests/differential/requirements.txt

check_PROGRAMS += tests/fuzz/replay_config
TESTS += tests/fuzz/replay_config
tests_fuzz_replay_config_SOURCES = tests/fuzz/fuzz_config.c tests/fuzz/standalone.c
tests_fuzz_replay_config_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_config_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"$(abs_top_srcdir)/tests/fuzz/config"'
tests_fuzz_replay_config_LDADD = libspcore.la $(JANSSON_LIBS)
EXTRA_DIST += tests/fuzz/config

if FUZZING
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c
tests_fuzz_fuzz_config_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_config_LDADD = libspcore.la $(JANSSON_LIBS)
endif
