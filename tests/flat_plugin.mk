## the flat backend through its table
check_PROGRAMS += test_flat_plugin test_flat_plugin_search test_flat_plugin_live
TESTS += test_flat_plugin test_flat_plugin_search test_flat_plugin_live
FLAT_PLUGIN_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/sklearn_flat -I$(top_srcdir)/tests
FLAT_PLUGIN_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(LMDB_CFLAGS) $(JANSSON_CFLAGS)
FLAT_PLUGIN_LIBS = libspflat.la libspcore.la $(CUNIT_LIBS)
test_flat_plugin_SOURCES = tests/test_flat_plugin.c tests/flat_rig.h tests/unit.h
test_flat_plugin_CPPFLAGS = $(FLAT_PLUGIN_CPPFLAGS)
test_flat_plugin_CFLAGS = $(FLAT_PLUGIN_CFLAGS)
test_flat_plugin_LDADD = $(FLAT_PLUGIN_LIBS)
test_flat_plugin_search_SOURCES = tests/test_flat_plugin_search.c tests/flat_rig.h tests/unit.h
test_flat_plugin_search_CPPFLAGS = $(FLAT_PLUGIN_CPPFLAGS)
test_flat_plugin_search_CFLAGS = $(FLAT_PLUGIN_CFLAGS)
test_flat_plugin_search_LDADD = $(FLAT_PLUGIN_LIBS)
test_flat_plugin_live_SOURCES = tests/test_flat_plugin_live.c tests/flat_rig.h tests/unit.h
test_flat_plugin_live_CPPFLAGS = $(FLAT_PLUGIN_CPPFLAGS)
test_flat_plugin_live_CFLAGS = $(FLAT_PLUGIN_CFLAGS)
test_flat_plugin_live_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
test_flat_plugin_live_LDADD = $(FLAT_PLUGIN_LIBS)
