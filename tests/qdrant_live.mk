## the qdrant plugin against servers: built with the tests, run by ./check qdrant
if QDRANT_ENABLED
check_PROGRAMS += tests/qdrant_live
tests_qdrant_live_SOURCES = tests/qdrant_live.c tests/qdrant_live.h tests/qdrant_live_rig.c \
	tests/qdrant_live_secure.c tests/ask.c tests/ask.h tests/contract/contract.h \
	tests/contract/encode.c tests/contract/expand.c tests/contract/decode.c \
	tests/contract/match.c tests/tree.h tests/unit.h
tests_qdrant_live_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	-DTEST_TOP_BUILDDIR='"$(abs_top_builddir)"'
tests_qdrant_live_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_qdrant_live_LDADD = libsimplugin.la $(CUNIT_LIBS) $(JANSSON_LIBS) -lm
endif
