## libspcommon: what the core and plugins both need, compiled into each with hidden symbols
noinst_LTLIBRARIES += libspcommon.la
libspcommon_la_SOURCES = \
	core/kernels.c core/kernels.h core/kernels_table.h core/kernels_template.h core/kernels_codes.c \
	core/kernels_scalar.c core/kernels_avx2.c core/kernels_avx512.c core/kernels_neon.c \
	core/distance.c core/distance.h core/column.c core/column.h core/filter.h core/filter_tree.c core/filter_build.c core/filter_build.h \
	core/filter_words.c core/filter_words.h core/filter_lex.c core/filter_lex.h core/filter_parse.c \
	core/filter_print.c core/filter_codec.c core/filter_support.c core/filter_simplify.c \
	core/filter_set.c core/filter_set.h core/filter_pattern.c core/filter_match.c core/filter_match.h \
	core/filter_eval.c \
	core/arena.c core/arena.h core/buffer.c core/buffer.h core/idmap.c core/idmap.h core/suggest.c core/suggest.h

## libspcore: the whole core, with its symbols reachable for the tests
noinst_LTLIBRARIES += libspcore.la
libspcore_la_SOURCES = \
	core/error.c core/error.h core/error_access.h core/secrets.c core/secrets.h core/log.c core/log.h core/clock.h core/context.h \
	core/host.c core/host.h core/cancel.c core/cancel.h core/handle.c core/handle.h core/queue.c core/queue.h \
	core/metrics.c core/metrics.h core/describe.c core/describe.h core/connection.c core/connection.h \
	core/wire.c core/wire.h core/json.c core/gather.c core/gather.h \
	core/session.c core/session.h core/endpoint.c core/endpoint.h core/index.c core/index.h core/index_settings.h core/index_points.c core/index_get.c \
	core/points.c core/points.h core/restrict.c core/view.c core/scan.c core/hits.c core/hits.h \
	core/search.c core/search.h core/search_exact.c core/search_parameters.c core/search_parameters.h core/index_search.c core/index_neighbors.c core/index_duplicates.c \
	core/copy.c core/copy.h core/copy_open.c core/copy_plan.c core/copy_plan.h core/copy_place.c core/copy_place.h core/copy_types.c core/copy_types.h core/copy_rows.c core/copy_rows.h \
	core/copy_compare.c core/copy_compare.h core/copy_verify.c core/copy_verify.h core/copy_journal.c core/copy_journal.h core/copy_lock.c \
	core/protocol.c core/protocol.h core/api.c core/abi.c core/abi.h core/serve_session.c core/backend_call.c core/serve_runs.c core/typed.c core/typed.h core/typed_copy.c \
	core/config_backends.c core/config_env.c core/config_file.c core/config_internal.h core/config_layers.c \
	core/config_layers.h core/config_number.c core/config_object.c core/config_beside.c core/config_parameters.c core/config_paths.c \
	core/config_resolve.c core/config_resolve.h core/config_secret.c core/config_value.c \
	core/loader.c core/loader.h core/loader_elf.c core/loader_elf.h core/loader_file.c core/loader_file.h core/loader_list.c core/loader_list.h core/loader_open.c core/loader_open.h \
	core/runs.c core/runs.h core/runs_db.c core/runs_db.h core/runs_secrets.c core/runs_secrets.h core/identifier.c core/identifier.h
libspcore_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
libspcore_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_PLUGIN_DIR='"$(plugindir)"'
libspcore_la_LIBADD = libspcommon.la $(JANSSON_LIBS) $(SQLITE_LIBS)

lib_LTLIBRARIES += libsimplugin.la
libsimplugin_la_SOURCES =
libsimplugin_la_LIBADD = libspcore.la
libsimplugin_la_LDFLAGS = $(AM_LDFLAGS) -version-info $(SP_LT_VERSION) -no-undefined \
	-Wl,--version-script=$(top_srcdir)/core/simplugin.map
libsimplugin_la_DEPENDENCIES = libspcore.la core/simplugin.map
EXTRA_DIST += core/simplugin.map
