#!/bin/sh
# orchestrate.sh - an orchestrator outside of the containers, in its smallest form: a file of jobs, one
# container at a time on each GPU that nobody uses, pinned to that GPU.
#
#   orchestrate.sh JOBS            JOBS: a line of arguments of sdxl-lab a job, "generate --prompt x --seed 1"
#
# IMAGE (sdxl-lab:cuda), HF_HOME and OUTPUT_DIR as elsewhere. sdxl-lab run --container does the same for one
# command again and again, locks the GPU while it is used, and looks after it; begin with that. This is for those
# who have a scheduler of their own and want to see the parts: gpu_pick finds a GPU, the container gets it.
set -eu
jobs=${1:?"orchestrate.sh JOBS: say which file has the jobs"}
output=${OUTPUT_DIR:-$PWD/output_images} cache=${HF_HOME:-$HOME/.cache/huggingface}
mkdir -p "$output"

n=0
while IFS= read -r job; do
    case $job in '' | '#'*) continue ;; esac
    n=$((n + 1))
    gpu=$(gpu_pick --uuid --wait) # exit code 4 where there is none at all
    echo "job $n on $gpu: $job"
    # xargs reads quotes as a shell would, and runs nothing
    printf '%s\n' "$job" | xargs docker run --rm --detach --name "sdxl-lab-$$-$n" --gpus "device=$gpu" --read-only \
        --tmpfs /tmp --user "$(id -u):$(id -g)" --volume "$cache:/cache:ro" --volume "$output:/pictures" \
        --env "INSTANCE_ID=job$n" "${IMAGE:-sdxl-lab:cuda}" >/dev/null
    sleep 20 # until it shows on the GPU: gpu_pick goes by what it sees
done <"$jobs"
echo "$n jobs begun; docker ps shows those at work"
