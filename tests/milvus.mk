## the milvus backend without a server
MILVUS_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_builddir) -I$(top_srcdir)/plugins/milvus -I$(top_srcdir)/tests
MILVUS_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(GRPC_CFLAGS) $(PROTOBUF_C_CFLAGS) $(JANSSON_CFLAGS)
MILVUS_LIBS = libspmilvus.la libspcore.la $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(CUNIT_LIBS)
milvus_programs = tests/test_milvus_pb tests/test_milvus_rows
check_PROGRAMS += $(milvus_programs)
TESTS += $(milvus_programs)

tests_test_milvus_pb_SOURCES = tests/test_milvus_pb.c tests/milvus_rig.h tests/unit.h
tests_test_milvus_pb_CPPFLAGS = $(MILVUS_CPPFLAGS)
tests_test_milvus_pb_CFLAGS = $(MILVUS_CFLAGS)
tests_test_milvus_pb_LDADD = $(MILVUS_LIBS)

tests_test_milvus_rows_SOURCES = tests/test_milvus_rows.c tests/milvus_rig.h tests/unit.h
tests_test_milvus_rows_CPPFLAGS = $(MILVUS_CPPFLAGS)
tests_test_milvus_rows_CFLAGS = $(MILVUS_CFLAGS)
tests_test_milvus_rows_LDADD = $(MILVUS_LIBS)
