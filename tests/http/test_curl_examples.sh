#!/bin/sh
# test_curl_examples.sh PROGRAM SOURCES - the blocks of README.md and docs/ that begin with curl do what they are there for:
# on another port, in small and with few steps.
set -u
program=$1 sources=$2
command -v curl >/dev/null || { echo "skip curl examples: there is no curl"; exit 77; }
work=$(mktemp -d)
unset SDXL_LAB_TOKEN OUTPUT_DIR INSTANCE_ID
HOME=$work XDG_CACHE_HOME=$work XDG_CONFIG_HOME=$work "$program" serve --port 0 --device cpu --output-dir "$work/out" \
    >"$work/url" 2>"$work/log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server; rm -rf "$work"' EXIT
passed=0 failed=0
ok() { passed=$((passed + 1)); echo "ok   $1"; }
bad() { failed=$((failed + 1)); echo "FAIL $1"; }

until [ -s "$work/url" ]; do
    kill -0 $server 2>/dev/null || { cat "$work/log"; exit 1; }
    sleep 0.1
done
place=$(sed 's|^http://||; s|/$||' "$work/url")

# Each block of a page to a file of its own.
for page in README.md docs/SERVER.md docs/QUEUE.md; do
    name=$(echo "$page" | tr / -)
    awk -v to="$work/$name." '
        /^```/ { inside = !inside; first = 1; if (!inside && file) close(file); file = ""; next }
        inside && first { first = 0; if (/^curl /) { n++; file = to n ".sh" } }
        file { print > file }' "$sources/$page"
done

for block in "$work"/*.sh; do
    name=$(basename "$block" .sh)
    sed -E "s/(127\.0\.0\.1|localhost):7860/$place/g; s/1024/128/g; s/(\"steps\": *)[0-9]+/\12/g" "$block" >"$block.run"
    mkdir "$block.here"
    (cd "$block.here" && sh "$block.run" >"$block.out" 2>"$block.err") || bad "$name: it fails: $(tail -3 "$block.err")"
    # A picture where one is written, else the server's answer, which is no error.
    if grep -q 'fox\.png' "$block"; then
        if head -c 4 "$block.here/fox.png" 2>/dev/null | grep -q PNG; then ok "$name: a picture"
        else bad "$name: no picture: $(cat "$block.err")"; fi
    elif python3 -c 'import json, sys; sys.exit(bool(json.load(open(sys.argv[1])).get("error")))' "$block.out"; then
        ok "$name: an answer"
    else
        bad "$name: $(head -c 300 "$block.out") $(cat "$block.err")"
    fi
done
[ $passed -ge 4 ] || bad "there are fewer examples than there were: $passed"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
