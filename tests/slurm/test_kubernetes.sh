#!/bin/bash
# test_kubernetes.sh BINARY SOURCE_DIR - the manifest that generate --on kubernetes --print writes: read back
# by a YAML reader, each field, and its command run as a pod would. Prints "N passed, N failed".
bin=$(realpath "$1")
source=$(realpath "$2")
repo=$source/tests/data/models/repo
. "$source/tests/e2e/common.sh"
request=(--prompt "a cat" --model "$repo" --width 64 --height 64 --steps 1 --sweep seed=1..4 --on kubernetes)

expect "without --print" 2 "kubectl apply" "$bin" generate "${request[@]}"
expect "no volume" 2 "--volume CLAIM:PATH" "$bin" generate "${request[@]}" --print --output-dir none
expect "a volume that is none" 2 '"pictures" is not CLAIM:PATH' \
    "$bin" generate "${request[@]}" --print --volume pictures --output-dir none
expect "one that holds something else" 2 "say which volume holds" \
    "$bin" generate "${request[@]}" --print --volume "pictures:$work/oth" --output-dir "$work/other"
odd="$work/it's \"a\" folder: #1"
HF_HOME=/models "$bin" generate "${request[@]}" --print --tasks 8 --at-once 3 --gres gpu:2 \
    --container-image "lab/sdxl:1" --volume "pictures:$work" --volume "models:/models" --output-dir "$odd" >job.yaml 2>err ||
    bad "a manifest"
check "says that nothing is submitted" grep -q "nothing is submitted" err
run=$(ls -d "$odd"/sweep_*)
# Read by another program's reader than ours.
if ! python3 -c 'import yaml' 2>/dev/null; then
    echo "skip yaml: there is no python3-yaml here"
else
    python3 - job.yaml "$run" "$work" >fields 2>&1 <<'END'
import sys, yaml
job, run, work = yaml.safe_load(open(sys.argv[1])), sys.argv[2], sys.argv[3]
def keys(value, expected):
    assert set(value) == set(expected), (sorted(value), sorted(expected))
def equal(value, expected):
    assert value == expected, (value, expected)
keys(job, ["apiVersion", "kind", "metadata", "spec"])
equal(job["apiVersion"], "batch/v1")
equal(job["kind"], "Job")
name = job["metadata"]["name"]
assert len(name) <= 63 and name.strip("-") == name, name
assert all(c.isdigit() or "a" <= c <= "z" or c == "-" for c in name), name
spec = job["spec"]
keys(spec, ["completionMode", "completions", "parallelism", "backoffLimit", "podFailurePolicy", "template"])
equal((spec["completionMode"], spec["completions"], spec["parallelism"], spec["backoffLimit"]), ("Indexed", 4, 3, 16))
rules = spec["podFailurePolicy"]["rules"]
equal(rules[0], {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]})
equal(rules[1], {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [2, 5]}})
pod = spec["template"]["spec"]
keys(pod, ["restartPolicy", "terminationGracePeriodSeconds", "containers", "volumes"])
equal(pod["restartPolicy"], "Never")  # podFailurePolicy asks for it
(container,) = pod["containers"]
keys(container, ["name", "image", "args", "env", "resources", "securityContext", "volumeMounts"])
equal(container["image"], "lab/sdxl:1")
equal(container["args"], ["resume", "--share", "--instance", "$(POD_NAME)", run])
env = {e["name"]: e for e in container["env"]}
equal(env["POD_NAME"]["valueFrom"], {"fieldRef": {"fieldPath": "metadata.name"}})
equal(env["HF_HOME"]["value"], "/models")
equal(container["resources"], {"limits": {"nvidia.com/gpu": 2}})
security = container["securityContext"]
equal(security, {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True,
                 "capabilities": {"drop": ["ALL"]}})
mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
equal(mounts, {"volume-0": work, "volume-1": "/models", "scratch": "/tmp"})
volumes = {v["name"]: v for v in pod["volumes"]}
equal(volumes["volume-0"]["persistentVolumeClaim"], {"claimName": "pictures"})
equal(volumes["volume-1"]["persistentVolumeClaim"], {"claimName": "models"})
equal(volumes["scratch"]["emptyDir"], {})
END
    [ $? -eq 0 ] && ok "each field of the manifest" || { bad "the manifest"; tail -1 fields; }
fi
expect "no GPU" 0 "" "$bin" generate "${request[@]}" --print --gres none --volume "p:$work" --output-dir cpu
check "is asked for then" eval '! grep -q nvidia out'
# Two pods do what the manifest says.
for i in 0 1; do "$bin" resume --share --instance "pod-$i" "$run" >"pod$i" 2>&1 & done
wait
check "all drawn, once" [ "$(find "$run" -name '2*.png' | wc -l)" -eq 4 ]
check "and collected" [ ! -e "$run/.claims" ]
expect "a run that is there" 2 "every picture is there" \
    "$bin" resume --on kubernetes --print --volume "pictures:$work" "$run"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
