#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The program as people use it: every command on a real store, exit statuses, Ctrl-C, bad input.
set -u -m # -m: what is started in the background can be interrupted as from a terminal
# what ignores SIGINT (a shell's job in the background does) hands that on, and no trap takes it back
[ -n "${signals_reset-}" ] || signals_reset=1 exec env --default-signal=INT bash "$0" "$@"
program=$TEST_TOP_BUILDDIR/simplugin
work=$(mktemp -d) || exit 2
trap '[ "$BASHPID" != $$ ] || rm -rf "$work"' EXIT
failures=0 checks=0
mkdir "$work/plugins" "$work/broken"
for name in sklearn sklearn_flat; do
    cp "$TEST_TOP_BUILDDIR/.libs/simplugin_sklearn_flat.so" "$work/plugins/simplugin_$name.so"
done
cp "$TEST_TOP_BUILDDIR/.libs/simplugin_mock_crash.so" "$work/broken/simplugin_crash.so"
cp "$TEST_TOP_BUILDDIR/.libs/simplugin_mock_hang.so" "$work/broken/simplugin_hang.so"
cp "$TEST_TOP_BUILDDIR/.libs/simplugin_mock_no_entry.so" "$work/broken/simplugin_empty.so"
mkdir "$work/more"
cp "$TEST_TOP_BUILDDIR/.libs/simplugin_mock_parameters.so" "$work/more/simplugin_parameters.so"
chmod -R go-w "$work"
export HOME=$work SIMPLUGIN_DATA=$work/data SIMPLUGIN_PATH=$work/plugins
unset FIFTYONE_BRAIN_CONFIG_PATH FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND XDG_DATA_HOME SIMPLUGIN_LOG
cd "$work" || exit 2

fail() {
    failures=$((failures + 1))
    echo "line ${BASH_LINENO[1]}: $*"
    sed 's/^/    out: /' "$work/out"
    sed 's/^/    err: /' "$work/err"
}

# run STATUS ARGUMENT...: the program ends with that status
run() {
    local expected=$1 status
    shift
    "$program" "$@" >"$work/out" 2>"$work/err" <"${input:-/dev/null}"
    status=$?
    checks=$((checks + 1))
    [ "$status" -eq "$expected" ] || fail "status $status instead of $expected: simplugin $*"
}

# out TEXT, err TEXT: what the last run printed has it; not_out, not_err: it has not
out() { checks=$((checks + 1)); grep -qF -- "$1" "$work/out" || fail "not printed: $1"; }
err() { checks=$((checks + 1)); grep -qF -- "$1" "$work/err" || fail "not told: $1"; }
not_out() { checks=$((checks + 1)); ! grep -qF -- "$1" "$work/out" || fail "printed: $1"; }
not_err() { checks=$((checks + 1)); ! grep -qF -- "$1" "$work/err" || fail "told: $1"; }
# is TEXT: it printed just that
is() { checks=$((checks + 1)); [ "$(cat "$work/out")" = "$1" ] || fail "not just: $1"; }

# npy FILE DESCR SHAPE: the header; the data is appended by the caller
npy() {
    printf '\x93NUMPY\x01\x00\x76\x00' >"$1"
    printf "%-117s\n" "{'descr': '$2', 'fortran_order': False, 'shape': $3, }" >>"$1"
}

# until COMMAND...: it comes true within a minute
until_true() {
    local end=$((SECONDS + 60))
    until "$@" 2>/dev/null; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.02
    done
}

# ---- usage ----
run 0 --version
out "simplugin "
run 0 --help
out "index create"
run 0 index --help
out "index backup"
not_out "runs list"
run 0 index add --help
out "usage: simplugin index add KEY FILE... [OPTION...]"
out "--no-overwrite"
run 2
err "which command?"
run 2 index frobnicate
err "there is no command"
run 2 index add
run 2 index search k --no-such-option
err "--no-such-option"
run 2 index size
err "brain KEY"

# ---- create, add ----
run 0 index create points --param metric=euclidean
out "collection_name: "
run 5 index create points
err "ALREADY_EXISTS"
run 0 index create points --overwrite --metric euclidean --json
out '"brain_key": "points"'
not_out '"index":'
run 2 index create
npy three.npy '<f4' '(3, 2)'
# (0, 0), (3, 4), (0, 1)
printf '\0\0\0\0\0\0\0\0\0\0\x40\x40\0\0\x80\x40\0\0\0\0\0\0\x80\x3f' >>three.npy
printf 'a\nb\nc\n' >ids
printf '{"page": 1, "tags": ["x"]}\n{"page": 2, "name": "n\\u00e9"}\n{}\n' >fields
run 0 index add points three.npy --ids ids --fields-file fields
is "added 3, updated 0, skipped 0"
run 0 index size points
is 3
run 0 index size points -f 'page >= 2' --json
is '{"size": 1}'
run 0 index info points
out "dimension: 2"
out "size: 3"
cat >more.jsonl <<'END'
{"id": "d", "vector": [6, 8], "fields": {"page": 9}}
{"id": "a", "vector": [0, 0.5]}
END
run 0 index add points more.jsonl --no-overwrite
is "added 1, updated 0, skipped 1"
input=more.jsonl run 0 index add points - --json
is '{"added": 0, "updated": 2, "skipped": 0}'
run 5 index add points more.jsonl --fail-existing
err "ALREADY_EXISTS"
run 0 index add points three.npy --ids ids --fields-file fields -q
is ""
npy two.npy '<f8' '(2, 2)'
head -c 32 /dev/zero >>two.npy
run 0 index add points two.npy --first-id 100
run 0 index get points 100 101 --no-vectors
out "101"
printf '\2\0\0\0\0\0\x80\x3f\0\0\0\0' >one.fvecs
printf 'f\n' >f
run 0 index add points one.fvecs --ids f
run 0 index size points
is 7
run 0 index remove points 100 101 f nope
is "removed 3, missing 1"

# ---- search ----
run 0 index search points a -k 2
out "DISTANCE"
run 0 index search points a b -k 2 --json
is '{"queries": [{"hits": [{"id": "a", "distance": 0.0, "score": 0.0}, {"id": "c", "distance": 1.0, "score": 1.0}]}, {"hits": [{"id": "b", "distance": 0.0, "score": 0.0}, {"id": "c", "distance": 4.2426405, "score": 4.2426405}]}]}'
run 0 index search points --vector '[3, 4]' -k 1 --json --fields page --with-vectors
is '{"queries": [{"hits": [{"id": "b", "distance": 0.0, "score": 0.0, "vector": [3.0, 4.0], "fields": {"page": 2}}]}]}'
run 0 index search points -i three.npy -k 1
out "QUERY"
input=three.npy run 0 index search points -i - -k 1 --aggregation mean
printf 'c\nd\nnot there\n' >view
run 0 index search points a --view view --json
out '"id": "c"'
not_out '"id": "b"'
run 0 index search points a -f 'page == 9' --json
is '{"queries": [{"hits": [{"id": "d", "distance": 10.0, "score": 10.0}]}]}'
run 0 index search points a --exclude-self --max-distance 2 --json
is '{"queries": [{"hits": [{"id": "c", "distance": 1.0, "score": 1.0}]}]}'
run 0 index search points a --reverse -k 1 --json
out '"id": "d"'
run 0 index search points a --mmr 0.5 --fetch-k 3 -k 2
run 24 index search points --text 'a dog'
err "PROMPT_UNSUPPORTED"
run 4 index search points nope
err '"nope"'
run 25 index search points --vector '[1, 2, 3]'
run 3 index search points a -k 0
err ": k:"
run 3 index search points a -f 'page >='
run 2 index search points
run 2 index search points a --vector '[1, 2]'
run 2 index search points --vector '1, 2'
run 2 index search points a -k many
run 3 index search points -i fields --format jsonl
err "line 1"
run 4 index search pints a
err 'did you mean "points"?'

# ---- get ----
run 0 index get points b nope c
out "3.0, 4.0"
err "missing: nope"
run 4 index get points b nope --fail-missing
run 0 index get points b nope --json --fields '*'
is '{"points": [{"id": "b", "vector": [3.0, 4.0], "fields": {"page": 2, "tags": null, "name": "né"}}], "missing": ["nope"]}'
run 0 index get points -n 2
run 0 index get points -f 'page == 9' --lines --fields page
is '{"id": "d", "vector": [6.0, 8.0], "fields": {"page": 9}}'
run 0 index get points -o all.npy --output-ids all.ids
run 0 index get points -o all.jsonl --fields '*'
run 2 index get points -o all.txt
run 0 index create again --metric euclidean
run 0 index add again all.npy --ids all.ids
run 0 index search again b -k 1 --with-vectors
out "3.0, 4.0"
run 0 index add again all.jsonl
is "added 0, updated 4, skipped 0"
[ ! -e all.npy.partial ] || fail "a partial file was left behind"

# ---- patches ----
run 0 index create labels --patches-field ground_truth --dataset birds
printf '{"id": "l%d", "sample_id": "s%d", "vector": [1, %d]}\n' 1 1 1 2 1 2 3 2 3 >labels.jsonl
run 0 index add labels labels.jsonl -d birds
run 0 index search labels l1 -d birds --json -k 1
out '"sample_id": "s1"'
printf 's1\n' >s1
run 0 index get labels --sample-ids s1 -d birds
out "l2"
not_out "l3"
run 0 index remove labels --sample-ids s1 -d birds --json
out '"removed": 2'
run 3 index add labels three.npy -d birds
err "sample_ids"

# ---- bad input: nothing changes ----
printf '{"id": "x", "vector": [1, 2, 3]}\n' >wrong.jsonl
run 25 index add points wrong.jsonl
printf '{"id": "x", "vector": [1, 2]}\n{"id": "x", "vector": [1, 2]}\n' >wrong.jsonl
run 3 index add points wrong.jsonl
run 0 index add again wrong.jsonl --duplicates last
printf '{"id": "x", "vector": [1, 2]}\n{"id": "y"\n' >wrong.jsonl
run 3 index add points wrong.jsonl
err "wrong.jsonl: line 2"
printf '{"id": "", "vector": [1, 2]}\n' >wrong.jsonl
run 3 index add points wrong.jsonl
npy wrong.npy '<f4' '(3, 2)'
printf '\0\0\xc0\x7f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >>wrong.npy
run 3 index add points wrong.npy # NaN
run 3 index add points three.npy --ids view --fields-file f
err "f: line 1"
printf 'a\nb\n' >short
run 3 index add points three.npy --ids short
err "short has 2 lines"
head -c 140 three.npy >cut.npy
run 3 index add points cut.npy
err "cut off"
run 4 index add points none.npy
err "none.npy: No such file"
run 3 index add points ids
err "--format"
run 0 index size points
is 4

# ---- remove, maintenance ----
run 0 index remove points -f 'page == 1'
is "removed 1, missing 0"
run 4 index remove points nope --fail-missing
run 2 index remove points
run 2 index remove points b --all
run 0 index check points
out "rows: 3"
run 0 index compact points --json
out '"bytes_after"'
run 0 index backup points copy
[ -d copy ] || [ -f copy ] || fail "no backup"
run 5 index backup points copy
run 2 index backup points

# ---- runs ----
run 0 runs list
out "birds"
run 0 runs list -d default -w type=similarity -w metric=euclidean
out "points"
not_out "birds"
run 0 runs list -w patches_field=ground_truth --json
out '"brain_key": "labels"'
not_out '"brain_key": "points"'
run 0 runs info points
out "config.metric: euclidean"
run 0 runs rename points dots
run 4 runs info points
err 'dots'
run 3 runs rename dots not-valid
err "identifier"
run 0 index size dots
is 3
run 0 index cleanup again --delete-run
run 4 runs info again
run 0 runs delete dots
collection=$("$program" index create dots --json | sed 's/.*"collection_name": "\([^"]*\)".*/\1/')
run 0 index add dots three.npy
run 0 index size --collection "$collection"
is 3
run 2 index size --collection "$collection" dots
run 0 index cleanup --collection "$collection"
run 4 index size --collection "$collection"

# ---- gc ----
run 0 index create kept --collection kept_1 --dimension 3
run 0 index create --collection lost_1 --dimension 3
run 0 index create --collection lost_2 --dimension 3
run 0 index create hyphens --collection kept-2 --dimension 3
run 0 index create --collection kept_2 --dimension 3
run 0 index gc
not_out "kept_2"
out "lost_1"
out "lost_2"
not_out "kept_1"
run 2 index gc --drop
run 0 index gc lost_1 --drop
out "lost_1"
run 0 index gc lost --json
out '"collection_name": "lost_2"'
not_out "lost_1"
run 0 index gc lost --drop --quiet
run 0 index gc lost
not_out "lost"
run 0 index cleanup kept --delete-run
run 0 index cleanup --collection kept_2
run 0 index cleanup hyphens --delete-run

# ---- backends, explain ----
run 0 backends
out "sklearn *"
out "cosine"
run 0 backends --plugin-path broken --timeout 1
out "crashed with signal"
out "in its entry"
out "hangs in its entry"
out "PLUGIN_NO_ENTRY"
out "sklearn *"
run 0 backends --plugin-path broken --no-probe --json
out '"name": "crash"'
run 0 explain
out "metric"
run 0 explain no_such_backend --no-load -p api_key=hunter2 -p depth=3
not_out hunter2
out "****"
out "looked for simplugin_no_such_backend.so"
run 29 explain -p depht=3
err "depht"
# what the backend declares as text is text, whatever it looks like; the rest is JSON
for value in 4711 0042 true null '[1]' '{"a": 1}' 1e3; do
    run 0 explain parameters --plugin-path more -p "user=$value" --json
    json=${value//\"/\\\"}
    out "\"value\": \"$json\""
done
run 0 explain parameters --plugin-path more -p login=4711 -p depth=3 -p hints=7 -p 'options={"a": 1}' --json
out '"value": "4711"'
out '"value": 3'
out '"value": 7'
out '"value": {"a": 1}'
run 0 explain parameters --plugin-path more -p 'user="quoted"' -p 'hints="7"' --json
out '"value": "quoted"'
out '"value": "7"'
run 3 explain parameters --plugin-path more -p depth=deep
err "depth"
run 0 explain parameters --plugin-path more --no-load -p hints=7 --json
out '"value": 7'
run 0 index create digits -p collection_name=4711
out "collection_name: 4711"
# of a run, the backend that made it
run 3 index size digits -p data_dir=4711
err "data_dir is an absolute path"
run 0 index cleanup digits --delete-run
FIFTYONE_BRAIN_SIMILARITY_SKLEARN_METRIC=euclidean run 0 explain --json
out '"where": "FIFTYONE_BRAIN_SIMILARITY_SKLEARN_METRIC"'
printf '{"default_similarity_backend": "sklearn",}\n' >config.json
run 27 explain --config config.json
err "config.json"
printf '{"similarity_backends": {"sklearn": {"metric": "dotproduct"}}}\n' >config.json
run 0 explain --config config.json
out "dotproduct"
run 0 runs list --data-dir elsewhere --json
is '{"runs": []}'
run 40 index create x --backend nothing
run 41 index create x --backend ../x

# ---- call, metrics, completion ----
run 0 call backends.list
out '"default": "sklearn"'
run 0 call index.size --key labels -d birds
is '{"size": 1}'
run 0 call index.search '{"k": 1}' --tensor vectors=three.npy --key labels -d birds
out '"offsets": [0, 1, 2, 3]'
printf '{"method": "collection.list"}' >body
input=body run 0 call backend.call - --connection
out '"collections"'
run 28 call index.serch
err "UNKNOWN_METHOD"
run 22 call index.size
run 2 call index.size '{'
err "column"
run 2 call index.size '[]'
run 0 metrics
run 0 completion bash
out "complete -o"
run 0 completion man
checks=$((checks + 1))
cmp -s out "$TEST_TOP_SRCDIR/docs/simplugin.1" ||
    fail "docs/simplugin.1 is out of date: simplugin completion man >docs/simplugin.1"

# complete WORD...: what bash offers for the last word
complete_words() (
    eval "$("$program" completion bash)"
    COMP_WORDS=(simplugin "$@") COMP_CWORD=$#
    _simplugin
    echo "${COMPREPLY[@]}"
)
checks=$((checks + 5))
[ "$(complete_words ind)" = index ] || fail "completion of a group"
[[ " $(complete_words index '') " == *" search "* ]] || fail "completion of a command"
[[ " $(complete_words index search k --agg) " == *" --aggregation "* ]] || fail "of an option"
[ "$(complete_words index search k --aggregation post-mi)" = post-min ] || fail "of a choice"
[ "$(complete_words --json completion z)" = zsh ] || fail "of an argument"

# ---- errors as JSON ----
run 4 runs info nope --json
err '{"error": {"code": "NOT_FOUND", "status": 4, "message": '
err '"details": {"dataset": "default", "brain_key": "nope"}}}'
run 2 runs info --json
err '"code": "USAGE"'
if [ -w /dev/full ]; then
    checks=$((checks + 1))
    "$program" --help >/dev/full 2>"$work/err"
    [ $? -eq 18 ] || fail "a full output was not noticed"
fi
checks=$((checks + 1))
"$program" runs list >&- 2>"$work/err"
[ $? -eq 15 ] || fail "a closed output was not noticed"

# ---- copy (R276) ----
elsewhere="--to-backend sklearn_flat --to-param data_dir=$work/elsewhere"
run 2 copy
run 0 index create origin
run 2 copy origin
err "where to?"
run 2 copy origin --to-dataset d --to-backend sklearn
run 2 copy origin more --to-key k
run 2 copy origin --to-collection x --verify some
run 4 copy origins --to-key k
err 'did you mean "origin"?'
run 0 index create rich --metric manhattan --model clip
run 0 index add rich three.npy --ids ids --fields-file fields
run 0 copy rich $elsewhere --dry-run
out "3 points, of which 0 are copied already, would be copied into"
run 0 copy rich $elsewhere --to-key rich_too --verify all
is "copied 3, of which 0 before; compared 3, different 0"
run 0 runs info rich_too --json
out '"metric": "manhattan"'
out '"model": "clip"'
run 0 index search rich_too b -k 1 --json --fields name --with-vectors --param "data_dir=$work/elsewhere"
is '{"queries": [{"hits": [{"id": "b", "distance": 0.0, "score": 0.0, "vector": [3.0, 4.0], "fields": {"name": "né"}}]}]}'
run 5 copy rich $elsewhere --to-key rich_too
err "ALREADY_EXISTS"
run 5 copy rich $elsewhere --to-key rich_too --dry-run
out "impossible: target rich_too:"
run 0 copy rich $elsewhere --to-key rich_too --to-overwrite --metric euclidean --json
out '"losses": [{"what": "metric", "name": "manhattan", "detail": '
out '"copied": 3, "total": 3,'
out '"verified": 3, "compared": "exact", "differences": 0, "difference": null, "different": []}'
err ""
run 0 copy rich $elsewhere --to-collection plain -q
is ""
run 5 copy rich $elsewhere --to-collection plain
run 0 copy rich $elsewhere --to-collection plain --merge
run 0 copy --backend sklearn_flat --collection plain --param "data_dir=$work/elsewhere" --to-collection back --to-backend sklearn
run 0 index size --collection back
is 3
run 3 copy --collection back --to-collection back --to-backend sklearn_flat --to-overwrite
err "is the source itself"
run 0 index cleanup rich_too --delete-run --param "data_dir=$work/elsewhere"

# ---- new-backend ----
# an installation that was moved: the templates are found beside the program
mkdir -p "$work/moved/bin" "$work/moved/share/simplugin" "$work/projects"
cp "$TEST_TOP_BUILDDIR/.libs/simplugin" "$work/moved/bin"
ln -s "$TEST_TOP_SRCDIR/templates" "$work/moved/share/simplugin"
here=$program
program=$work/moved/bin/simplugin
export LD_LIBRARY_PATH=$TEST_TOP_BUILDDIR/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
cd projects || exit 2
# nothing: there is nothing in the directory
nothing() { checks=$((checks + 1)); [ -z "$(ls -A)" ] || fail "left: $(ls -A)"; }
run 2 new-backend
run 2 new-backend a b
run 2 new-backend mine --lang cobol
run 2 new-backend mine --meson --cmake
err "one of --autotools, --meson and --cmake is enough"
run 2 new-backend mine --lang rust --meson
err "are for C"
for name in "" Mine my-backend mine.so ../mine größe "$(printf 'a%.0s' $(seq 65))"; do
    run 41 new-backend "$name"
done
err "more than 64 characters"
for name in sklearn sklearn_flat milvus qdrant; do
    run 41 new-backend "$name"
    err "is a backend that simplugin brings"
done
nothing

run 0 new-backend mine
out "    cd simplugin-mine"
out "    autoreconf -i && ./configure && make"
out "    make check"
checks=$((checks + 6))
[ -f simplugin-mine/src/plugin.c ] && [ -f simplugin-mine/configure.ac ] && [ -f simplugin-mine/.gitignore ] || fail "files are missing"
[ ! -e simplugin-mine/meson.build ] && [ ! -e simplugin-mine/gitignore ] || fail "files of another form"
[ -x simplugin-mine/ci.sh ] && [ -x simplugin-mine/tests/conformance ] && [ ! -x simplugin-mine/README.md ] || fail "wrong modes"
grep -q '"name", "mine"' simplugin-mine/src/describe.c || fail "the name is not in it"
! grep -rEq '@[A-Z]+@|SPDX' simplugin-mine || fail "words of the templates are left: $(grep -rE '@[A-Z]+@|SPDX' simplugin-mine)"
[ "$(ls -A)" = simplugin-mine ] || fail "left: $(ls -A)"
run 5 new-backend mine --meson
err "simplugin-mine is there already: remove it, or choose another name"
touch simplugin-file
run 5 new-backend file
run 0 new-backend m1 --meson --quiet
is ""
run 0 new-backend c2_ --cmake --json
out '{"directory": "simplugin-c2_", "files": ["LICENSE", '
out '"CMakeLists.txt"'
out '"next": ["cd simplugin-c2_", '
run 0 new-backend 3 --lang rust
checks=$((checks + 1))
grep -qF "path = '$work/moved/share/simplugin/bindings/rust/simplugin-backend'" simplugin-3/Cargo.toml || fail "another path of the crates"
rm -rf simplugin-* && nothing

# all of it or nothing: with templates that end in the middle, and in a full directory
mkdir -p "$work/half/bin" "$work/half/share/simplugin/templates/backend"
cp "$work/moved/bin/simplugin" "$work/half/bin"
ln -s "$TEST_TOP_SRCDIR/templates/backend/common" "$TEST_TOP_SRCDIR/templates/backend/c" "$work/half/share/simplugin/templates/backend"
program=$work/half/bin/simplugin
run 4 new-backend mine
err "c-autotools"
nothing
program=$work/moved/bin/simplugin
mkdir "$work/closed"
cd "$work/closed" || exit 2
checks=$((checks + 1))
said=$(
    ulimit -f 0
    trap '' XFSZ
    "$program" new-backend mine 2>&1
)
[[ $said == *"cannot write"*"File too large"* ]] || fail "a file that could not be written was not noticed: $said"
nothing
cd "$work" || exit 2
program=$here
# all of it is installed: the templates, and the two crates
(cd "$TEST_TOP_SRCDIR" && find templates/backend bindings/rust/simplugin-abi/src bindings/rust/simplugin-backend/src -type f) >"$work/out"
: >"$work/err"
while read -r file; do
    checks=$((checks + 1))
    grep -qE "(^|[[:space:]])$file([[:space:]]|\$)" "$TEST_TOP_SRCDIR/templates/local.mk" || fail "templates/local.mk does not have $file"
done <"$work/out"

# ---- Ctrl-C ----
# catches PID: the program, and not the shell before it, has its handler of SIGINT
catches() {
    case $(readlink "/proc/$1/exe") in
    *simplugin*) [ $((0x$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status") & 2)) -ne 0 ] ;;
    *) false ;;
    esac
}
catches_no_more() { ! catches "$1"; }
# ends PID STATUS
ends() {
    local status
    wait "$1"
    status=$?
    checks=$((checks + 1))
    [ "$status" -eq "$2" ] || fail "status $status instead of $2"
}

# while it waits for input
run 0 index create stream
mkfifo pipe
"$program" index add stream - --batch 1 <pipe >"$work/out" 2>"$work/err" &
pid=$!
exec 3>pipe
printf '{"id": "%d", "vector": [1, 2]}\n' 1 2 3 >&3
until_true eval '[ "$("$program" index size stream)" = 3 ]' || fail "nothing was added"
kill -INT $pid
ends $pid 130
exec 3>&-
err "interrupted"
err "before that: added 3"
run 0 index size stream
is 3

# in the middle of a long add, which is a whole number of batches afterwards
run 0 index create big
npy big.npy '<f4' '(2000000, 16)'
truncate -s $((128 + 2000000 * 64)) big.npy
"$program" index add big big.npy --batch 1000 >"$work/out" 2>"$work/err" &
pid=$!
until_true eval '[ "$("$program" index size big)" -gt 0 ]' || fail "nothing was added"
kill -INT $pid
ends $pid 130
run 0 index size big
checks=$((checks + 1))
size=$(cat "$work/out")
[ $((size % 1000)) -eq 0 ] && [ "$size" -lt 2000000 ] || fail "$size rows after Ctrl-C"
run 0 index check big

# in the middle of a copy, which goes on where it was
run 0 index create long
npy long.npy '<f4' '(20000, 2)'
truncate -s $((128 + 20000 * 8)) long.npy
run 0 index add long long.npy
"$program" copy long --to-collection long_too --batch-bytes 64 >"$work/out" 2>"$work/err" &
pid=$!
until_true eval '[ "$("$program" index size --collection long_too)" -gt 10 ]' || fail "nothing was copied"
run 9 copy long --to-collection long_too
err "BUSY"
kill -INT $pid
ends $pid 130
run 0 copy long --to-collection long_too --dry-run --json
out '"resumed": '
not_out '"resumed": 0,'
"$program" copy long --to-collection long_too --batch-bytes 64 >"$work/out" 2>"$work/err" &
pid=$!
before=$("$program" index size --collection long_too)
until_true eval '[ "$("$program" index size --collection long_too)" -gt "$before" ]' || fail "nothing more was copied"
kill -KILL $pid
ends $pid 137
run 0 copy long --to-collection long_too --verify all
out "copied 20000, of which "
not_out "of which 0 before"
out "compared 20000, different 0"
run 0 index check --collection long_too

# a plugin that does not listen: the second one ends the program at once
"$program" explain hang --plugin-path broken >"$work/out" 2>"$work/err" &
pid=$!
until_true catches $pid || fail "no handler"
kill -INT $pid
until_true catches_no_more $pid || fail "the first Ctrl-C was not handled"
kill -INT $pid
ends $pid 130
"$program" call backends.list - <pipe >"$work/out" 2>"$work/err" &
pid=$!
exec 3>pipe
until_true catches $pid || fail "no handler"
kill -TERM $pid
ends $pid 143
exec 3>&-

echo "$checks checks, $failures failures"
[ "$failures" -eq 0 ]
