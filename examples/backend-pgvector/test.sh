#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test.sh PREFIX: builds the backend against the simplugin that is installed under PREFIX, and uses
# it as people would, on the server of the environment:
#
#     SIMPLUGIN_TEST_POSTGRES_CONNINFO, _PASSWORD   how to reach an empty database, as superuser
#     SIMPLUGIN_TEST_POSTGRES_VECTOR                1 if it has the extension vector
#     SIMPLUGIN_TEST_POSTGRES_PID, _RESTART         to stop the server, and to start it again
#
# The tree's tests/servers/postgres.py sets them. Prints a line for each thing it has tried, and
# ends with 1 if one of them failed.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
prefix=${1:?usage: test.sh PREFIX}
: "${SIMPLUGIN_TEST_POSTGRES_CONNINFO:?names no server: tests/servers/postgres.py starts one}"
: "${SIMPLUGIN_TEST_POSTGRES_PASSWORD:?}" "${SIMPLUGIN_TEST_POSTGRES_VECTOR:?}"
: "${SIMPLUGIN_TEST_POSTGRES_PID:?}" "${SIMPLUGIN_TEST_POSTGRES_RESTART:?}"
umask 022
work=$(mktemp -d) || exit 2
holder=
trap '[ -z "$holder" ] || kill "$holder"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
failed=0 tried=0

# said ok|not WHAT
said() {
    tried=$((tried + 1))
    if [ "$1" = ok ]; then
        echo "ok $tried - $2"
    else
        failed=$((failed + 1))
        echo "not ok $tried - $2"
        sed 's/^/#   out: /' "$work/out" | head -n 20
        sed 's/^/#   err: /' "$work/err" | head -n 20
    fi
}

# try WHAT STATUS COMMAND...: it ends with that status
try() {
    what=$1 expected=$2
    shift 2
    "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    result=not
    [ $status -eq "$expected" ] && result=ok || echo "status $status instead of $expected: $*" >>"$work/err"
    said $result "$what"
}

# prints WHAT TEXT: what the last one printed, or told, has it; keeps WHAT TEXT: has it nowhere
prints() {
    result=not
    cat "$work/out" "$work/err" | grep -qF -- "$2" && result=ok || echo "lacks: $2" >>"$work/err"
    said $result "$1"
}
keeps() {
    result=not
    cat "$work/out" "$work/err" | grep -qF -- "$2" || result=ok
    said $result "$1"
}

sql() {
    PGPASSWORD=$SIMPLUGIN_TEST_POSTGRES_PASSWORD PGCLIENTENCODING=UTF8 psql -X -q -A -t -v ON_ERROR_STOP=1 \
        -d "$SIMPLUGIN_TEST_POSTGRES_CONNINFO" -c "$1"
}

# until_true COMMAND...: it comes true within 20 seconds
until_true() {
    left=200
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || return 1
        sleep 0.1
    done
}

# ---- build --------------------------------------------------------------------------------------
mkdir -p "$work/plugins" "$work/data"
cp "$here"/*.c "$here"/*.h "$here/Makefile" "$work"
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
export LD_LIBRARY_PATH="$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" PATH="$prefix/bin:$PATH"
try "it is built against the installed headers, without a warning" 0 \
    make -C "$work" CFLAGS="${CFLAGS:--O2 -g} -Werror"
[ $failed -eq 0 ] || exit 1
try "and installed where simplugin finds it" 0 make -C "$work" install DESTDIR="$work/root"
plugindir=$(pkg-config --variable=plugindir simplugin)
try "a file of the right name" 0 test -x "$work/root$plugindir/simplugin_pgvector.so"
try "it needs libpq and the C library alone" 0 sh -c \
    'objdump -p "$1" | sed -n "s/.*NEEDED *//p" | grep -vE "^lib(pq|m|c|pthread)\.so\." >"$2"; ! test -s "$2"' - \
    "$work/simplugin_pgvector.so" "$work/needed"
try "and shows one symbol" 0 sh -c 'test "$(nm -D --defined-only "$1" | sed "s/.* //")" = simplugin_backend_entry' - \
    "$work/simplugin_pgvector.so"
# the flags are words
# shellcheck disable=SC2046
try "a program is built that knows nothing of it" 0 cc -std=c11 -D_GNU_SOURCE -O1 -pthread -Wall -Wextra -Werror \
    $(pkg-config --cflags simplugin) -o "$work/program" "$here/test_program.c" $(pkg-config --libs simplugin) -lm
cp "$work/simplugin_pgvector.so" "$work/plugins"

# ---- the configuration: the environment alone ---------------------------------------------------
export HOME="$work" SIMPLUGIN_DATA="$work/data" SIMPLUGIN_PATH="$work/plugins"
unset FIFTYONE_BRAIN_CONFIG_PATH XDG_DATA_HOME SIMPLUGIN_LOG PGPASSWORD PGHOST PGUSER PGDATABASE
export FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND=pgvector
export FIFTYONE_BRAIN_SIMILARITY_PGVECTOR_CONNINFO="$SIMPLUGIN_TEST_POSTGRES_CONNINFO"
export FIFTYONE_BRAIN_SIMILARITY_PGVECTOR_PASSWORD="$SIMPLUGIN_TEST_POSTGRES_PASSWORD"
sql 'DROP SCHEMA IF EXISTS simplugin CASCADE; DROP SCHEMA IF EXISTS "it''s \"theirs\"" CASCADE; DROP ROLE IF EXISTS reader' \
    2>/dev/null

try "the program finds it" 0 simplugin backends
prints "under its name" pgvector
try "explain connects nowhere" 0 simplugin explain
keeps "and shows no password" "$SIMPLUGIN_TEST_POSTGRES_PASSWORD"

# ---- what every backend does --------------------------------------------------------------------
# the parameters of the configuration file, with one more
configure() {
    cat >"$work/config.json" <<END
{"parameters": {"conninfo": "$SIMPLUGIN_TEST_POSTGRES_CONNINFO", "password": "$SIMPLUGIN_TEST_POSTGRES_PASSWORD",
                "schema": "conformance", $1}$2}
END
}
conforms() {
    what=$1
    shift
    # the core makes columns of arrays, so that it is the same to a backend how the corpus sends them
    try "conformance: $what" 0 simplugin-conformance "$work/simplugin_pgvector.so" --config "$work/config.json" \
        --form columns "$@"
    grep -E '^(not ok|# [0-9]+ passed)' "$work/out" | sed 's/^/#   /'
    sql 'DROP SCHEMA IF EXISTS conformance CASCADE' 2>/dev/null
}
if [ "$SIMPLUGIN_TEST_POSTGRES_VECTOR" = 1 ]; then
    configure '"storage": "vector"' ''
    # what has nothing to do with how vectors are stored is tried with arrays
    conforms "the extension vector" --except abi/ --except cycles/ --except fork/
    configure '"index_type": "hnsw"' ', "approximate": true, "recall": 0.9'
    conforms "hnsw, where it searches" --only corpus/index_search --only corpus/views --only corpus/filters \
        --only corpus/walks --only semantics/
else
    configure '"storage": "array"' ''
    conforms "arrays"
fi

# ---- as the default backend ---------------------------------------------------------------------
for step in add reopen threads writers fork; do
    try "a program that names no backend: $step" 0 "$work/program" $step
done
cat >"$work/points.jsonl" <<'END'
{"id": "a", "vector": [1, 0], "fields": {"page": 3, "title": "draft of it", "tags": ["red", "blue"]}}
{"id": "b", "vector": [0, 1], "fields": {"page": 30, "weight": 0.5}}
{"id": "c", "vector": [1, 1], "fields": {"page": 300, "ok": true}}
END
try "the command line: create" 0 simplugin index create pages --dimension 2
try "add" 0 simplugin index add pages "$work/points.jsonl"
try "search" 0 simplugin index search pages --vector '[1, 0.1]' -k 1 --fields page --json
prints "finds the nearest" '"a"'
try "search by a filter" 0 simplugin index search pages --vector '[1, 0]' --json \
    -f 'page >= 10 and not (title like "draft%" or array_contains(tags, "red")) and ok != true'
prints "finds what it accepts" '"b"'
keeps "and nothing else" '"c"'
try "remove" 0 simplugin index remove pages b
try "size, in another process" 0 simplugin index size pages
prints "tells what is left" 2
try "the record of the run" 0 simplugin runs info pages --json
keeps "has no password" "$SIMPLUGIN_TEST_POSTGRES_PASSWORD"
table=$(sql "SELECT quote_ident(table_name) FROM simplugin.simplugin_collections WHERE name LIKE '%pages%'")
try "the tables are there to be read" 0 sql "SELECT id, page, tags FROM simplugin.$table WHERE page < 100"
prints "as anybody would expect" 'a|3|{red,blue}'

# ---- what only PostgreSQL has ---------------------------------------------------------------------
zeros=$(printf 'title > "draft\\u0000"')
try "a filter with a character that no text can have" 0 simplugin index search pages --vector '[1, 0]' --json -f "$zeros"
prints "accepts what is behind it" '"a"'
try "two programs make the same new field" 0 sh -c '
    for i in 1 2 3 4 5 6 7 8; do
        simplugin call index.add --key pages "{\"ids\": [\"new-$i\"], \"vectors\": [[1, 0]], \"fields\": {\"new\": [$i]}}" &
        pids="$pids $!"
    done
    for pid in $pids; do wait $pid || exit 1; done'
try "and both have it" 0 simplugin index size pages -f 'new >= 1'
prints "in the same column" 8
sql "ALTER TABLE simplugin.$table ALTER page TYPE integer"
try "a column that somebody has changed" 16 simplugin index get pages a --fields page
prints "is named, with a point" '"page" of the point "a"'
sql "ALTER TABLE simplugin.$table ALTER page TYPE bigint"
if [ "$SIMPLUGIN_TEST_POSTGRES_VECTOR" = 0 ]; then
    sql "UPDATE simplugin.$table SET vector = '{1,2,3}' WHERE id = 'c'"
    try "a vector that somebody has changed" 16 simplugin index get pages c
    sql "DELETE FROM simplugin.$table WHERE id = 'c'"
fi

# ---- names that mean harm -----------------------------------------------------------------------
# one name for everything: as it is, in JSON, and in JSON around a filter
harm="x\"; DROP TABLE simplugin.simplugin_collections; --' \$1 \\ %s"
in_json='x\"; DROP TABLE simplugin.simplugin_collections; --'"'"' $1 \\ %s'
in_name='x\"; DROP TABLE simplugin.simplugin_collections; --'"'"' $1 \\\\ %s'
in_text='x\\\"; DROP TABLE simplugin.simplugin_collections; --'"'"' $1 \\\\ %s'
harmful() {
    simplugin call "$1" "$2" --collection "$harm" --json
}
try "such a collection" 0 simplugin index create --collection "$harm" --dimension 2
try "such an id, and such a field" 0 harmful index.add \
    "{\"ids\": [\"$in_json\"], \"vectors\": [[1, 0]], \"fields\": {\"$in_json\": [\"$in_json\"]}}"
try "such a filter" 0 harmful index.search \
    "{\"vectors\": [[1, 0]], \"fields\": true, \"filter\": \"\`$in_name\` == \\\"$in_text\\\"\"}"
prints "finds it" "\"ids\": [\"$in_json\"]"
try "get" 0 harmful index.get "{\"ids\": [\"$in_json\"]}"
try "remove" 0 harmful index.remove "{\"ids\": [\"$in_json\"], \"allow_missing\": false}"
try "such a schema" 0 env FIFTYONE_BRAIN_SIMILARITY_PGVECTOR_SCHEMA="it's \"theirs\"" \
    simplugin index create --collection c --dimension 2
try "the collection is dropped" 0 simplugin index cleanup --collection "$harm"
try "and no other is" 0 simplugin index size pages
long=$(printf '%0200d' 0 | tr 0 n)
for name in "$long" "${long}s" simplugin_collections id; do
    try "a collection called $(printf %.24s "$name")" 0 simplugin index create --collection "$name" --dimension 1
    try "with such fields" 0 simplugin call index.add --collection "$name" --json \
        "{\"ids\": [\"a\"], \"vectors\": [[1]], \"fields\": {\"$name\": [7], \"vector\": [9], \"ctid\": [10]}}"
    try "gives them back" 0 simplugin index search --collection "$name" --vector '[1]' --fields '*' --json \
        -f "$name == 7 or vector == 9"
    prints "as they were" '"ctid"'
    try "and is dropped" 0 simplugin index cleanup --collection "$name"
done

# ---- who may not ---------------------------------------------------------------------------------
try "a wrong password" 11 env FIFTYONE_BRAIN_SIMILARITY_PGVECTOR_PASSWORD=tigers-are-orange simplugin index size pages
prints "is told as the server does" "28P01"
keeps "and not shown" tigers-are-orange
try "a password in conninfo" 3 env "FIFTYONE_BRAIN_SIMILARITY_PGVECTOR_CONNINFO=host=127.0.0.1 password=tigers-are-orange" \
    simplugin index create --dimension 1 --collection c
keeps "is refused, and not shown" tigers-are-orange
try "a conninfo that is none" 3 env "FIFTYONE_BRAIN_SIMILARITY_PGVECTOR_CONNINFO=host=127.0.0.1 tigers-are-orange" \
    simplugin index create --dimension 1 --collection c
keeps "is not shown either" tigers-are-orange
try "no such database" 27 env "FIFTYONE_BRAIN_SIMILARITY_PGVECTOR_CONNINFO=$SIMPLUGIN_TEST_POSTGRES_CONNINFO dbname=nowhere" \
    simplugin index size pages
sql "CREATE DATABASE other ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'"
try "a database of another encoding" 27 env "FIFTYONE_BRAIN_SIMILARITY_PGVECTOR_CONNINFO=$SIMPLUGIN_TEST_POSTGRES_CONNINFO dbname=other" \
    simplugin index size pages
prints "is told how to be made" "ENCODING 'UTF8'"
sql "DROP DATABASE other"
sql "CREATE ROLE reader LOGIN PASSWORD 'read'; GRANT USAGE ON SCHEMA simplugin TO reader;
     GRANT SELECT ON ALL TABLES IN SCHEMA simplugin TO reader"
as_reader() {
    env "FIFTYONE_BRAIN_SIMILARITY_PGVECTOR_CONNINFO=$SIMPLUGIN_TEST_POSTGRES_CONNINFO user=reader" \
        FIFTYONE_BRAIN_SIMILARITY_PGVECTOR_PASSWORD=read simplugin "$@"
}
try "who may only read, reads" 0 as_reader index search pages --vector '[1, 0]'
try "and does not write" 12 as_reader index add pages "$work/points.jsonl"
try "nor makes" 12 as_reader index create --collection mine --dimension 2
try "a server that is not there" 10 env "FIFTYONE_BRAIN_SIMILARITY_PGVECTOR_CONNINFO=host=127.0.0.1 port=1 dbname=x" \
    simplugin index size pages

# ---- time ----------------------------------------------------------------------------------------
waiting() {
    [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'simplugin_pgvector' AND state = 'active'")" = "$1" ]
}
# somebody has a table for himself
PGPASSWORD=$SIMPLUGIN_TEST_POSTGRES_PASSWORD psql -X -q -d "$SIMPLUGIN_TEST_POSTGRES_CONNINFO" >/dev/null 2>&1 \
    -c "BEGIN; LOCK TABLE simplugin.simplugin_collections; SELECT pg_sleep(60)" &
holder=$!
locked() {
    [ "$(sql "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'simplugin.simplugin_collections'::regclass")" = 1 ]
}
try "somebody locks a table" 0 until_true locked
try "a call that waits for it ends in time" 7 simplugin index size pages --timeout 0.5
try "and the server has been told that nobody waits any more" 0 until_true waiting 0
kill "$holder"
wait "$holder" 2>/dev/null
holder=
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%LOCK TABLE%' AND pid <> pg_backend_pid()" >/dev/null
try "a server that is stopped, and goes on" 0 "$work/program" stopped "$SIMPLUGIN_TEST_POSTGRES_PID"

# ---- a server that goes away ---------------------------------------------------------------------
"$work/program" hammer >"$work/hammer.out" 2>"$work/hammer.err" &
hammer=$!
try "points are being added" 0 until_true grep -q '^[1-9]' "$work/hammer.out"
try "the server is killed and started again" 0 sh -c "$SIMPLUGIN_TEST_POSTGRES_RESTART"
server=$(cat "$work/out")
wait $hammer
status=$?
cp "$work/hammer.err" "$work/err"
result=not
[ $status -eq 3 ] && result=ok
said $result "the call in the middle of it says that the server is away"
try "what was acknowledged is there, and no half of a call" 0 "$work/program" hammer 10000
try "other indexes are as they were" 0 "$work/program" reopen
try "the new server is stopped, and goes on" 0 "$work/program" stopped "$server"

# ---- size ----------------------------------------------------------------------------------------
try "100,000 points in little memory" 0 "$work/program" large
grep '^#' "$work/out"

echo "1..$tried"
[ $failed -eq 0 ] || echo "# $failed failed"
[ $failed -eq 0 ]
