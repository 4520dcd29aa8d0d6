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
bench_milvus_SOURCES = bench/milvus.c
bench_milvus_CFLAGS = $(AM_CFLAGS) $(GRPC_CFLAGS)
bench_milvus_LDADD = libspmilvus.la libsimplugin.la -lgrpc -lgpr
endif
EXTRA_DIST += bench/milvus.py bench/milvus_peer.py
