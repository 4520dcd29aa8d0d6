## SPDX-License-Identifier: Apache-2.0
## For those who work on simplugin: the same tests under other eyes, and tidying.

## each builds a tree of its own below this one
check-asan:
	$(MKDIR_P) asan && cd asan && $(abs_top_srcdir)/configure -q --enable-asan --enable-ubsan --enable-werror CFLAGS='-O1 -g' && \
	$(MAKE) check
check-tsan:
	$(MKDIR_P) tsan && cd tsan && $(abs_top_srcdir)/configure -q --enable-tsan --enable-werror CFLAGS='-O1 -g' && \
	$(MAKE) check
check-valgrind:
	$(MAKE) check LOG_COMPILER='$(LIBTOOL) --mode=execute valgrind -q --error-exitcode=9 --leak-check=full'
format:
	cd $(srcdir) && git ls-files '*.c' '*.h' | xargs clang-format -i
tidy:
	cd $(srcdir) && git ls-files 'core/*.c' 'cli/*.c' 'plugins/*.c' | \
	xargs -n 1 -I{} clang-tidy --quiet {} -- -std=c11 -D_GNU_SOURCE -Iinclude -Icore -I.
.PHONY: bench bench-json check-asan check-tsan check-valgrind format tidy fuzzers print-fuzzers
