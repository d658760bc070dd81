#!/bin/sh
# test_run_tests.sh RUN_TESTS - what tests/run-tests makes of programs that pass, fail, skip, count and
# crash: a folder of tests for ctest, and the line at the end. Prints "N passed, N failed".
set -u
run=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# expect NAME STATUS LAST_LINE [TEST PROGRAM]...: programs are lines of sh, named as their tests
expect() {
    name=$1 status=$2 last=$3
    shift 3
    : >"$work/CTestTestfile.cmake"
    while [ $# -gt 0 ]; do
        printf '%s\n' "$2" >"$work/$1.sh"
        printf 'add_test(%s sh "%s")\nset_tests_properties(%s PROPERTIES SKIP_RETURN_CODE 77)\n' \
            "$1" "$work/$1.sh" "$1" >>"$work/CTestTestfile.cmake"
        shift 2
    done
    XL_NO_SKIP=$needed XL_TOTALS=$work/totals "$run" "$work" >"$work/out" 2>&1
    got=$?
    if [ $got -eq "$status" ] && [ "$(tail -1 "$work/out")" = "$last" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $name: status $got"
        sed 's/^/     /' "$work/out"
    fi
}
needed=
criterion='echo "[====] Synthesis: Tested: 5 | Passing: 4 | Failing: 1 | Crashing: 0 "; exit 1'
expect "a program that counts nothing is one" 0 "1 passed, 0 failed, 0 skipped" a true
expect "one that counts" 0 "8 passed, 0 failed, 0 skipped" a 'echo 7 passed, 0 failed' b true
expect "its failures" 1 "3 passed, 2 failed, 0 skipped" a 'echo 3 passed, 2 failed; exit 1'
expect "Criterion's" 1 "4 passed, 1 failed, 0 skipped" a "$criterion"
expect "one that crashes after good words" 1 "3 passed, 1 failed, 0 skipped" \
    a 'echo 3 passed, 0 failed; exit 3'
expect "no test at all is a failure" 1 "0 passed, 1 failed, 0 skipped"
expect "a line of a script is a skip" 0 "2 passed, 0 failed, 1 skipped" \
    a 'echo skip fish: not installed; echo 2 passed, 0 failed'
expect "so is a case of Criterion" 0 "5 passed, 0 failed, 2 skipped" \
    a 'echo "[SKIP] a::b: no AMX"; echo "[SKIP] a::c: no AMX"; echo "[====] Synthesis: Tested: 5 | Passing: 5 |"'
expect "and a program's exit code, once" 0 "1 passed, 0 failed, 2 skipped" \
    a 'exit 77' b 'echo skip browser: none; exit 77' c true
expect "a skip among failures" 1 "0 passed, 1 failed, 1 skipped" \
    a 'echo skip fish: none; echo 0 passed, 1 failed; exit 1'
report='r=${TSAN_OPTIONS#log_path=}; echo "WARNING: ThreadSanitizer: data race (pid=1)" >${r%%:*}.1; echo 2 passed, 0 failed'
expect "what a sanitizer found is a failure" 1 "2 passed, 1 failed, 0 skipped" a "$report"
expect "until it is gone" 0 "2 passed, 0 failed, 0 skipped" a 'echo 2 passed, 0 failed'
needed="zsh browser"
expect "what is installed must not skip" 1 "2 passed, 1 failed, 1 skipped" \
    a 'echo skip zsh: none; echo skip fish: none; echo 2 passed, 0 failed'
expect "nor a whole program" 1 "0 passed, 1 failed, 0 skipped" a 'echo skip browser: none; exit 77'
last=$(tail -1 "$work/totals")
if [ "$last" = "0 1 0" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL totals: $last"; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
