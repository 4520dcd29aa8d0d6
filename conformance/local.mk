## SPDX-License-Identifier: Apache-2.0
## simplugin-conformance: checks that a backend does what docs/protocol.md says

## the cases: read, made into calls and compared with what these answer; tests use it too
noinst_LTLIBRARIES += libspcontract.la
libspcontract_la_SOURCES = \
	conformance/contract.h conformance/tree.h conformance/expand.c conformance/encode.c conformance/decode.c \
	conformance/match.c conformance/doc_table.c
libspcontract_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

## all of the program but its main, also for programs with backends linked in
lib_LTLIBRARIES += libsimplugin-conformance.la
libsimplugin_conformance_la_SOURCES = \
	conformance/program.c core/moved.c core/moved.h conformance/options.c conformance/options.h \
	conformance/settings.c conformance/target.c conformance/data.c conformance/world.h \
	conformance/plan.c conformance/plan.h conformance/outcome.h conformance/schedule.c \
	conformance/child.c conformance/child.h conformance/run.c conformance/run.h conformance/check.h \
	conformance/brief.c conformance/brief.h conformance/report.h conformance/report_tap.c \
	conformance/report_junit.c conformance/report_json.c conformance/core.c conformance/core.h \
	conformance/tables.c conformance/tables.h conformance/dice.h conformance/pair.c conformance/pair.h \
	conformance/agree.c conformance/agree.h conformance/semantics.c conformance/filters.c conformance/filter_trees.c conformance/filter_trees.h \
	conformance/corpus.c conformance/case.c conformance/oracle.c conformance/filter_cases.c
## the checks that talk to the plugin's own table, with a host of ours
libsimplugin_conformance_la_SOURCES += \
	conformance/host.c conformance/host.h conformance/guard.c conformance/guard.h \
	conformance/rig.c conformance/rig.h conformance/elf_exports.c conformance/elf_exports.h \
	conformance/measure.c conformance/measure.h conformance/abi.c conformance/describe.c \
	conformance/describe_truth.c conformance/describe_truth.h \
	conformance/shape.c conformance/shape.h conformance/expect.c conformance/expect.h conformance/methods.c \
	conformance/stock.c conformance/stock.h conformance/optional.c conformance/optional.h \
	conformance/optional_points.c conformance/optional_search.c conformance/optional_upkeep.c \
	conformance/points.c conformance/points_search.c conformance/points_search.h \
	conformance/tour.c conformance/tour.h conformance/flat.c conformance/flat.h conformance/memory.c \
	conformance/long.c conformance/long.h conformance/time.c conformance/time_amid.c conformance/time_amid.h \
	conformance/threads.c \
	conformance/cycles.c conformance/fork.c conformance/malformed.c conformance/sanitized.h
libsimplugin_conformance_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
libsimplugin_conformance_la_CPPFLAGS = $(AM_CPPFLAGS) -DCONF_LIBDIR='"$(libdir)"' \
	-DCONF_DATADIR='"$(pkgdatadir)/conformance"'
libsimplugin_conformance_la_LIBADD = libspcontract.la libsimplugin.la $(JANSSON_LIBS)
libsimplugin_conformance_la_LDFLAGS = $(AM_LDFLAGS) -version-info $(CONF_LT_VERSION) -no-undefined \
	-export-symbols-regex '^simplugin_conformance_main$$'
## current:revision:age, as docs/abi.md promises
CONF_LT_VERSION = 1:0:0
## its data, where one that is not installed looks for them
EXTRA_libsimplugin_conformance_la_DEPENDENCIES = conformance/data/protocol.md
pkginclude_HEADERS += include/simplugin/conformance.h
pkgconfig_DATA += simplugin-conformance.pc

bin_PROGRAMS += simplugin-conformance
simplugin_conformance_SOURCES = conformance/main.c
simplugin_conformance_LDADD = libsimplugin-conformance.la

conformance/data/protocol.md: $(srcdir)/docs/protocol.md
	$(AM_V_GEN)$(MKDIR_P) conformance/data && rm -f conformance/data/corpus conformance/data/filter && \
	$(LN_S) $(abs_top_srcdir)/tests/corpus conformance/data/corpus && \
	$(LN_S) $(abs_top_srcdir)/tests/cases/filter conformance/data/filter && cp $(srcdir)/docs/protocol.md $@
mostlyclean-local:
	rm -rf conformance/data

conformance_data = $(DESTDIR)$(pkgdatadir)/conformance
install-data-local:
	$(MKDIR_P) '$(conformance_data)/corpus' '$(conformance_data)/filter'
	$(INSTALL_DATA) $(srcdir)/docs/protocol.md '$(conformance_data)'
	$(INSTALL_DATA) $(srcdir)/tests/corpus/*.json '$(conformance_data)/corpus'
	$(INSTALL_DATA) $(srcdir)/tests/cases/filter/*.json '$(conformance_data)/filter'
uninstall-local:
	rm -rf '$(conformance_data)'

dist_man_MANS += docs/simplugin-conformance.1

if TESTS_ENABLED
## part kit of ./check: whole runs take their time
EXTRA_DIST += tests/test_conformance.sh

## the backend "minimal" linked into the program, and spoiled
check_PROGRAMS += conformance_static
conformance_static_SOURCES = tests/conformance_static.c tests/mock/minimal.c tests/mock/minimal_rows.c \
	tests/mock/minimal_rows.h
conformance_static_CFLAGS = $(AM_CFLAGS)
conformance_static_LDADD = libsimplugin-conformance.la
check_LTLIBRARIES += simplugin_mock_spoiled.la
simplugin_mock_spoiled_la_SOURCES = tests/mock/spoiled.c tests/mock/minimal_rows.c tests/mock/minimal_rows.h
simplugin_mock_spoiled_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -no-undefined \
	-rpath /nowhere -export-symbols-regex '^simplugin_backend_entry$$'
endif
