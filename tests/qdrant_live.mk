## the qdrant plugin against a server: built with the tests, run by ./check qdrant
if QDRANT_ENABLED
check_PROGRAMS += tests/qdrant_live
tests_qdrant_live_SOURCES = tests/qdrant_live.c tests/qdrant_live.h tests/qdrant_live_control.c \
	tests/qdrant_live_input.c tests/qdrant_live_fields.c tests/qdrant_live_ids.c \
	tests/qdrant_live_schema.c tests/qdrant_live_data.c tests/qdrant_live_large.c \
	tests/qdrant_live_process.c tests/qdrant_live_away.c tests/qdrant_live_fault.c \
	tests/qdrant_live_kill.c tests/qdrant_live_secure.c tests/qdrant_live_old.c \
	tests/qdrant_fake.h $(live_rig_sources)
tests_qdrant_live_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	-DTEST_TOP_BUILDDIR='"$(abs_top_builddir)"'
tests_qdrant_live_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_qdrant_live_LDADD = tests/libspcases.la libsimplugin.la $(CUNIT_LIBS) $(JANSSON_LIBS) -lm
endif
