## the flat backend: the objects for the tests, the module for users, and a link by its FiftyOne name
noinst_LTLIBRARIES += libspflat.la
libspflat_la_SOURCES = \
	plugins/sklearn_flat/plugin.c plugins/sklearn_flat/describe.c \
	plugins/sklearn_flat/instance.c plugins/sklearn_flat/instance.h plugins/sklearn_flat/cache.c \
	plugins/sklearn_flat/call.h \
	plugins/sklearn_flat/metric.c plugins/sklearn_flat/metric.h \
	plugins/sklearn_flat/declared.c plugins/sklearn_flat/declared.h plugins/sklearn_flat/collections.c \
	plugins/sklearn_flat/points.c plugins/sklearn_flat/scan.c \
	plugins/sklearn_flat/gather.c plugins/sklearn_flat/gather.h \
	plugins/sklearn_flat/mask.c plugins/sklearn_flat/mask.h plugins/sklearn_flat/filter.c \
	plugins/sklearn_flat/view.c plugins/sklearn_flat/view.h \
	plugins/sklearn_flat/search_op.c plugins/sklearn_flat/search_op.h plugins/sklearn_flat/neighbors.c \
	plugins/sklearn_flat/text_sort.c plugins/sklearn_flat/text_sort.h \
	plugins/sklearn_flat/store_iter.c \
	plugins/sklearn_flat/store.c plugins/sklearn_flat/store.h \
	plugins/sklearn_flat/distance.c \
	plugins/sklearn_flat/distance.h \
	plugins/sklearn_flat/search_bound.c \
	plugins/sklearn_flat/search_bound.h \
	plugins/sklearn_flat/search_hits.c \
	plugins/sklearn_flat/search_hits.h \
	plugins/sklearn_flat/search_pool.c \
	plugins/sklearn_flat/search_pool.h \
	plugins/sklearn_flat/search_scan.c \
	plugins/sklearn_flat/search_scan.h \
	plugins/sklearn_flat/store_block.c \
	plugins/sklearn_flat/store_check.c \
	plugins/sklearn_flat/store_column.c \
	plugins/sklearn_flat/store_columns.c \
	plugins/sklearn_flat/store_copy.c \
	plugins/sklearn_flat/store_crew.c \
	plugins/sklearn_flat/store_delete.c \
	plugins/sklearn_flat/store_env.c \
	plugins/sklearn_flat/store_fields.c \
	plugins/sklearn_flat/store_format.c \
	plugins/sklearn_flat/store_format.h \
	plugins/sklearn_flat/store_insert.c \
	plugins/sklearn_flat/store_internal.h \
	plugins/sklearn_flat/store_lock.c \
	plugins/sklearn_flat/store_maintain.c \
	plugins/sklearn_flat/store_map.c \
	plugins/sklearn_flat/store_names.c \
	plugins/sklearn_flat/store_pages.c \
	plugins/sklearn_flat/store_read.c \
	plugins/sklearn_flat/store_registry.c \
	plugins/sklearn_flat/store_table.c \
	plugins/sklearn_flat/store_upsert.c \
	plugins/sklearn_flat/store_values.c \
	plugins/sklearn_flat/store_writeback.c \
	plugins/sklearn_flat/store_writer.c \
	plugins/sklearn_flat/search.c plugins/sklearn_flat/search.h
libspflat_la_CFLAGS = $(AM_CFLAGS) $(LMDB_CFLAGS) $(OPENBLAS_CFLAGS)
libspflat_la_LIBADD = libspplug.la libspcommon.la $(LMDB_LIBS) $(OPENBLAS_LIBS)

plugin_LTLIBRARIES += simplugin_sklearn_flat.la
simplugin_sklearn_flat_la_SOURCES =
simplugin_sklearn_flat_la_LIBADD = libspflat.la
simplugin_sklearn_flat_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -no-undefined \
	-export-symbols-regex '^simplugin_backend_entry$$'

install-data-hook:
	cd $(DESTDIR)$(plugindir) && rm -f simplugin_sklearn_flat.la simplugin_sklearn.so && \
	$(LN_S) simplugin_sklearn_flat.so simplugin_sklearn.so
uninstall-hook:
	rm -f $(DESTDIR)$(plugindir)/simplugin_sklearn.so $(DESTDIR)$(plugindir)/simplugin_sklearn_flat.so
