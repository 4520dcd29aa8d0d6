## SPDX-License-Identifier: Apache-2.0
## deliberately wrong backends, one defect each, and that simplugin-conformance finds just that

bad_backend_sources = \
	tests/bad_backends/accepts_future_hosts.c tests/bad_backends/accepts_old_hosts.c \
	tests/bad_backends/answers_first_query.c tests/bad_backends/backs_up_on.c \
	tests/bad_backends/backs_up_relative.c tests/bad_backends/borrows_entry.c \
	tests/bad_backends/cancelled_is_busy.c tests/bad_backends/changes_table.c tests/bad_backends/checks_on.c \
	tests/bad_backends/checks_one_more.c tests/bad_backends/chooses_newest.c \
	tests/bad_backends/claims_any_dimension.c tests/bad_backends/claims_concurrent.c \
	tests/bad_backends/claims_conditional_upsert.c tests/bad_backends/claims_counts.c \
	tests/bad_backends/claims_exact.c tests/bad_backends/claims_max_k.c tests/bad_backends/claims_method.c \
	tests/bad_backends/claims_radius.c tests/bad_backends/claims_reverse.c tests/bad_backends/closes_nothing.c \
	tests/bad_backends/compacts_when_cancelled.c tests/bad_backends/counts_deleted.c tests/bad_backends/counts_on.c \
	tests/bad_backends/counts_to_2048.c tests/bad_backends/crashes_in_child.c tests/bad_backends/creates_again.c \
	tests/bad_backends/cuts_ids.c tests/bad_backends/deletes_nothing.c tests/bad_backends/deletes_on.c \
	tests/bad_backends/describe_opens_file.c tests/bad_backends/describes_a_metric_twice.c \
	tests/bad_backends/describes_a_parameter_twice.c tests/bad_backends/describes_a_type_twice.c \
	tests/bad_backends/describes_alone.c tests/bad_backends/describes_anew.c tests/bad_backends/describes_empty.c \
	tests/bad_backends/describes_invented_filter.c tests/bad_backends/describes_invented_method.c \
	tests/bad_backends/describes_invented_word.c tests/bad_backends/describes_no_version.c \
	tests/bad_backends/describes_version_as_number.c tests/bad_backends/drops_points_with_index.c \
	tests/bad_backends/drops_ties.c tests/bad_backends/emptied_is_gone.c tests/bad_backends/empty_is_not_found.c \
	tests/bad_backends/everything_exists.c tests/bad_backends/exports_helper.c tests/bad_backends/exports_more.c \
	tests/bad_backends/flushes_away.c tests/bad_backends/flushes_nowhere.c tests/bad_backends/forgets_metric.c \
	tests/bad_backends/forgets_nan.c tests/bad_backends/gets_on.c tests/bad_backends/gets_when_cancelled.c \
	tests/bad_backends/hangs_in_child.c tests/bad_backends/ignores_cancel.c tests/bad_backends/ignores_deadline.c \
	tests/bad_backends/ignores_k.c tests/bad_backends/ignores_rows.c tests/bad_backends/ignores_stride.c \
	tests/bad_backends/invents_partition.c tests/bad_backends/keeps_ids.c tests/bad_backends/keeps_old.c \
	tests/bad_backends/keeps_reply.c tests/bad_backends/knows_all_ids.c tests/bad_backends/last_character_is_none.c \
	tests/bad_backends/last_value_is_there.c tests/bad_backends/late_and_slow.c \
	tests/bad_backends/leaks_descriptor.c tests/bad_backends/leaks_instance.c tests/bad_backends/leaks_on_failure.c \
	tests/bad_backends/leaks_on_success.c tests/bad_backends/least_similar_is_not.c \
	tests/bad_backends/leaves_watch.c tests/bad_backends/lists_that_are_there.c \
	tests/bad_backends/loses_connection.c tests/bad_backends/loses_last_row.c \
	tests/bad_backends/loses_third_of_or.c tests/bad_backends/mismatch_is_invalid.c \
	tests/bad_backends/mixes_vectors.c tests/bad_backends/needs_error.c \
	tests/bad_backends/neighbors_when_cancelled.c tests/bad_backends/neighbors_without_view.c \
	tests/bad_backends/not_found_is_invalid.c tests/bad_backends/null_slot.c tests/bad_backends/numbers_positions.c \
	tests/bad_backends/opens_a_dozen.c tests/bad_backends/overflows.c tests/bad_backends/overwrites_many.c \
	tests/bad_backends/partitions_again.c tests/bad_backends/radius_on.c tests/bad_backends/radius_without_limit.c \
	tests/bad_backends/radius_without_view.c tests/bad_backends/reads_past_host.c \
	tests/bad_backends/reads_past_text.c tests/bad_backends/releases_for_good.c tests/bad_backends/rounds_vectors.c \
	tests/bad_backends/says_nothing.c tests/bad_backends/says_otherwise.c tests/bad_backends/says_two_lines.c \
	tests/bad_backends/scans_on.c tests/bad_backends/scans_twice.c tests/bad_backends/scans_when_cancelled.c \
	tests/bad_backends/serves_undeclared.c tests/bad_backends/sets_fields_on.c tests/bad_backends/shares_state.c \
	tests/bad_backends/size_zero.c tests/bad_backends/sorts_nothing.c tests/bad_backends/squares_distances.c \
	tests/bad_backends/static_reply.c tests/bad_backends/steps_of_five.c tests/bad_backends/stores_true.c \
	tests/bad_backends/succeeds_with_error.c tests/bad_backends/takes_not_below_for_above.c \
	tests/bad_backends/tells_half_of_compaction.c tests/bad_backends/trusts_columns.c \
	tests/bad_backends/undeclared_at_most.c tests/bad_backends/unknown_view_is_invalid.c \
	tests/bad_backends/updates_what_is_not.c tests/bad_backends/upserts_on.c tests/bad_backends/views_on.c \
	tests/bad_backends/wide_distances.c tests/bad_backends/writes_past_reply.c tests/bad_backends/writes_request.c \
	tests/bad_backends/zero_is_near.c
good_backend_sources = tests/bad_backends/good/minimal.c tests/bad_backends/good/flat.c
bad_backend_files = $(bad_backend_sources:.c=.so) $(good_backend_sources:.c=.so)
EXTRA_DIST += $(bad_backend_sources) $(good_backend_sources) tests/bad_backends/bad.h \
	tests/bad_backends/bad_filter.h tests/bad_backends/bad_more.h tests/bad_backends/bad_slow.h
CLEANFILES += $(bad_backend_files)

## the good ones that they are: minimal, with limits as large as other backends', and flat
check_LTLIBRARIES += tests/bad_backends/libminimal.la tests/bad_backends/libflat.la
tests_bad_backends_libminimal_la_SOURCES = tests/mock/minimal.c tests/mock/minimal_rows.c tests/mock/minimal_rows.h
tests_bad_backends_libminimal_la_CPPFLAGS = $(AM_CPPFLAGS) -Dsimplugin_backend_entry=minimal_entry -DMAX_K=2000
tests_bad_backends_libflat_la_SOURCES = tests/bad_backends/on_flat.c
tests_bad_backends_libflat_la_LIBADD = libspflat.la

## not by libtool, and as quickly as can be: there are many. What a plugin does not use of the two is not in it.
bad_backend_bases = tests/bad_backends/libminimal.la tests/bad_backends/libflat.la
bad_backend_link = $(MKDIR_P) $(@D) && $(CC) $(AM_CPPFLAGS) $(DEFAULT_INCLUDES) $(AM_CFLAGS) $(CFLAGS) -O0 -g0 -fPIC -shared $(SP_LDFLAGS)
tests/bad_backends/%.so: tests/bad_backends/%.c tests/bad_backends/bad.h tests/bad_backends/bad_filter.h \
		tests/bad_backends/bad_more.h tests/bad_backends/bad_slow.h $(bad_backend_bases)
	$(AM_V_CC)$(bad_backend_link) -Wl,--exclude-libs,ALL -Wl,--as-needed -o $@ $< \
		tests/bad_backends/.libs/libminimal.a tests/bad_backends/.libs/libflat.a $(LMDB_LIBS) $(OPENBLAS_LIBS) -lm -lpthread
## has no entry of its own
tests/bad_backends/borrows_entry.so: tests/bad_backends/borrows_entry.c tests/bad_backends/good/minimal.so
	$(AM_V_CC)$(bad_backend_link) -o $@ $(srcdir)/tests/bad_backends/borrows_entry.c -Wl,--no-as-needed \
		-Ltests/bad_backends/good -l:minimal.so -Wl,-rpath,$(abs_builddir)/tests/bad_backends/good

## for tests/test_bad_backends.sh, part kit of ./check; not with sanitizers, which find some of them first
bad_backends: $(bad_backend_files) simplugin-conformance simplugin_sklearn_flat.la
.PHONY: bad_backends
EXTRA_DIST += tests/test_bad_backends.sh tests/conformance_live.sh
