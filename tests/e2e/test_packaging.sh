#!/bin/bash
# test_packaging.sh BINARY SOURCE_DIR - what lies in packaging/, as far as neither an engine of containers nor a
# package has to be built: scripts, the systemd unit, the compose file, the image's health check.
# Prints "N passed, N failed".
bin=$(realpath "$1")
source=$(realpath "$2")
. "$source/tests/e2e/common.sh"
packaging=$source/packaging

for script in "$packaging"/*.sh; do check "$(basename "$script") is read by sh" sh -n "$script"; done

# --- The units ---
unit() { # FILE NAME: one of its instances
    sed "s|=/usr/bin/sdxl-lab|=$bin|; /^Documentation=/d" "$packaging/systemd/$1" >"$1"
    systemd-analyze verify --man=no "./$2" >out 2>&1
    grep -v "Failed to \(connect\|get\)" out | grep -q "sdxl-lab[@-]" && bad "$1: $(head -1 out)" || ok "systemd has nothing to say of $1"
    # 0 is shut, 100 is open; systemd 250 and later can tell without running. More than 20: somebody opened it.
    if systemd-analyze security --help | grep -q -e --offline; then
        systemd-analyze security --offline=yes --threshold=20 --no-pager "./$2" >out 2>err &&
            ok "and it is hardened" || bad "$1 is open: $(tail -1 out) $(head -1 err)"
    else
        echo "skip systemd-analyze security: this version has no --offline"
    fi
}
if command -v systemd-analyze >/dev/null 2>&1; then
    unit sdxl-lab@.service sdxl-lab@x.service
    unit sdxl-lab-serve.service sdxl-lab-serve.service
else
    echo "skip systemd: there is no systemd-analyze here"
fi
for command in $(sed -n 's/^Exec[A-Za-z]*=\([^ ]*\).*/\1/p' "$packaging"/systemd/*); do
    [ "$command" = /usr/bin/sdxl-lab ] || bad "a unit runs $command"
done
check "it draws as the README of headless runs says" env -i PATH="$PATH" HEADLESS=1 INSTANCE_ID=x HOME="$work" \
    OUTPUT_DIR="$work/unit" PROMPT="a cat" MODEL_KEY="$source/tests/data/models/repo" WIDTH=64 HEIGHT=64 STEPS=1 "$bin"
check "one picture" [ "$(find unit -name '*.png' | wc -l)" -eq 1 ]

# --- The image ---
checks=$(sed -n 's/^HEALTHCHECK .*CMD \[\(.*\)\]$/\1/p' "$packaging/Dockerfile" | tr -d '",')
check "the server's image asks the server" grep -qx 'sdxl-lab serve --check' <<<"$checks"
health=$(grep -v serve <<<"$checks")
check "the health check is a command" [ "${health%% *}" = sdxl-lab ]
expect "and it is well here" 0 "" "$bin" ${health#sdxl-lab } --model "$source/tests/data/models/repo"
check "drawing nothing" [ ! -e output_images ]
if [ "$(id -u)" -ne 0 ]; then
    mkdir shut && chmod 555 shut
    OUTPUT_DIR=$work/shut "$bin" ${health#sdxl-lab } --model "$source/tests/data/models/repo" >out 2>err &&
        bad "a folder that cannot be written to is well" || ok "a folder that cannot be written to is not well"
fi
for name in $(sed -n '/^  environment:/,/\]/p' "$packaging/compose.yaml" | grep -oE '[A-Z][A-Z_]+'); do
    [ "$name" = HEADLESS ] || "$bin" manual --markdown | grep -qw "$name" || bad "compose.yaml: there is no variable $name"
done
ok "the variables of compose.yaml"

# --- The orchestrator, with an engine that only notes what it is asked for ---
mkdir path
printf '#!/bin/sh\n[ "$*" = "--uuid --wait" ] && echo GPU-%s\n' 1234 >path/gpu_pick
printf '#!/bin/sh\nfor word; do printf "[%%s]" "$word"; done >>"%s/asked"; echo >>"%s/asked"\n' "$work" "$work" >path/docker
printf '#!/bin/sh\n' >path/sleep
chmod +x path/*
printf '# two jobs\n\ngenerate --prompt "a red fox" --seed 1\ngenerate --prompt b; rm -rf / $(touch no)\n' >jobs
PATH=$work/path:$PATH OUTPUT_DIR=$work/pictures HF_HOME=$work/models "$packaging/orchestrate.sh" jobs >out 2>err ||
    bad "the orchestrator"
check "two containers" [ "$(wc -l <asked)" -eq 2 ]
check "on the GPU that was found" [ "$(grep -cF '[--gpus][device=GPU-1234]' asked)" -eq 2 ]
check "words as they are quoted" grep -qF '[sdxl-lab:cuda][generate][--prompt][a red fox][--seed][1]' asked
check "no line is run by a shell" [ ! -e no ]
check "folders are mounted" grep -qF "[--volume][$work/models:/cache:ro][--volume][$work/pictures:/pictures]" asked

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
