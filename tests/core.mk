## it takes the place of malloc, as the sanitizers do; the longest, so that it is the first
if !SANITIZED
check_PROGRAMS += tests/test_alloc
TESTS += tests/test_alloc
endif

## tests of the core's own parts, one program for each file of the core
core_tests = \
	tests/test_envelope tests/test_envelope_msgpack tests/test_column tests/test_error tests/test_buffer \
	tests/test_arena tests/test_secrets tests/test_log tests/test_cancel tests/test_handle tests/test_queue tests/test_metrics \
	tests/test_wire tests/test_moved tests/test_idmap tests/test_json tests/test_describe tests/test_host
check_PROGRAMS += $(core_tests)
TESTS += $(core_tests)

tests_test_envelope_SOURCES = tests/test_envelope.c tests/unit.h
tests_test_envelope_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_envelope_LDADD = libspcore.la $(CUNIT_LIBS)

tests_test_envelope_msgpack_SOURCES = tests/test_envelope_msgpack.c tests/unit.h
tests_test_envelope_msgpack_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(MSGPACK_CFLAGS)
tests_test_envelope_msgpack_LDADD = libspcore.la $(CUNIT_LIBS) $(MSGPACK_LIBS)

tests_test_column_SOURCES = tests/test_column.c tests/unit.h
tests_test_column_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_column_LDADD = libspcore.la $(CUNIT_LIBS)

tests_test_error_SOURCES = tests/test_error.c tests/unit.h
tests_test_error_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_error_LDADD = libspcore.la $(CUNIT_LIBS)

tests_test_buffer_SOURCES = tests/test_buffer.c tests/unit.h
tests_test_buffer_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_buffer_LDADD = libspcore.la $(CUNIT_LIBS)

tests_test_arena_SOURCES = tests/test_arena.c tests/unit.h
tests_test_arena_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_arena_LDADD = libspcore.la $(CUNIT_LIBS)

tests_test_secrets_SOURCES = tests/test_secrets.c tests/unit.h
tests_test_secrets_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_secrets_LDADD = libspcore.la $(CUNIT_LIBS)

tests_test_log_SOURCES = tests/test_log.c tests/unit.h
tests_test_log_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_log_LDADD = libspcore.la $(CUNIT_LIBS)

tests_test_cancel_SOURCES = tests/test_cancel.c tests/unit.h
tests_test_cancel_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_cancel_LDADD = libspcore.la $(CUNIT_LIBS)

tests_test_handle_SOURCES = tests/test_handle.c tests/unit.h
tests_test_handle_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_handle_LDADD = libspcore.la $(CUNIT_LIBS)

tests_test_queue_SOURCES = tests/test_queue.c tests/unit.h
tests_test_queue_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_queue_LDADD = libspcore.la $(CUNIT_LIBS)

tests_test_metrics_SOURCES = tests/test_metrics.c tests/unit.h
tests_test_metrics_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_metrics_LDADD = libspcore.la $(CUNIT_LIBS)

tests_test_wire_SOURCES = tests/test_wire.c tests/unit.h
tests_test_wire_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_test_wire_LDADD = libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)

tests_test_moved_SOURCES = tests/test_moved.c core/moved.c core/moved.h tests/unit.h
tests_test_moved_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_moved_LDADD = $(CUNIT_LIBS)

tests_test_idmap_SOURCES = tests/test_idmap.c tests/unit.h
tests_test_idmap_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_idmap_LDADD = libspcore.la $(CUNIT_LIBS)

tests_test_json_SOURCES = tests/test_json.c tests/unit.h
tests_test_json_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_test_json_LDADD = libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)

tests_test_describe_SOURCES = tests/test_describe.c tests/unit.h
tests_test_describe_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_test_describe_LDADD = libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)

tests_test_host_SOURCES = tests/test_host.c tests/unit.h
tests_test_host_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_host_LDADD = libspcore.la $(CUNIT_LIBS)

## programs that use the library and the flat plugin of this build
library_tests = tests/test_typed
check_PROGRAMS += $(library_tests)
TESTS += $(library_tests)

tests_test_typed_SOURCES = tests/test_typed.c tests/library_rig.h conformance/tree.h tests/unit.h
tests_test_typed_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_TOP_BUILDDIR='"$(abs_top_builddir)"'
tests_test_typed_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_test_typed_LDADD = libsimplugin.la $(CUNIT_LIBS)

tests_test_alloc_SOURCES = tests/test_alloc.c tests/library_rig.h conformance/tree.h tests/unit.h
tests_test_alloc_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_TOP_BUILDDIR='"$(abs_top_builddir)"'
tests_test_alloc_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_test_alloc_LDADD = libsimplugin.la $(CUNIT_LIBS) $(JANSSON_LIBS)
