#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# simplugin-conformance as people use it: what passes, what fails and how that is told, Ctrl-C.
set -u -m # -m: what is started in the background can be interrupted as from a terminal
# what ignores SIGINT (a shell's job in the background does) hands that on, and no trap takes it back
[ -n "${signals_reset-}" ] || signals_reset=1 exec env --default-signal=INT bash "$0" "$@"
command -v python3 >/dev/null || { echo "python3 is needed, to read the reports" >&2; exit 1; }
program=$TEST_TOP_BUILDDIR/simplugin-conformance
libs=$TEST_TOP_BUILDDIR/.libs
work=$(mktemp -d -p "${TMPDIR:-$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)}") || exit 2
trap '[ "$BASHPID" != $$ ] || rm -rf "$work"' EXIT
mkdir "$work/tmp"
export TMPDIR=$work/tmp
unset MOCK_SPOIL SIMPLUGIN_PATH
failures=0 checks=0
cd "$work" || exit 2

fail() {
    failures=$((failures + 1))
    echo "line ${BASH_LINENO[1]}: $*"
    tail -n 20 "$work/out" | cut -c1-300 | sed 's/^/    out: /'
    sed 's/^/    err: /' "$work/err"
}

# run STATUS ARGUMENT...: the program ends with that status, and leaves no file behind
run() {
    local expected=$1 status
    shift
    "${runs:-$program}" "$@" >"$work/out" 2>"$work/err"
    status=$?
    checks=$((checks + 1))
    [ "$status" -eq "$expected" ] || fail "status $status instead of $expected: simplugin-conformance $*"
    [ -z "$(ls -A "$TMPDIR")" ] || fail "it left $(ls -A "$TMPDIR")"
}

# out TEXT, err TEXT: what the last run printed has it; not_out: it has not
out() { checks=$((checks + 1)); grep -qF -- "$1" "$work/out" || fail "not printed: $1"; }
err() { checks=$((checks + 1)); grep -qF -- "$1" "$work/err" || fail "not told: $1"; }
not_out() { checks=$((checks + 1)); ! grep -qF -- "$1" "$work/out" || fail "printed: $1"; }
# one_line: the last run told one line and printed nothing
one_line() {
    checks=$((checks + 1))
    [ "$(wc -l <"$work/err")" -eq 1 ] && [ ! -s "$work/out" ] || fail "not one line on stderr alone"
}
# line N PATTERN: the Nth line printed matches
line() { checks=$((checks + 1)); sed -n "$1p" "$work/out" | grep -qE -- "$2" || fail "line $1 is not $2"; }

# ---- what passes -------------------------------------------------------------------------------

begin=$EPOCHREALTIME
run 0 "$libs/simplugin_sklearn_flat.so"
took=$(((${EPOCHREALTIME/./} - ${begin/./}) / 1000000))
line 1 '^TAP version 14$'
out "# backend sklearn_flat "
out "# seed "
not_out "not ok"
echo "sklearn_flat: $(tail -n 1 "$work/out" | cut -c3-), $took s in all"
# what sanitizers slow down is not measured
"${TEST_NM:-nm}" "$libs/simplugin-conformance" | grep -qE '__[at]san_init' || [ "$took" -le 60 ] || fail "it took $took s"
# the plan is kept: numbers without gaps
plan=$(sed -n 's/^1\.\.//p' "$work/out")
[ "$(grep -cE '^(not )?ok [0-9]+ - ' "$work/out")" -eq "$plan" ] || fail "not as many as planned"
[ "$(sed -nE 's/^(not )?ok ([0-9]+) - .*/\2/p' "$work/out" | paste -sd ' ')" = "$(seq -s ' ' "$plan")" ] ||
    fail "not in order"
run 0 "$libs/simplugin_minimal.so"
echo "minimal: $(tail -n 1 "$work/out" | cut -c3-)"
out "# SKIP it has no metrics manhattan"
# called anything, found by name, and linked into the program
cp "$libs/simplugin_minimal.so" "$work/My backend-2.so"
run 0 "./My backend-2.so" --only corpus/calls/
out "# backend minimal 1, $work/My backend-2.so"
printf '{"plugin_path": ["%s"]}' "$libs" >"$work/config"
run 0 minimal --config config --only corpus/calls/
out "$libs/simplugin_minimal.so"
SIMPLUGIN_PATH=$libs run 0 minimal --only corpus/calls/
out "$libs/simplugin_minimal.so"
runs=$TEST_TOP_BUILDDIR/conformance_static run 0 minimal --only corpus/ --form plain
out "# backend minimal 1, registered in this program"
not_out "not ok"

# installed, and the installation moved: program, libraries, flat backend and data are found by each other
moved=$work/moved
mkdir -p "$moved/bin" "$moved/lib/simplugin" "$moved/share/simplugin/conformance"
cp "$libs/simplugin-conformance" "$moved/bin"
cp "$libs"/libsimplugin.so* "$libs"/libsimplugin-conformance.so* "$moved/lib"
cp "$libs/simplugin_sklearn_flat.so" "$moved/lib/simplugin"
cp -r "$TEST_TOP_SRCDIR/tests/corpus" "$TEST_TOP_SRCDIR/tests/cases/filter" "$TEST_TOP_SRCDIR/docs/protocol.md" \
    "$moved/share/simplugin/conformance"
chmod -R go-w "$moved"
LD_LIBRARY_PATH=$moved/lib runs=$moved/bin/simplugin-conformance run 0 "$libs/simplugin_minimal.so" --only corpus/calls/ \
    --only semantics/empty
out "ok 1 - semantics/empty"
LD_LIBRARY_PATH=$moved/lib runs=$moved/bin/simplugin-conformance run 0 sklearn_flat --only corpus/calls/
out "$moved/lib/simplugin/simplugin_sklearn_flat.so"

# ---- choosing ----------------------------------------------------------------------------------

run 0 "$libs/simplugin_minimal.so" --list
total=$(wc -l <"$work/out")
run 0 "$libs/simplugin_minimal.so" --list --only corpus/scan/ --form plain
few=$(wc -l <"$work/out")
[ "$few" -gt 3 ] && [ "$few" -lt "$total" ] || fail "--only leaves $few of $total"
run 0 "$libs/simplugin_minimal.so" --list --only corpus/scan/ --except closed --except R281 --form plain
[ "$(wc -l <"$work/out")" -lt "$few" ] || fail "--except leaves them all"
not_out R281
not_out closed
# a name in full is that check alone, though it is the beginning of others
name="corpus/index_search/$(sed -n 's/.*{"name": "\([^"]*\)".*/\1/p' "$TEST_TOP_SRCDIR/tests/corpus/index_search.json" | head -n 1)"
run 0 "$libs/simplugin_minimal.so" --only "$name"
out "1..1"
out "ok 1 - $name: "
run 0 "$libs/simplugin_minimal.so" --list --only corpus/
all=$(sort "$work/out")
for part in 1 2 3; do
    run 0 "$libs/simplugin_minimal.so" --list --only corpus/ --part $part/3
    cat "$work/out" >>"$work/parts"
done
[ "$(sort "$work/parts")" = "$all" ] || fail "the parts are not the whole"

# ---- what fails --------------------------------------------------------------------------------

spoiled=$libs/simplugin_mock_spoiled.so
MOCK_SPOIL="points.get crash" run 1 "$spoiled" --only corpus/index_get/ --only corpus/calls/ --form plain
out "the process crashed in the check: SIGABRT"
out '  request: {"method":"index.get","body":{'
# those beside it, in processes of their own, pass
[ "$(grep -c '^ok' "$work/out")" -ge 1 ] && [ "$(grep -c '^not ok' "$work/out")" -ge 1 ] || fail "not some of both"
MOCK_SPOIL="points.get exit" run 1 "$spoiled" --only corpus/index_get/ --form plain
out "the process exited in the check, with status 3"
MOCK_SPOIL="collection.create hang" run 1 "$spoiled" --only "$name" --seconds 1
out "out of time: not done after 1 s"
# the command that is printed does it again
MOCK_SPOIL="search crash" run 1 "$spoiled" --only "$name (columns)" --config config --seed 7
replay=$(sed -n 's/^  replay: //p' "$work/out" | python3 -c 'import json, sys; print(json.load(sys.stdin))')
case $replay in
*"--config config"*"--seed 7"*) ;;
*) fail "the replay lacks config or seed: $replay" ;;
esac
MOCK_SPOIL="search crash" sh -c "$replay" >"$work/again" 2>&1
[ $? -eq 1 ] || fail "the replay does not fail"
grep -q "^not ok 1 - $name (columns): " "$work/again" && grep -qx "1..1" "$work/again" ||
    fail "the replay runs something else: $(cat "$work/again")"

# cases of one's own, with a name that shell, TAP and JSON take for something else
mkdir "$work/my cases"
cat >"$work/my cases/mine.json" <<'JSON'
{"cases": [{"name": "it's \"so\" # \\ $HOME \u00e9", "requirement": ["R1"], "steps": [{"call": "index.create", "body": {"dimension": 2}, "error": {"code": "BUSY"}}]}]}
JSON
run 1 "$libs/simplugin_minimal.so" --corpus "my cases" --form plain
out '1..1'
out "not ok 1 - corpus/mine/it's \"so\" \\# \\\\ \$HOME é: it answers as the case says, R1"
out 'succeeded where an error was expected'
out '  request: {"method":"index.create","body":{"dimension":2}}'
replay=$(sed -n 's/^  replay: //p' "$work/out" | python3 -c 'import json, sys; print(json.load(sys.stdin))')
sh -c "$replay" >"$work/again" 2>&1
cmp -s <(grep -v '^#' "$work/out" | sed 's/ in [0-9.]* s$//') <(grep -v '^#' "$work/again") || fail "the replay: $replay"

# plugins that cannot even say what they are
run 1 "$libs/simplugin_mock_crash.so" --only corpus/calls/
out "# it did not describe itself: the process crashed in the check: SIG"
out "it cannot be asked, as the backend did not describe itself"
! grep -q "^ok" "$work/out" || fail "something passes"

# ---- what cannot begin -------------------------------------------------------------------------

run 2
one_line
run 2 "$libs/simplugin_minimal.so" --nonsense
one_line
err "no option --nonsense"
run 2 "$libs/simplugin_minimal.so" --form
err "--form wants a value"
for wrong in "--form rows" "--part 4/3" "--part x" "--seed -1" "--jobs 0" "--seconds none"; do
    # shellcheck disable=SC2086
    run 2 "$libs/simplugin_minimal.so" $wrong
    one_line
    err "${wrong% *} wants"
done
run 2 ./nowhere.so
one_line
err "./nowhere.so is not there"
run 2 no_such_backend
one_line
err "no_such_backend"
run 2 "a name"
one_line
run 2 "$libs/simplugin_minimal.so" --config nowhere.json
one_line
err "nowhere.json"
for wrong in '{"parameters": []}' '{"recall": 2}' '{"plugin_path": ["here"]}' '{"approximate": 1}' '{"what": 1}' '[]' '{'; do
    printf '%s' "$wrong" >wrong.json
    run 2 "$libs/simplugin_minimal.so" --config wrong.json
    one_line
    err "wrong.json"
done
run 2 "$libs/simplugin_minimal.so" --only "what no check is called"
one_line
run 2 "$libs/simplugin_minimal.so" --corpus "$work/tmp"
one_line
run 2 "$libs/simplugin_minimal.so" --junit "$work/no/where.xml" --only corpus/calls/
one_line
TMPDIR=$work/nowhere runs=$program run 2 "$libs/simplugin_minimal.so" 2>/dev/null
err "TMPDIR"
run 0 --help
out "usage: simplugin-conformance PLUGIN"
run 0 --version
out "simplugin-conformance "

# ---- reports -----------------------------------------------------------------------------------

# words that would end XML or YAML, in the backend's message and output; --junit beside both forms
MOCK_SPOIL="points.get noise" run 1 "$spoiled" --only corpus/index_get/ --only corpus/calls/ --seed 11 --junit "$work/xml" --json
cp "$work/out" "$work/json"
MOCK_SPOIL="points.get noise" run 1 "$spoiled" --only corpus/index_get/ --only corpus/calls/ --seed 11
python3 - "$work/json" "$work/xml" "$work/out" <<'PYTHON' || fail "the reports disagree"
import json, re, sys
import xml.etree.ElementTree as tree

document = json.load(open(sys.argv[1], encoding="utf-8"))
root = tree.parse(sys.argv[2]).getroot()
tap = open(sys.argv[3], encoding="utf-8").read()
checks = document["checks"]
assert document["seed"] == 11 and document["backend"] == "minimal" and not document["interrupted"]
assert f"# seed 11\n" in tap and f"1..{len(checks)}\n" in tap
cases = list(root.iter("testcase"))
lines = re.findall(r"^(not ok|ok) \d+ - (.*)$", tap, re.M)
assert len(cases) == len(lines) == len(checks) == sum(document["totals"].values())
assert int(root.get("tests")) == len(checks) and int(root.get("failures")) == document["totals"]["failed"] > 0
for check, case, (ok, line) in zip(checks, cases, lines):
    assert check["name"] == case.get("name") and line.startswith(check["name"] + ": " + check["says"])
    failed = check["outcome"] == "failed"
    assert failed == (ok == "not ok") == (case.find("failure") is not None), check
    assert (check["outcome"] == "skipped") == (case.find("skipped") is not None) == ("# SKIP " in line)
    if failed:
        failure = case.find("failure")
        # which XML cannot hold
        assert check["reason"].replace("\uffff", "?") == failure.get("message") and check["replay"] in failure.text
        assert check["request"]["method"] and json.dumps(check["reason"], ensure_ascii=False) in tap
        if "<![CDATA[" in check["reason"]:
            assert "to stdout: it's <![CDATA[" in check["output"] and "to stderr" in case.find("system-out").text
assert any("<![CDATA[" in check.get("reason", "") for check in checks)
# the blocks of YAML: indented by two, each with its end
blocks = re.findall(r"^  ---\n((?:  .*\n)*?)  \.\.\.\n", tap, re.M)
assert len(blocks) == document["totals"]["failed"]
for block in blocks:
    fields = dict(re.findall(r"^  (\w+): (.*)$", block, re.M))
    assert {"reason", "replay"} <= set(fields)
    json.loads(fields["reason"]), json.loads(fields["replay"])
    assert set(json.loads(fields["request"])) == {"method", "body"}
PYTHON

# ---- Ctrl-C ------------------------------------------------------------------------------------

MOCK_SPOIL="points.get hang" MOCK_SPOIL_PID=$work/pid "$program" "$spoiled" --only corpus/index_get/ \
    --form plain -j 2 --junit "$work/xml" >"$work/out" 2>"$work/err" &
job=$!
end=$((SECONDS + 60))
until [ -s "$work/pid" ] || [ $SECONDS -ge $end ]; do sleep 0.05; done
kill -INT $job
wait $job
status=$?
[ $status -eq 130 ] || fail "interrupted, it ends with $status"
out "Bail out! Interrupted (SIGINT): "
[ -z "$(ls -A "$TMPDIR")" ] || fail "interrupted, it left $(ls -A "$TMPDIR")"
! kill -0 "$(cat "$work/pid")" 2>/dev/null || fail "interrupted, it left a process"
python3 -c 'import sys, xml.etree.ElementTree as tree; tree.parse(sys.argv[1])' "$work/xml" || fail "no XML"

[ $failures -eq 0 ] || { echo "$failures failures"; exit 1; }
echo "$checks checks passed"
