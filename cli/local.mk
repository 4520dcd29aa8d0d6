## the command-line program: its parts for the tests, and itself
noinst_LTLIBRARIES += libspcli.la
libspcli_la_SOURCES = \
	cli/options.c cli/options.h cli/help.c cli/completion.c cli/man.c \
	cli/commands.c cli/commands.h cli/cli.c cli/cli.h cli/body.c cli/exit.c cli/exit.h \
	cli/interrupt.c cli/interrupt.h cli/progress.c cli/progress.h \
	cli/output.h cli/json.c cli/cells.c cli/rows.c cli/rows.h \
	cli/source.c cli/source.h cli/input.c cli/input.h cli/input_npy.c cli/input_fvecs.c \
	cli/input_jsonl.c \
	cli/cmd_backends.c cli/cmd_explain.c cli/cmd_index.c cli/cmd_add.c cli/cmd_get.c \
	cli/cmd_search.c cli/cmd_runs.c cli/cmd_call.c \
	core/suggest.c core/suggest.h core/buffer.c core/buffer.h
libspcli_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

bin_PROGRAMS += simplugin
simplugin_SOURCES = cli/main.c
simplugin_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
simplugin_LDADD = libspcli.la libsimplugin.la $(JANSSON_LIBS)

dist_man_MANS = docs/simplugin.1
