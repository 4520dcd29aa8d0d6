## the backend "minimal", for comparing what the core makes up for with what flat does itself
check_LTLIBRARIES += simplugin_minimal.la
simplugin_minimal_la_SOURCES = tests/mock/minimal.c tests/mock/minimal_rows.c tests/mock/minimal_rows.h
## -rpath makes libtool build a module that is never installed
simplugin_minimal_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -no-undefined \
	-rpath /nowhere -export-symbols-regex '^simplugin_backend_entry$$'
