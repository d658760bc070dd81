#!/bin/bash
# test_single_file.sh BINARY RANDOM_REPO - a model that is one file in the original key names: the same
# weights as a folder draw the same pixels, by path, from the cache and as another model's VAE; looked at,
# verified, traced. Prints a line per check and "N passed, N failed".
set -u
bin=$(realpath "$1")
random_repo=$(realpath "$2")
. "$(dirname "$0")/common.sh"
draw() { # DIR MODEL [OPTION...]
    local dir=$1 model=$2
    shift 2
    "$bin" generate --model "$model" --prompt "A fox, 35mm" --negative "a dog" --width 64 --height 64 --steps 2 \
        --seed 3 --dtype f32 --output-dir "$dir" "$@"
}

check "a folder" "$random_repo" --size words folder
check "a file of the same weights" "$random_repo" --size words --single-file file.safetensors
check "other weights" "$random_repo" --size words --seed 7 --single-file other.safetensors
expect "the folder draws" 0 "" draw a folder
expect "the file draws" 0 "" draw b file.safetensors
check "the same pixels" same "$(one a)" "$(one b)"
expect "other weights draw" 0 "" draw c "$work/other.safetensors"
check "other pixels" differ "$(one a)" "$(one c)"

# LoRAs, by the names of either kind of file: each on both.
python3 - folder/unet/diffusion_pytorch_model.safetensors <<'END'
import json, struct, sys
file = open(sys.argv[1], "rb")
header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
to_q = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
n_out, n_in = header[to_q + ".weight"]["shape"]
original = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q"
for name, down, up in ("peft", f"unet.{to_q}.lora_A.weight", f"unet.{to_q}.lora_B.weight"), \
        ("kohya", original + ".lora_down.weight", original + ".lora_up.weight"):
    out, body = {}, b""
    for key, shape in (down, [1, n_in]), (up, [n_out, 1]):
        n = shape[0] * shape[1]
        out[key] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + 4 * n]}
        body += struct.pack(f"<{n}f", *((i * 7 % 11 - 5) / 5 for i in range(n)))
    text = json.dumps(out).encode()
    open(name + ".safetensors", "wb").write(struct.pack("<Q", len(text)) + text + body)
END
expect "a LoRA on the folder" 0 "" draw folder-lora folder --lora ./peft.safetensors:0.5
check "changes the pixels" differ "$(one a)" "$(one folder-lora)"
for name in peft kohya; do
    expect "a LoRA of $name on the file" 0 "" draw file-$name file.safetensors --lora ./$name.safetensors:0.5
    check "the same pixels with it" same "$(one folder-lora)" "$(one file-$name)"
done

# In the cache: as the repository, and by its name in it.
commit=0123456789012345678901234567890123456789
repository=.cache/huggingface/hub/models--org--single
mkdir -p $repository/refs $repository/snapshots/$commit $repository/blobs
printf %s $commit >$repository/refs/main
digest=$(sha256sum file.safetensors | cut -c1-64)
cp file.safetensors $repository/blobs/$digest
ln -s ../../blobs/$digest $repository/snapshots/$commit/model.safetensors
expect "a repository" 0 "" draw d org/single
check "the same pixels from it" same "$(one a)" "$(one d)"
expect "a file of a repository" 0 "" draw e org/single:model.safetensors
check "the same pixels by its name" same "$(one a)" "$(one e)"
expect "its record has the blob's digest" 0 "$digest" "$bin" show --json "$(one e)"
expect "verify draws it again" 0 "same" "$bin" verify "$(one e)"
expect "inspect model" 0 "\"folder\"" "$bin" inspect model --model org/single --json
expect "all components have the one file" 0 "" "$bin" inspect model --model org/single
check "four times" [ "$(grep -c 'model.safetensors$' out)" = 4 ]
expect "CLIP's own tokenizer" 0 "3240" "$bin" inspect tokens --model file.safetensors --prompt "a fox"
expect "SDXL's scheduler" 0 "EulerDiscreteScheduler" "$bin" inspect schedule --model file.safetensors --steps 5

# Another VAE
expect "a checkpoint's VAE" 0 "" draw f folder --vae other.safetensors
check "changes the pixels" differ "$(one a)" "$(one f)"
expect "one's own as a file" 0 "" draw g folder --vae file.safetensors
check "changes none" same "$(one a)" "$(one g)"
expect "what was assumed is said" 0 "has no config.json" draw h folder --vae other.safetensors
expect "a folder's VAE" 0 "" draw i other.safetensors --vae folder
check "is the one of the same weights" differ "$(one c)" "$(one i)"
expect "a VAE file with diffusers' names" 0 "" draw j other.safetensors \
    --vae folder/vae/diffusion_pytorch_model.safetensors
check "the same pixels as by its folder" same "$(one i)" "$(one j)"

# Marks: a file that says how it was trained draws what the same weights do as a folder whose scheduler says it
marked() { # FILE NAME=NUMBERS...: with tensors of these names; no numbers: an empty one
    python3 - "$@" <<'END'
import json, struct, sys
file = open(sys.argv[1], "rb").read()
n = 8 + struct.unpack("<Q", file[:8])[0]
header, data = json.loads(file[8:n]), file[n:]
for mark in sys.argv[2:]:
    name, numbers = mark.split("=")
    numbers = [float(number) for number in numbers.split(",") if number]
    shape = [1, 4, 1, 1] if len(numbers) == 4 else [] if numbers else [0]
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * len(numbers)]}
    data += struct.pack(f"<{len(numbers)}f", *numbers)
text = json.dumps(header).encode()
sys.stdout.buffer.write(struct.pack("<Q", len(text)) + text + data)
END
}
scheduled() { # FOLDER SCHEDULER VAE: the folder with members of its scheduler and of its VAE
    cp -r folder "$1"
    python3 - "$@" <<'END'
import json, sys
folder, *members = sys.argv[1:]
for file, member in zip(("scheduler/scheduler_config.json", "vae/config.json"), members):
    with open(f"{folder}/{file}") as text:
        config = json.load(text)
    member = json.loads(member)
    if "_class_name" in member and "scheduler" in file:
        config = {}
        with open(f"{folder}/model_index.json") as text:
            index = json.load(text)
        index["scheduler"][1] = member["_class_name"]
        with open(f"{folder}/model_index.json", "w") as text:
            json.dump(index, text)
    with open(f"{folder}/{file}", "w") as text:
        json.dump({**config, **member}, text)
END
}
marks() { # NAME SCHEDULER VAE MARK...
    local name=$1 scheduler=$2 vae=$3
    shift 3
    marked file.safetensors "$@" >"$name.safetensors"
    scheduled "as-$name" "$scheduler" "$vae"
    expect "marks: $name" 0 "" draw "m-$name" "$name.safetensors" --scheduler default
    expect "marks: $name as a folder" 0 "" draw "f-$name" "./as-$name" --scheduler default
    check "marks: $name: the same pixels" same "$(one "m-$name")" "$(one "f-$name")"
    check "marks: $name: others than without" differ "$(one "m-$name")" "$(one a)"
}
marks v '{"prediction_type": "v_prediction"}' '{}' v_pred=
marks ztsnr '{"prediction_type": "v_prediction", "rescale_betas_zero_snr": true, "timestep_spacing": "trailing"}' '{}' v_pred= ztsnr=
cosxl='"_class_name": "EDMEulerScheduler", "prediction_type": "v_prediction", "sigma_data": 1.0, "sigma_min": 0.002'
marks cosxl "{$cosxl, \"sigma_max\": 120.0}" '{}' edm_vpred.sigma_max=120 edm_vpred.sigma_min=0.002
marks cosxl-80 "{$cosxl, \"sigma_max\": 80.0}" '{}' edm_vpred.sigma_max=80
marks playground '{"_class_name": "EDMDPMSolverMultistepScheduler", "sigma_max": 80.0, "sigma_min": 0.002, "sigma_data": 0.5}' \
    '{"scaling_factor": 0.5, "latents_mean": [0.5, -1.0, 0.25, 2.0], "latents_std": [1.0, 2.0, 1.5, 3.0]}' \
    edm_mean=0.5,-1,0.25,2 edm_std=1,2,1.5,3
check "marks: CosXL's other end is another picture" differ "$(one m-cosxl)" "$(one m-cosxl-80)"
expect "marks: in its record" 0 '"prediction_type": "v_prediction"' "$bin" show --json "$(one m-cosxl)"
expect "marks: its steps begin at sigma 120" 0 "120.000000" "$bin" inspect schedule --model cosxl.safetensors --steps 3
marked file.safetensors edm_vpred.sigma_max=-3 >wrong.safetensors
expect "marks: a number that is none" 5 'wrong.safetensors: "edm_vpred.sigma_max" is -3, expected a number above 0' draw x wrong.safetensors
rm wrong.safetensors

# Without a VAE of its own
without_vae() { # FILE: a checkpoint without its VAE
    python3 - "$1" <<'END'
import json, struct, sys
file = open(sys.argv[1], "rb").read()
n = 8 + struct.unpack("<Q", file[:8])[0]
header, data = {}, b""
for name, tensor in json.loads(file[8:n]).items():
    if name == "__metadata__" or name.startswith("first_stage_model."):
        continue
    begin, end = tensor["data_offsets"]
    header[name] = {**tensor, "data_offsets": [len(data), len(data) + end - begin]}
    data += file[n + begin:n + end]
text = json.dumps(header).encode()
sys.stdout.buffer.write(struct.pack("<Q", len(text)) + text + data)
END
}
without_vae file.safetensors >bare.safetensors
own=folder/vae/diffusion_pytorch_model.safetensors
expect "a file without a VAE" 5 "an SDXL checkpoint without a VAE: give it a VAE with --vae" draw x bare.safetensors
expect "with one" 0 "" draw l bare.safetensors --vae $own
check "draws what it does with its own" same "$(one a)" "$(one l)"
expect "its record names that" 0 '"vae": "diffusion_pytorch_model"' "$bin" show --json "$(one l)"
check "and its digest" grep -qF "$(sha256sum <$own | cut -c1-64)" out
expect "verify" 0 "same" "$bin" verify "$(one l)"
cp $own byte.safetensors
printf x | dd of=byte.safetensors bs=1 seek=$(($(stat -c %s $own) / 2)) conv=notrunc 2>/dev/null
expect "a VAE with another byte in its middle" 0 "" draw q bare.safetensors --vae byte.safetensors
check "is another one" sh -c "'$bin' show --json q/*.png | grep -qF $(sha256sum <byte.safetensors | cut -c1-64)"
expect "two of them" 0 "2 drawn, of 2" draw m bare.safetensors --sweep "vae=$own,other.safetensors"
expect "verify both" 0 "same 2" "$bin" verify m/sweep_*
expect "one of them being its own" 5 "without a VAE" draw x bare.safetensors --sweep "vae=$own,none"
rm m/sweep_*/2*other*.png
expect "resume" 0 "1 drawn, 1 was there" "$bin" resume m/sweep_*
expect "show names it" 0 "an SDXL checkpoint without a VAE" "$bin" models show bare.safetensors
check "and what it takes" grep -q "use with     --model and --vae" out
expect "inspect refuses it" 5 "give it a VAE with --vae" "$bin" inspect model --model bare.safetensors
expect "and takes it with one" 0 "$own" "$bin" inspect model --model bare.safetensors --vae $own
expect "its tokens need none" 0 "3240" "$bin" inspect tokens --model bare.safetensors --prompt "a fox"
mkdir -p .config/sdxl-lab
echo "Bare: {folder: $work, file: bare.safetensors, kind: single-file}" >.config/sdxl-lab/models.yaml
expect "in the list" 5 "Bare: $work/bare.safetensors: this is an SDXL checkpoint without a VAE" draw x Bare
expect "with one by its name" 0 "" draw n Bare --vae $own
check "the same pixels by its name" same "$(one a)" "$(one n)"
expect "models doctor tells what it lacks" 5 "this is an SDXL checkpoint without a VAE: give it a VAE with --vae" "$bin" models doctor
check "and so does models show" sh -c "'$bin' models show Bare | grep -q 'state        unusable'"
rm .config/sdxl-lab/models.yaml
cp -r folder half && rm -r half/vae
expect "a folder without a VAE" 5 "vae/diffusion_pytorch_model.safetensors (missing) (in $work/half); or give it a VAE with --vae" draw x ./half
expect "a folder with another" 0 "" draw o ./half --vae $own
check "the same pixels as with its own" same "$(one a)" "$(one o)"
sed -i '/"vae"/,/]/ s/"[a-zA-Z]*"\(,\?\)$/null\1/' half/model_index.json
expect "a pipeline without one" 5 "has no VAE ($work/half/model_index.json): give it a VAE with --vae" draw x ./half
expect "models show tells it" 0 "has no VAE" "$bin" models show ./half
expect "a pipeline with another" 0 "" draw p ./half --vae $own
check "the same pixels once more" same "$(one a)" "$(one p)"

# What is no checkpoint
cp file.safetensors cut.safetensors
truncate -s 300000 cut.safetensors
expect "a file that is cut" 5 "truncated" draw x cut.safetensors
printf 'x' >model.ckpt
expect "a pickle" 5 "safe_serialization=True" draw x model.ckpt
expect "a lone component" 5 "an SDXL UNet alone" draw x folder/unet/diffusion_pytorch_model.safetensors
expect "a file that is not there" 5 "there is no such file" draw x absent.safetensors
ln -s ../../blobs/absent $repository/snapshots/$commit/half.safetensors
expect "half a download beside it is no matter" 0 "" draw k org/single
rm $repository/snapshots/$commit/model.safetensors
expect "half a download alone" 5 "half-downloaded" draw x org/single
expect "a repository that is not there" 5 'models download org/none:a.safetensors"' draw x org/none:a.safetensors
expect "no file of that name" 5 "models download org/single:none.safetensors" draw x org/single:none.safetensors

# Looking at a file reads its header and no more: it is as long as a whole one, its numbers are holes.
bytes_read() { awk '/pread64|read\(/ && $NF > 0 { sum += $NF } END { print int(sum / 1000000) }' trace; } # MB
check "a checkpoint of SDXL's size" "$random_repo" --size full --sparse --single-file full.safetensors
echo "Full: {folder: $work, file: full.safetensors, kind: single-file}" >.config/sdxl-lab/models.yaml
if ! is_sanitized && strace -f -o trace true 2>/dev/null; then
    expect "is opened" 0 "ready, 6.9 GB" strace -f -o trace -e trace=pread64,read,execve,connect "$bin" models list
    check "reading less than 10 MB ($(bytes_read))" [ "$(bytes_read)" -lt 10 ]
    check "running nothing" [ "$(grep -c execve trace)" = 1 ]
    check "connecting to no host" [ "$(grep -c AF_INET trace)" = 0 ]
    for option in lora embedding; do
        expect "no $option" 5 "this is an SDXL checkpoint, expected" strace -f -o trace -e trace=pread64,read \
            "$bin" generate --model folder --prompt "a fox" --$option "$work/full.safetensors" --output-dir x
        check "told by its header ($(bytes_read) MB)" [ "$(bytes_read)" -lt 100 ]
    done
else
    echo "skip strace: not here, may not trace, or may not trace a sanitizer"
    expect "is opened" 0 "ready, 6.9 GB" "$bin" models list
    expect "no lora" 5 "this is an SDXL checkpoint, expected" draw x folder --lora "$work/full.safetensors"
    expect "no embedding" 5 "this is an SDXL checkpoint, expected" draw x folder --embedding "$work/full.safetensors"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
