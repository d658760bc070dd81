#!/bin/bash
# test_download.sh BINARY SOURCE_DIR SHIM - models download against a small hub (tests/hub_server) that can
# fail in every way: what is downloaded, resumed, refused, shared between processes, left by those that
# are killed; and that nothing else ever opens a socket.
bin=$(realpath "$1") source=$(realpath "$2") shim=$(realpath "$3")
. "$source/tests/e2e/common.sh"
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

"$bin" models download org/tiny >out 2>err
if grep -q "without libcurl" err; then
    echo "skip libcurl: the program was built without it"
    exit 77
fi
command -v python3 >/dev/null || { echo "skip python3: the hub to download from is written in it"; exit 77; }

# --- A hub ----------------------------------------------------------------------------------------------
mkdir -p hub/repos/org
tiny=hub/repos/org/tiny
cp -r "$source/models/lab-tiny-xl" $tiny
printf -- '---\nlicense: openrail++\n---\nA model.\n' >$tiny/README.md
cp $tiny/README.md $tiny/unet/diffusion_pytorch_model.bin
mkdir $tiny/vae_1_0 && cp $tiny/vae/* $tiny/vae_1_0/
mkdir hub/repos/org/one
head -c 400000 /dev/urandom >hub/repos/org/one/one.safetensors
printf -- '---\nlicense: cc-by-nc-4.0\n---\n' >hub/repos/org/one/README.md
mkdir hub/repos/org/refiner && cp $tiny/model_index.json hub/repos/org/refiner/
python3 "$source/tests/hub_server/server.py" hub >hub/url 2>hub/err &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
for i in $(seq 100); do [ -s hub/url ] && break; sleep 0.1; done
export HF_ENDPOINT=$(cat hub/url)
[ -n "$HF_ENDPOINT" ] || { bad "the hub starts"; cat hub/err; exit 1; }

# fault JSON: what goes wrong from now on; the counts of faults go on, so texts and seeds differ
fault() { echo "$1" >hub/faults.tmp && mv hub/faults.tmp hub/faults.json; }
fresh() { rm -rf home && export HF_HOME=$work/home && : >hub/requests.log; }
get() { "$bin" models download "$@"; }
requests() { grep -c -- "$1" hub/requests.log; }
# whole ID FILE...: each file is what the hub has, its blob is called by its digest, nothing is left over
whole() {
    local id=$1 file snapshot dir=home/hub/models--${1//\//--}
    shift
    snapshot=$dir/snapshots/$(cat "$dir/refs/main") || return 1
    for file; do
        cmp -s "$snapshot/$file" "hub/repos/$id/$file" || { echo "$file differs"; return 1; }
        case $(readlink "$snapshot/$file") in ../*/blobs/*) ;; *) echo "$file is no relative link"; return 1 ;; esac
    done
    for file in "$dir"/blobs/*; do
        case ${#file} in
        $((${#dir} + 71))) [ "$(sha256sum <"$file" | cut -c-64)" = "${file##*/}" ] ;;
        $((${#dir} + 47))) [ "$( (printf 'blob %d\0' "$(stat -c %s "$file")"; cat "$file") | sha1sum | cut -c-40)" = "${file##*/}" ] ;;
        *) false ;;
        esac || { echo "$file: another content, or left over"; return 1; }
    done
    [ -z "$(find home/hub -name '*.owner' -o -name '*.incomplete' -o -name '*.tmp')" ] || { echo "left over"; return 1; }
}
weights="unet/diffusion_pytorch_model.fp16.safetensors vae/diffusion_pytorch_model.fp16.safetensors
text_encoder/model.fp16.safetensors text_encoder_2/model.fp16.safetensors"
needed="$weights model_index.json scheduler/scheduler_config.json tokenizer/vocab.json tokenizer_2/merges.txt unet/config.json"

# --- What comes -----------------------------------------------------------------------------------------
fresh
expect "a plan alone" 0 "39 MB to download" get org/tiny --dry-run
check "a plan alone writes nothing" test ! -e home
expect "the licence of the card" 0 "openrail++, as its card says" get org/tiny --dry-run
expect "a licence that forbids commerce says so" 0 "NO COMMERCIAL USE" get org/one --dry-run
fault '{"page": 4, "token": "hf_secret"}'
HF_TOKEN=hf_secret expect "a model comes" 0 "org/tiny: ready" get org/tiny --verbose
check "whole" whole org/tiny $needed
check "and can be drawn with" "$bin" inspect model --model org/tiny
check "no pickle, no other VAE, no README" sh -c '! grep -E "\.bin|vae_1_0|README" hub/requests.log'
check "the hub gets the token" grep -q "host=127.0.0.1 auth=hf_secret" hub/requests.log
check "another host does not" sh -c 'grep -q "host=127.0.0.2 auth=- " hub/requests.log && ! grep -q "host=127.0.0.2 auth=hf" hub/requests.log'
check "the list is read page by page" test "$(requests 'cursor=')" -ge 4
check "and no message has the token" sh -c '! grep -r hf_secret out err home'
fault '{}'
touch stamp && : >hub/requests.log && sleep 0.02
expect "a second time nothing is to do" 0 "all there" get org/tiny
check "and nothing is written, nothing transferred" sh -c '[ -z "$(find home -newer stamp)" ] && ! grep -q resolve hub/requests.log'
check "verify agrees" "$bin" models verify org/tiny
expect "--json" 0 '"state": "ready"' get org/tiny --json
check "is one document" python3 -c 'import json; d = json.load(open("out"))["models"][0]; assert d["licence"] == "openrail++" and len(d["files"]) == 18 and not d["bytes_to_download"]'
rm -rf home/hub/models--org--tiny/snapshots
: >hub/requests.log
expect "blobs that are there are linked" 0 "ready" get org/tiny --quiet
check "without a transfer" test "$(requests resolve)" -eq 0
check "whole again" whole org/tiny $needed
fresh
expect "one file of a repository" 0 ready get org/tiny:vae/config.json
check "and no other" test "$(requests resolve)" -eq 1
fault '{"renamed": {"old/name": "org/one"}}'
expect "a relative redirect is followed" 0 ready get old/name
check "to the file" cmp home/hub/models--old--name/snapshots/*/one.safetensors hub/repos/org/one/one.safetensors
fault '{}'
expect "without links files lie there" 0 ready env HF_HUB_DISABLE_SYMLINKS=1 "$bin" models download org/one
check "as files" sh -c 'test -f home/hub/models--org--one/snapshots/*/one.safetensors && ! test -L home/hub/models--org--one/snapshots/*/one.safetensors'
: >hub/requests.log
expect "and are seen" 0 "all there" env HF_HUB_DISABLE_SYMLINKS=1 "$bin" models download org/one
expect "a revision" 0 ready get org/one --revision refs/pr/1
check "has its ref" test -s home/hub/models--org--one/refs/refs/pr/1

# --- What is refused ------------------------------------------------------------------------------------
fresh
expect "a name that is none" 2 "no name of sdxl-lab models list" get Nothing
expect "no name" 2 "or --all" get
expect "no such repository" 5 "there is no such repository" get org/none
expect "no such revision" 5 'no revision "nope"' get org/one --revision nope
expect "no such file" 5 "has no file x.safetensors" get org/one:x.safetensors
expect "another family" 5 "has no unet/config.json" get org/refiner
expect "a revision that leads out" 2 "expected a branch" get org/one --revision ../../x
HF_TOKEN=$'a\nb: c' expect "a token that can be none" 2 "can be no token" get org/one
HF_ENDPOINT=file:///etc expect "an endpoint that is none" 2 "HF_ENDPOINT" get org/one
HF_ENDPOINT=http://127.0.0.1:9 expect "nobody there" 7 "org/one" get org/one
fault '{"token": "hf_right"}'
HF_TOKEN=hf_wrong expect "a wrong token" 5 "the token (from HF_TOKEN) does not open it" get org/one
check "is not shown" sh -c '! grep hf_wrong out err'
mkdir -p home && echo hf_right >home/token
expect "the token's file" 0 ready get org/one
fresh
fault '{"gated": ["org/one"]}'
expect "gated, without a token" 7 "set HF_TOKEN" get org/one
HF_TOKEN=hf_x expect "gated, with one" 7 "was not let in" get org/one
fault '{"status": [{"match": "revision/main?", "code": 500, "times": 1}, {"match": "resolve", "code": 403, "times": 1}]}'
expect "403" 7 "403" get org/one
check "nothing of all this is there" sh -c '[ -z "$(find home -type f -name "*.incomplete" -o -path "*/refs/*" -type f)" ]'

# --- What goes wrong and is mended ----------------------------------------------------------------------
fresh
fault '{"status": [{"match": "/tree/", "code": 503, "times": 2, "headers": {"Retry-After": "0"}}, {"match": "/cdn/", "code": 429, "times": 2, "headers": {"Retry-After": "0"}}, {"match": "resolve", "code": 408, "times": 1, "headers": {"Retry-After": "0"}}]}'
expect "408, 429 and 503 are tried again" 0 ready get org/one
check "whole" whole org/one one.safetensors
fresh
fault '{"status": [{"match": "resolve", "code": 502, "times": 99, "headers": {"Retry-After": "0"}}]}'
expect "but not for ever" 7 "answers 502" get org/one
for seed in 11 12 13; do
    fresh
    fault "{\"cut\": {\"seed\": $seed, \"times\": 8}}"
    expect "cut at random bytes ($seed)" 0 ready get org/tiny
    check "whole" whole org/tiny $needed
    check "gone on with" sh -c 'grep -qE "/cdn/.* range=[1-9][0-9]* 206" hub/requests.log'
done
fresh
fault '{"cut": {"seed": 21, "times": 2}, "no_range": true}'
expect "a server without ranges" 0 ready get org/one
check "whole" whole org/one one.safetensors
fresh
fault '{"cut": {"seed": 22, "times": 1}, "no_such_range": 1}'
expect "416" 0 ready get org/one
check "whole" whole org/one one.safetensors
fresh
fault '{"wrong": {"match": "one.saf", "times": 1}}'
expect "wrong bytes are downloaded again" 0 "it is downloaded again" get org/one
check "whole" whole org/one one.safetensors
fresh
fault '{"wrong": {"match": ".saf", "times": 99}}'
expect "wrong bytes twice" 7 "expected" get org/one
check "none of it is kept" sh -c '[ -z "$(ls home/hub/models--org--one/blobs)" ] && [ ! -e home/hub/models--org--one/snapshots ] && [ ! -e home/hub/models--org--one/refs ]'
fault '{"wrong": {"match": "scheduler_config", "times": 999}}'
expect "of a small file, too" 7 "scheduler_config.json" get org/tiny
check "and the model is not named by a ref" test ! -e home/hub/models--org--tiny/refs/main

# What others left: a partial of the Python library (older than a minute), one whose bytes are wrong.
fault '{}'
digest=$(sha256sum <hub/repos/org/one/one.safetensors | cut -c-64)
blobs=home/hub/models--org--one/blobs
fresh
mkdir -p $blobs && head -c 100000 hub/repos/org/one/one.safetensors >$blobs/$digest.1234abcd.incomplete
touch -d '-2 minutes' $blobs/*.incomplete
expect "another program's partial" 0 "going on behind 100 kB" get org/one
check "is gone on with" grep -q "range=100000 206" hub/requests.log
check "whole" whole org/one one.safetensors
fresh
mkdir -p $blobs && head -c 100000 /dev/urandom >$blobs/$digest.incomplete && touch -d '-2 minutes' $blobs/*.incomplete
expect "a partial with other bytes" 0 "it is downloaded again" get org/one
check "whole" whole org/one one.safetensors
fresh
mkdir -p $blobs && head -c 100000 hub/repos/org/one/one.safetensors >$blobs/$digest.1234abcd.incomplete
expect "a partial that somebody may be writing" 0 ready get org/one
check "is left alone" test -s $blobs/$digest.1234abcd.incomplete
check "and not gone on with" grep -q "/cdn/.* range=- 200" hub/requests.log

# --- Several processes ----------------------------------------------------------------------------------
fresh
fault '{"bytes_per_s": 8000000}'
for i in 1 2 3 4 5 6 7 8; do get org/tiny --quiet >out$i 2>err$i & pids[i]=$!; done
codes=
for i in 1 2 3 4 5 6 7 8; do wait ${pids[i]}; codes="$codes $?"; done
check "eight at once all have it" test "$codes" = " 0 0 0 0 0 0 0 0"
check "whole" whole org/tiny $needed
check "each blob came once" sh -c '[ -z "$(grep -E "/cdn/|json .* 200" hub/requests.log | grep resolve\\\|cdn | cut -d" " -f2 | sort | uniq -d)" ]'

# Killed at random moments: the next goes on, the last finds it whole.
fresh
fault '{"bytes_per_s": 20000000}'
RANDOM=7 n=0
for i in $(seq "${XL_DOWNLOAD_KILLS:-15}"); do
    get org/tiny --quiet >out 2>err &
    pid=$!
    sleep 0.$(printf %03d $((RANDOM % 500)))
    kill -9 $pid 2>/dev/null && n=$((n + 1))
    wait $pid 2>/dev/null
    for file in home/hub/models--org--tiny/blobs/*; do
        case $file in *.incomplete | *.tmp | *'*') continue ;; esac
        name=${file##*/}
        [ ${#name} -ne 64 ] || [ "$(sha256sum <"$file" | cut -c-64)" = "$name" ] || bad "kill $i left $name torn"
    done
done
check "processes were killed" test $n -gt 2
fault '{}'
expect "after $n kills" 0 ready get org/tiny
check "whole, and nothing is left" whole org/tiny $needed

# Ctrl-C: what came stays, and the next goes on.
fresh
fault '{"bytes_per_s": 100000}'
(trap - INT; exec "$bin" models download org/one --revision main) >out 2>err &
pid=$!
while [ -z "$(find home/hub/models--org--one/blobs -name '*.incomplete' -size +0 2>/dev/null)" ] && kill -0 $pid 2>/dev/null; do
    sleep 0.02
done
kill -INT $pid
wait $pid
check "Ctrl-C: 130" test $? -eq 130
check "it says that what came stays" grep -q "goes on from there" err
fault '{}'
expect "the next goes on" 0 "going on behind" get org/one
check "whole" whole org/one one.safetensors
check "with what was missing alone" grep -qE "/cdn/.* range=[1-9][0-9]* 206" hub/requests.log

# --- A disk that is full --------------------------------------------------------------------------------
fresh
mkdir -p home/hub
if mount -t tmpfs -o size=300k tmpfs home/hub 2>/dev/null; then
    expect "no room: said before it begins" 6 "are free" get org/one
    check "with nothing transferred" test "$(requests resolve)" -eq 0
    umount home/hub
else
    echo "skip tmpfs: may not be mounted here"
fi
if is_sanitized; then
    echo "skip shim: the sanitizers' own allocator and this shim exclude each other"
else
    fresh
    faulty() { env LD_PRELOAD="$shim" XL_FAULT_EXCEPT=libcurl,libcrypto,libssl XL_FAULT_PATH=home/hub "$@"; }
    expect "no room any more" 6 "No space left" faulty XL_FAULT_CALLS=write XL_FAULT_AT=3 XL_FAULT_PATH=.incomplete "$bin" models download org/one
    check "no blob, no ref" sh -c '[ ! -e home/hub/models--org--one/refs ] && ! ls home/hub/models--org--one/blobs | grep -qv incomplete'
    expect "with room again" 0 "going on behind" get org/one
    check "whole" whole org/one one.safetensors
    n_bad=0 n_faults=0
    for group in open write fsync rename link; do
        for at in $(seq 9); do
            fresh
            faulty XL_FAULT_CALLS=$group XL_FAULT_AT=$at "$bin" models download org/one --quiet >out 2>err
            code=$? n_faults=$((n_faults + 1))
            case $code in 0) ;; 6) [ "$(wc -l <err)" = 1 ] || n_bad=$((n_bad + 1)) ;; *) n_bad=$((n_bad + 1)); echo "$group $at: exit $code" ;; esac
            # A claim that could not be read when it was to go stays, and names a process that has ended.
            rm -f home/hub/.locks/*/*.owner
            get org/one --quiet >out 2>err && whole org/one one.safetensors || { n_bad=$((n_bad + 1)); echo "$group $at: not mended"; }
        done
    done
    check "each of $n_faults failing calls: one sentence, and the next download mends it" test $n_bad -eq 0
fi

# --- Offline --------------------------------------------------------------------------------------------
fresh
for variable in HF_HUB_OFFLINE=1 HF_HUB_OFFLINE=yes TRANSFORMERS_OFFLINE=ON; do
    expect "$variable" 7 "${variable%=*} is set" env $variable "$bin" models download org/one
done
expect "offline is off" 0 ready env HF_HUB_OFFLINE=0 TRANSFORMERS_OFFLINE=1 "$bin" models download org/tiny
if is_sanitized; then
    echo "skip strace: leaks cannot be looked for in a program that is traced"
elif strace -f -o trace true 2>/dev/null; then
    HF_HUB_OFFLINE=1 strace -f -e trace=network,execve -o trace "$bin" models download org/one >out 2>err
    check "offline: no socket, no program" sh -c '! grep -qE "socket|connect|sendto" trace && [ "$(grep -c execve trace)" = 1 ]'
    for offline in 0 1; do
        HF_HUB_OFFLINE=$offline strace -f -e trace=network,execve,execveat -o trace "$bin" generate --model org/tiny \
            --prompt "a fox" --steps 1 --seed 1 --output-dir drawn >out 2>err
        check "drawing (HF_HUB_OFFLINE=$offline) works" test $? -eq 0
        check "without a socket or another program" sh -c '! grep -qE "socket|connect|sendto" trace && [ "$(grep -cE "execve" trace)" = 1 ]'
    done
else
    echo "skip strace: not here, or may not trace"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
