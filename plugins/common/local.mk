## libspplug: what the plugins in the tree share, compiled into each with hidden symbols
noinst_LTLIBRARIES += libspplug.la
libspplug_la_SOURCES = \
	plugins/common/plug.h plugins/common/error.c \
	plugins/common/plug_call.h plugins/common/call.c \
	plugins/common/plug_args.h plugins/common/args.c \
	plugins/common/plug_open.h plugins/common/open.c \
	plugins/common/plug_instance.h plugins/common/instance.c \
	plugins/common/plug_view.h plugins/common/view.c \
	plugins/common/plug_copy.h plugins/common/copy.c
