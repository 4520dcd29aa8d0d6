## the command-line program: its parts for the tests, and itself
noinst_LTLIBRARIES += libspcli.la
libspcli_la_SOURCES = \
	cli/options.c cli/options.h cli/help.c cli/completion.c cli/man.c \
	cli/commands.c cli/commands.h cli/cli.c cli/cli.h cli/body.c cli/parameters.c cli/exit.c cli/exit.h \
	cli/interrupt.c cli/interrupt.h cli/progress.c cli/progress.h \
	cli/output.h cli/json.c cli/number.c cli/number.h cli/cells.c cli/rows.c cli/rows.h \
	cli/source.c cli/source.h cli/input.c cli/input.h cli/input_npy.c cli/input_fvecs.c \
	cli/input_jsonl.c \
	cli/cmd_backends.c cli/cmd_explain.c cli/cmd_index.c cli/cmd_gc.c cli/cmd_add.c cli/cmd_get.c \
	cli/cmd_search.c cli/cmd_copy.c cli/cmd_runs.c cli/cmd_call.c cli/cmd_new_backend.c \
	cli/project.c cli/project.h \
	core/suggest.c core/suggest.h core/buffer.c core/buffer.h core/moved.c core/moved.h
libspcli_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
libspcli_la_CPPFLAGS = $(AM_CPPFLAGS) -DCLI_BIN_DIR='"$(bindir)"' -DCLI_DATA_DIR='"$(pkgdatadir)"' \
	-DCLI_PKG_CONFIG_DIR='"$(pkgconfigdir)"'

bin_PROGRAMS += simplugin
simplugin_SOURCES = cli/main.c
simplugin_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
simplugin_LDADD = libspcli.la libsimplugin.la $(JANSSON_LIBS)

dist_man_MANS = docs/simplugin.1

if TESTS_ENABLED
cli_tests = test_cli_options test_cli_input test_cli_output
check_PROGRAMS += $(cli_tests)
TESTS += $(cli_tests)
test_cli_options_SOURCES = tests/test_cli_options.c tests/unit.h
test_cli_options_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
test_cli_options_LDADD = libspcli.la libsimplugin.la $(CUNIT_LIBS) $(JANSSON_LIBS)
test_cli_input_SOURCES = tests/test_cli_input.c tests/unit.h
test_cli_input_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
test_cli_input_LDADD = libspcli.la libsimplugin.la $(CUNIT_LIBS) $(JANSSON_LIBS)
test_cli_output_SOURCES = tests/test_cli_output.c tests/unit.h
test_cli_output_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
test_cli_output_LDADD = libspcli.la libsimplugin.la $(CUNIT_LIBS) $(JANSSON_LIBS)

check_LTLIBRARIES += simplugin_mock_hang.la
simplugin_mock_hang_la_SOURCES = tests/mock/hang.c tests/mock/mock.h
simplugin_mock_hang_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
TESTS += tests/test_cli.sh
EXTRA_DIST += tests/test_cli.sh
endif
