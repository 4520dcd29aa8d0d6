## libspplug: what the plugins in the tree share, compiled into each with hidden symbols
noinst_LTLIBRARIES += libspplug.la
libspplug_la_SOURCES = \
	plugins/common/plug.h plugins/common/error.c \
	plugins/common/plug_call.h plugins/common/call.c \
	plugins/common/plug_args.h plugins/common/args.c \
	plugins/common/plug_parameter.h plugins/common/parameter.c \
	plugins/common/plug_open.h plugins/common/open.c \
	plugins/common/plug_instance.h plugins/common/instance.c \
	plugins/common/plug_view.h plugins/common/view.c \
	plugins/common/plug_hits.h plugins/common/hits.c \
	plugins/common/plug_copy.h plugins/common/copy.c \
	plugins/common/powers_of_ten.h plugins/common/powers_of_ten.c plugins/common/shortest.h \
	plugins/common/nearest.h plugins/common/nearest.c plugins/common/nearest_exact.c \
	plugins/common/json_write.h plugins/common/json_write.c plugins/common/json_write_number.c \
	plugins/common/json_read.h plugins/common/json_internal.h plugins/common/json_number.h \
	plugins/common/json_read.c plugins/common/json_read_number.c plugins/common/json_read_text.c \
	plugins/common/plug_fields.h plugins/common/plug_fields.c \
	plugins/common/plug_fields_json.h plugins/common/plug_fields_json.c \
	plugins/common/plug_known.h plugins/common/plug_known.c
EXTRA_DIST += plugins/common/powers_of_ten.py
