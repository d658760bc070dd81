#!/bin/bash
# test_read_only.sh BINARY SOURCE_DIR - a Hugging Face cache that cannot be written, also not by root (mounted
# so in a namespace of its own): it is drawn from, and a download into it says what is wrong. Prints a line
# per check.
set -u
bin=$(realpath "$1") source=$(realpath "$2")
. "$source/tests/e2e/common.sh"
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
unshare -rm true 2>/dev/null || { echo "skip unshare: a namespace of its own is refused here"; exit 77; }
command -v python3 >/dev/null || { echo "skip python3: the hub to download from is written in it"; exit 77; }

mkdir -p hub/repos/org
cp -r "$source/models/lab-tiny-xl" hub/repos/org/tiny
cp -r hub/repos/org/tiny hub/repos/org/other
python3 "$source/tests/hub_server/server.py" hub >hub/url 2>hub/err &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -s hub/url ] && break; sleep 0.1; done
HF_ENDPOINT=$(cat hub/url) HF_HOME=$work/home
export HF_ENDPOINT HF_HOME
"$bin" models download org/tiny >out 2>err
if grep -q "without libcurl" err; then
    echo "skip libcurl: the program was built without it"
    exit 77
fi
read_only() {
    unshare -rm sh -c 'mount --bind "$HF_HOME" "$HF_HOME" && mount -o remount,ro,bind "$HF_HOME" && "$@"' sh "$@"
}
draw=("$bin" generate --model org/tiny --prompt "a fox" --steps 1 --size 64x64 --seed 1)

check "the mount is what it should be" sh -c '! unshare -rm sh -c "mount --bind home home && mount -o remount,ro,bind home && touch home/x"'
expect "a picture from a cache that can be written" 0 "" "${draw[@]}" --output-dir here
expect "one from a cache that cannot" 0 "" read_only "${draw[@]}" --output-dir there
check "is the same" same "$(one here)" "$(one there)"
expect "verify" 0 "same" read_only "$bin" models verify org/tiny
expect "what is there is not downloaded" 0 "org/tiny: ready" read_only "$bin" models download org/tiny
expect "what is not cannot be" 6 "Read-only file system" read_only "$bin" models download org/other
check "in one sentence" test "$(wc -l <err)" -eq 1
check "which names the place" grep -q "$HF_HOME/hub/models--org--other" err
expect "a plan alone" 0 "39 MB to download" read_only "$bin" models download org/other --dry-run
rm -r home/hub/models--org--tiny/snapshots/*/vae
expect "links that are missing cannot be made" 6 "Read-only file system" read_only "$bin" models download org/tiny
expect "a picture says what is missing" 5 "vae/config.json (missing)" read_only "${draw[@]}" --output-dir gone
check "and no other name for it" sh -c '! grep -q "did you mean" err'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
