## the milvus backend: gRPC's C core and protobuf-c, neither gRPC C++ nor libprotobuf
if MILVUS_ENABLED
noinst_LTLIBRARIES += libspmilvus.la
libspmilvus_la_SOURCES = \
	plugins/milvus/plugin.c plugins/milvus/call.h plugins/milvus/describe.c plugins/milvus/describe.h \
	plugins/milvus/instance.c plugins/milvus/instance.h \
	plugins/milvus/address.c plugins/milvus/address.h plugins/milvus/settings.c plugins/milvus/settings.h \
	plugins/milvus/transport.c plugins/milvus/transport.h plugins/milvus/channel.c plugins/milvus/channel.h \
	plugins/milvus/status.c plugins/milvus/status.h plugins/milvus/ask.c plugins/milvus/ask.h \
	plugins/milvus/pb.c plugins/milvus/pb.h plugins/milvus/numbers.h \
	plugins/milvus/rows.c plugins/milvus/rows.h plugins/milvus/page.c plugins/milvus/page.h \
	plugins/milvus/fields.c plugins/milvus/fields.h plugins/milvus/hits.c plugins/milvus/hits.h \
	plugins/milvus/name.c plugins/milvus/name.h plugins/milvus/metric.c plugins/milvus/metric.h \
	plugins/milvus/schema.c plugins/milvus/schema.h plugins/milvus/property.c plugins/milvus/property.h \
	plugins/milvus/known.c plugins/milvus/known.h \
	plugins/milvus/consistency.c plugins/milvus/consistency.h plugins/milvus/load.c plugins/milvus/load.h \
	plugins/milvus/index_spec.c plugins/milvus/index_spec.h \
	plugins/milvus/collections.c plugins/milvus/partitions.c plugins/milvus/partitions.h \
	plugins/milvus/expr.c plugins/milvus/expr.h plugins/milvus/filter.c \
	plugins/milvus/query.c plugins/milvus/query.h plugins/milvus/lookup.c plugins/milvus/lookup.h \
	plugins/milvus/walk.c plugins/milvus/walk.h plugins/milvus/points.c \
	plugins/milvus/upsert.c plugins/milvus/upsert.h plugins/milvus/fate.c plugins/milvus/fate.h \
	plugins/milvus/view.c plugins/milvus/view.h \
	plugins/milvus/search.c plugins/milvus/search.h plugins/milvus/restrict.c \
	plugins/milvus/complete.c plugins/milvus/complete.h \
	plugins/milvus/copy.c plugins/milvus/copy.h plugins/milvus/zeros.c plugins/milvus/zeros.h \
	plugins/milvus/native.h plugins/milvus/native_rows.c plugins/milvus/native_admin.c \
	plugins/milvus/base64.c plugins/milvus/base64.h
nodist_libspmilvus_la_SOURCES = plugins/milvus/milvus.pb-c.c plugins/milvus/milvus.pb-c.h
libspmilvus_la_CFLAGS = $(AM_CFLAGS) $(GRPC_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
libspmilvus_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_builddir)
libspmilvus_la_LIBADD = libspplug.la libspcommon.la -lgrpc -lgpr $(PROTOBUF_C_LIBS) $(JANSSON_LIBS)

plugin_LTLIBRARIES += simplugin_milvus.la
simplugin_milvus_la_SOURCES =
simplugin_milvus_la_LIBADD = libspmilvus.la
simplugin_milvus_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -no-undefined \
	-export-symbols-regex '^simplugin_backend_entry$$'

plugins/milvus/milvus.pb-c.c: plugins/milvus/milvus.proto
	$(AM_V_GEN)$(MKDIR_P) plugins/milvus && \
	$(PROTOC_C) --proto_path=$(srcdir)/plugins/milvus --c_out=plugins/milvus $(srcdir)/plugins/milvus/milvus.proto
plugins/milvus/milvus.pb-c.h: plugins/milvus/milvus.pb-c.c
	@test -f $@ || { rm -f $<; $(MAKE) $<; }
BUILT_SOURCES += plugins/milvus/milvus.pb-c.h
CLEANFILES += plugins/milvus/milvus.pb-c.c plugins/milvus/milvus.pb-c.h
endif
EXTRA_DIST += plugins/milvus/milvus.proto
