## the milvus plugin against real servers: built with the tests, run by ./check milvus
if MILVUS_ENABLED
check_PROGRAMS += tests/milvus_live
tests_milvus_live_SOURCES = tests/milvus_live.c tests/milvus_live.h tests/milvus_live_fake.c \
	tests/milvus_live_input.c tests/milvus_live_schema.c tests/milvus_live_data.c \
	tests/milvus_live_reads.c tests/milvus_live_upkeep.c tests/milvus_live_process.c tests/milvus_live_fault.c \
	tests/milvus_live_secure.c tests/milvus_live_writes.c $(live_rig_sources)
tests_milvus_live_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	-DTEST_TOP_BUILDDIR='"$(abs_top_builddir)"'
tests_milvus_live_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_milvus_live_LDADD = tests/libspcases.la libsimplugin.la $(CUNIT_LIBS) $(JANSSON_LIBS) -lm
endif
EXTRA_DIST += tests/milvus_contract.sh tests/milvus_interop.py tests/milvus_fiftyone.py tests/milvus_lite.py tests/cases/milvus tests/servers/milvus.py \
	tests/servers/common.py \
	tests/servers/requirements-interop.txt tests/servers/requirements-lite.txt \
	tests/servers/requirements-pymilvus.txt tests/servers/requirements-standalone.txt
