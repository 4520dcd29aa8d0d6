## the qdrant backend: libcurl, libuuid and jansson
if QDRANT_ENABLED
noinst_LTLIBRARIES += libspqdrant.la
libspqdrant_la_SOURCES = \
	plugins/qdrant/plugin.c plugins/qdrant/call.h plugins/qdrant/describe.c plugins/qdrant/describe.h \
	plugins/qdrant/creation.c plugins/qdrant/instance.c plugins/qdrant/instance.h plugins/qdrant/health.c \
	plugins/qdrant/address.c plugins/qdrant/address.h plugins/qdrant/settings.c plugins/qdrant/settings.h \
	plugins/qdrant/transport.c plugins/qdrant/transport.h plugins/qdrant/lane.c plugins/qdrant/lane.h \
	plugins/qdrant/path.c plugins/qdrant/status.c plugins/qdrant/status.h \
	plugins/qdrant/json_map.c plugins/qdrant/json_map.h plugins/qdrant/native.c \
	plugins/qdrant/admin.c plugins/qdrant/ask.c plugins/qdrant/ask.h plugins/qdrant/name.c plugins/qdrant/name.h \
	plugins/qdrant/ids.c plugins/qdrant/ids.h plugins/qdrant/member.c plugins/qdrant/member.h plugins/qdrant/metric.c plugins/qdrant/metric.h \
	plugins/qdrant/schema.c plugins/qdrant/schema.h plugins/qdrant/collections.c \
	plugins/qdrant/page.c plugins/qdrant/page.h plugins/qdrant/fields.c plugins/qdrant/fields.h \
	plugins/qdrant/condition.c plugins/qdrant/condition.h plugins/qdrant/lookup.c plugins/qdrant/lookup.h \
	plugins/qdrant/walk.c plugins/qdrant/walk.h plugins/qdrant/rows.c plugins/qdrant/rows.h \
	plugins/qdrant/upsert.c plugins/qdrant/upsert.h plugins/qdrant/points.c plugins/qdrant/set_fields.c \
	plugins/qdrant/view.c plugins/qdrant/view.h plugins/qdrant/search.c plugins/qdrant/search.h \
	plugins/qdrant/restrict.c plugins/qdrant/copy.c plugins/qdrant/copy.h
libspqdrant_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(UUID_CFLAGS) $(JANSSON_CFLAGS)
libspqdrant_la_LIBADD = libspplug.la libspcommon.la $(CURL_LIBS) $(UUID_LIBS) $(JANSSON_LIBS)

plugin_LTLIBRARIES += simplugin_qdrant.la
simplugin_qdrant_la_SOURCES =
simplugin_qdrant_la_LIBADD = libspqdrant.la
simplugin_qdrant_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -no-undefined \
	-export-symbols-regex '^simplugin_backend_entry$$'
endif
