## the milvus backend without a server
## its headers before those of the core, some of which have the same names
MILVUS_CPPFLAGS = -I$(top_srcdir)/plugins/milvus $(AM_CPPFLAGS) -I$(top_builddir) -I$(top_srcdir)/tests
MILVUS_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(GRPC_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
MILVUS_LIBS = libspmilvus.la libspcore.la $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(CUNIT_LIBS)
milvus_programs = tests/test_milvus_pb tests/test_milvus_rows tests/test_milvus_page \
	tests/test_milvus_address tests/test_milvus_expr tests/test_milvus_memory \
	tests/test_milvus_consistency tests/test_milvus_writes tests/test_milvus_copy
check_PROGRAMS += $(milvus_programs)
TESTS += $(milvus_programs)

tests_test_milvus_pb_SOURCES = tests/test_milvus_pb.c tests/milvus_rig.h tests/unit_locale.h tests/unit.h
tests_test_milvus_pb_CPPFLAGS = $(MILVUS_CPPFLAGS)
tests_test_milvus_pb_CFLAGS = $(MILVUS_CFLAGS)
tests_test_milvus_pb_LDADD = $(MILVUS_LIBS)

tests_test_milvus_rows_SOURCES = tests/test_milvus_rows.c tests/milvus_rig.h tests/unit_locale.h tests/unit.h
tests_test_milvus_rows_CPPFLAGS = $(MILVUS_CPPFLAGS)
tests_test_milvus_rows_CFLAGS = $(MILVUS_CFLAGS)
tests_test_milvus_rows_LDADD = $(MILVUS_LIBS)

tests_test_milvus_page_SOURCES = tests/test_milvus_page.c tests/milvus_reply.h tests/milvus_rig.h tests/unit_locale.h tests/unit.h
tests_test_milvus_page_CPPFLAGS = $(MILVUS_CPPFLAGS)
tests_test_milvus_page_CFLAGS = $(MILVUS_CFLAGS)
tests_test_milvus_page_LDADD = $(MILVUS_LIBS)

tests_test_milvus_address_SOURCES = tests/test_milvus_address.c tests/milvus_rig.h conformance/tree.h tests/unit.h
tests_test_milvus_address_CPPFLAGS = $(MILVUS_CPPFLAGS)
tests_test_milvus_address_CFLAGS = $(MILVUS_CFLAGS)
tests_test_milvus_address_LDADD = $(MILVUS_LIBS)

tests_test_milvus_expr_SOURCES = tests/test_milvus_expr.c tests/milvus_reply.h tests/milvus_rig.h tests/unit_locale.h tests/unit.h
tests_test_milvus_expr_CPPFLAGS = $(MILVUS_CPPFLAGS)
tests_test_milvus_expr_CFLAGS = $(MILVUS_CFLAGS)
tests_test_milvus_expr_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=milvus_query_run
tests_test_milvus_expr_LDADD = $(MILVUS_LIBS)

tests_test_milvus_memory_SOURCES = tests/test_milvus_memory.c tests/unit_fails.h tests/milvus_reply.h tests/milvus_rig.h tests/unit_locale.h tests/unit.h
tests_test_milvus_memory_CPPFLAGS = $(MILVUS_CPPFLAGS)
tests_test_milvus_memory_CFLAGS = $(MILVUS_CFLAGS)
tests_test_milvus_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=milvus_query_run
tests_test_milvus_memory_LDADD = $(MILVUS_LIBS)

tests_test_milvus_consistency_SOURCES = tests/test_milvus_consistency.c tests/milvus_rig.h tests/unit_locale.h tests/unit.h
tests_test_milvus_consistency_CPPFLAGS = $(MILVUS_CPPFLAGS)
tests_test_milvus_consistency_CFLAGS = $(MILVUS_CFLAGS)
tests_test_milvus_consistency_LDADD = $(MILVUS_LIBS)

tests_test_milvus_writes_SOURCES = tests/test_milvus_writes.c tests/milvus_rig.h tests/unit_locale.h tests/unit.h
tests_test_milvus_writes_CPPFLAGS = $(MILVUS_CPPFLAGS)
tests_test_milvus_writes_CFLAGS = $(MILVUS_CFLAGS)
tests_test_milvus_writes_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=milvus_flight_init,--wrap=milvus_flight_clear \
	-Wl,--wrap=milvus_flight_start,--wrap=milvus_flight_next,--wrap=milvus_tell,--wrap=milvus_load,--wrap=milvus_ask
tests_test_milvus_writes_LDADD = $(MILVUS_LIBS) -lgrpc -lgpr
tests_test_milvus_copy_SOURCES = tests/test_milvus_copy.c tests/milvus_rig.h tests/unit_locale.h tests/unit.h
tests_test_milvus_copy_CPPFLAGS = $(MILVUS_CPPFLAGS)
tests_test_milvus_copy_CFLAGS = $(MILVUS_CFLAGS)
tests_test_milvus_copy_LDADD = $(MILVUS_LIBS)

## the server's replies, fuzzed
check_PROGRAMS += tests/fuzz/replay_milvus
TESTS += tests/fuzz/replay_milvus
EXTRA_DIST += tests/fuzz/milvus
tests_fuzz_replay_milvus_SOURCES = tests/fuzz/fuzz_milvus.c tests/fuzz/standalone.c
tests_fuzz_replay_milvus_CPPFLAGS = $(MILVUS_CPPFLAGS) -DFUZZ_CORPUS='"$(abs_top_srcdir)/tests/fuzz/milvus"'
tests_fuzz_replay_milvus_CFLAGS = $(MILVUS_CFLAGS)
tests_fuzz_replay_milvus_LDADD = libspmilvus.la libspcore.la $(JANSSON_LIBS)
if FUZZING
fuzz_programs += tests/fuzz/fuzz_milvus
tests_fuzz_fuzz_milvus_SOURCES = tests/fuzz/fuzz_milvus.c
tests_fuzz_fuzz_milvus_CPPFLAGS = $(MILVUS_CPPFLAGS)
tests_fuzz_fuzz_milvus_CFLAGS = $(MILVUS_CFLAGS)
tests_fuzz_fuzz_milvus_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_milvus_LDADD = libspmilvus.la libspcore.la $(JANSSON_LIBS)
endif

## what the others test of every plugin
test_protocol_doc_CPPFLAGS += -DTEST_MILVUS
AM_TESTS_ENVIRONMENT += TEST_PLUGINS=milvus; export TEST_PLUGINS;
