## benchmarks: not part of `make check`, as their figures depend on the machine
EXTRA_PROGRAMS += bench/flat
bench_flat_SOURCES = bench/flat.c
bench_flat_CFLAGS = $(AM_CFLAGS) $(OPENBLAS_CFLAGS)
bench_flat_LDADD = libsimplugin.la $(OPENBLAS_LIBS)
EXTRA_PROGRAMS += bench/copy
bench_copy_SOURCES = bench/copy.c
bench_copy_LDADD = libsimplugin.la
EXTRA_DIST += bench/run.py bench/README.md docs/sklearn_flat.md
bench: all bench/flat$(EXEEXT)
	python3 $(srcdir)/bench/run.py $(abs_top_builddir)


if MILVUS_ENABLED
EXTRA_PROGRAMS += bench/milvus
bench_milvus_SOURCES = bench/milvus.c bench/server.c bench/server.h
bench_milvus_CFLAGS = $(AM_CFLAGS) $(GRPC_CFLAGS)
bench_milvus_LDADD = libspmilvus.la libsimplugin.la -lgrpc -lgpr
endif
if QDRANT_ENABLED
EXTRA_PROGRAMS += bench/qdrant
bench_qdrant_SOURCES = bench/qdrant.c bench/server.c bench/server.h
bench_qdrant_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
bench_qdrant_LDADD = libsimplugin.la $(CURL_LIBS)
endif
EXTRA_DIST += bench/qdrant.py bench/qdrant_peer.py
EXTRA_DIST += bench/milvus.py bench/milvus_peer.py

EXTRA_PROGRAMS += bench/encode
bench_encode_SOURCES = bench/encode.c
bench_encode_LDADD = libspplug.la libspcore.la
EXTRA_DIST += bench/encode.py
bench-encode: bench/encode$(EXEEXT)
	python3 $(srcdir)/bench/encode.py $(abs_top_builddir)
EXTRA_PROGRAMS += bench/bindings
bench_bindings_SOURCES = bench/bindings.c
bench_bindings_LDADD = libsimplugin.la
EXTRA_DIST += bench/bindings.py bench/brain.py docs/fiftyone.md docs/fiftyone.png docs/langchain.md
