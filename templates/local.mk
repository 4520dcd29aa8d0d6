## SPDX-License-Identifier: Apache-2.0
## what `simplugin new-backend` makes projects of, and the crates that those in Rust are built with
template_files = \
	templates/backend/common/LICENSE templates/backend/common/README.md templates/backend/common/gitignore \
	templates/backend/common/tests/conformance.json \
	templates/backend/c/src/backend.h templates/backend/c/src/store.h templates/backend/c/src/plugin.c \
	templates/backend/c/src/describe.c templates/backend/c/src/request.c templates/backend/c/src/reply.c \
	templates/backend/c/src/collections.c templates/backend/c/src/points.c templates/backend/c/src/search.c \
	templates/backend/c/src/store.c templates/backend/c/src/collection.c \
	templates/backend/c-autotools/configure.ac templates/backend/c-autotools/Makefile.am \
	templates/backend/c-meson/meson.build templates/backend/c-cmake/CMakeLists.txt \
	templates/backend/rust/Cargo.toml templates/backend/rust/src/lib.rs templates/backend/rust/src/store.rs \
	templates/backend/rust/src/collection.rs templates/backend/rust/src/points.rs templates/backend/rust/src/search.rs \
	templates/backend/rust/tests/conformance.rs
template_programs = templates/backend/common/ci.sh templates/backend/common/package.sh \
	templates/backend/common/tests/conformance
nobase_dist_pkgdata_DATA = $(template_files)
## those that are run keep being programs
nobase_dist_pkgdata_SCRIPTS = $(template_programs)

nobase_dist_pkgdata_DATA += \
	bindings/rust/simplugin-abi/Cargo.toml bindings/rust/simplugin-abi/src/body.rs \
	bindings/rust/simplugin-abi/src/column.rs bindings/rust/simplugin-abi/src/lib.rs \
	bindings/rust/simplugin-abi/src/matrix.rs bindings/rust/simplugin-abi/src/plugin.rs \
	bindings/rust/simplugin-abi/src/tensor.rs bindings/rust/simplugin-abi/src/texts.rs \
	bindings/rust/simplugin-abi/src/value.rs bindings/rust/simplugin-abi/src/values.rs \
	bindings/rust/simplugin-backend/Cargo.toml bindings/rust/simplugin-backend/src/backend.rs \
	bindings/rust/simplugin-backend/src/call.rs bindings/rust/simplugin-backend/src/error.rs \
	bindings/rust/simplugin-backend/src/export.rs bindings/rust/simplugin-backend/src/host.rs \
	bindings/rust/simplugin-backend/src/lib.rs bindings/rust/simplugin-backend/src/parameter.rs \
	bindings/rust/simplugin-backend/src/reply.rs

## the workspace of these two crates alone
rustdir = $(pkgdatadir)/bindings/rust
nodist_rust_DATA = templates/Cargo.toml
CLEANFILES += templates/Cargo.toml
templates/Cargo.toml: bindings/rust/Cargo.toml
	$(AM_V_GEN)$(MKDIR_P) templates && \
	sed -e 's/^members = .*/members = ["simplugin-abi", "simplugin-backend"]/' -e '/^simplugin-sys = /d' \
		$(srcdir)/bindings/rust/Cargo.toml >$@.tmp && mv $@.tmp $@

## docs/backend-guide.md, and what does as it says; both tests need an installation
EXTRA_DIST += docs/backend-guide.md tests/test_backend_guide.sh tests/backend_guide.py tests/kit/templates.sh tests/kit/moved.sh
