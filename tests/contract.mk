## the contract program and its runs, the documents compared with the library, the headers and symbols

## cases as data: read, made into calls and compared with what these answer; compiled once for all
check_LTLIBRARIES += tests/libspcases.la
tests_libspcases_la_SOURCES = \
	tests/contract/expand.c tests/contract/encode.c tests/contract/decode.c tests/contract/match.c \
	tests/contract/doc_table.c tests/contract/contract.h tests/ask.c tests/ask.h tests/tree.h tests/unit.h
tests_libspcases_la_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_libspcases_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

check_PROGRAMS += tests/contract/contract
tests_contract_contract_SOURCES = tests/contract/main.c tests/contract/run.c tests/contract/oracle.c \
	tests/contract/filter_cases.c
tests_contract_contract_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_contract_contract_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_TOP_SRCDIR='"$(abs_top_srcdir)"'
tests_contract_contract_LDADD = tests/libspcases.la libsimplugin.la $(CUNIT_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += test_protocol_doc
TESTS += test_protocol_doc
test_protocol_doc_SOURCES = tests/test_protocol_doc.c
test_protocol_doc_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
test_protocol_doc_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_TOP_SRCDIR='"$(abs_top_srcdir)"' \
	-DTEST_TOP_BUILDDIR='"$(abs_top_builddir)"'
test_protocol_doc_LDADD = tests/libspcases.la libspcore.la $(CUNIT_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += test_abi
TESTS += test_abi
test_abi_SOURCES = tests/test_abi.c tests/unit.h
test_abi_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
test_abi_LDADD = libsimplugin.la $(CUNIT_LIBS)

dist_check_SCRIPTS = tests/test_contract_flat.sh tests/test_contract_minimal.sh tests/test_headers.sh \
	tests/test_header_program.sh tests/test_exports.sh tests/test_requirements.sh tests/test_bindings_doc.sh tests/test_readme.sh
TESTS += $(dist_check_SCRIPTS)
## what the scripts need to know of the build
AM_TESTS_ENVIRONMENT = \
	TEST_TOP_SRCDIR='$(abs_top_srcdir)'; export TEST_TOP_SRCDIR; \
	TEST_TOP_BUILDDIR='$(abs_top_builddir)'; export TEST_TOP_BUILDDIR; \
	TEST_CC='$(CC)'; export TEST_CC; \
	TEST_CFLAGS='$(SP_LDFLAGS) $(CFLAGS)'; export TEST_CFLAGS; \
	TEST_NM='$(NM)'; export TEST_NM;

## examples are built with the tests, so that they stay right
check_PROGRAMS += examples/c/digits
examples_c_digits_SOURCES = examples/c/digits.c
examples_c_digits_LDADD = libsimplugin.la

EXTRA_DIST += docs/license.svg .ci/packages.sh .ci/run data tests/corpus tests/e2e/test_digits.py tests/e2e/requirements.txt \
	docs/protocol.md docs/requirements.md CONTRIBUTING.md

## docs/milvus.md, its files and what tests them
EXTRA_DIST += docs/milvus.md docs/milvus/docker-compose.yml docs/milvus/prometheus.yml docs/milvus/grafana-dashboard.json \
	docs/milvus/operator.yaml tests/milvus_docs.py tests/cases/milvus_metrics.txt tests/servers/requirements-docs.txt \
	tests/docs_page.py

## docs/qdrant.md, what tests it, and what other clients and the contract say of the backend
EXTRA_DIST += docs/qdrant.md tests/qdrant_docs.py tests/qdrant_interop.py tests/qdrant_fiftyone.py tests/qdrant_contract.sh \
	tests/cases/qdrant tests/servers/requirements-qdrant-fiftyone.txt

## for ./check: the tests with threads, for ThreadSanitizer
concurrent_tests = $(filter %test_cancel %test_handle %test_host %test_log %test_secrets %test_metrics %test_queue %test_loader %test_runs \
	%test_typed %test_flat_search %test_flat_store_threads %test_flat_plugin_live %test_contract_flat.sh, $(TESTS))
print-concurrent-tests:
	@echo $(concurrent_tests)
.PHONY: print-concurrent-tests
