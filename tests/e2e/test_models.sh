#!/bin/bash
# test_models.sh BINARY SOURCE - sdxl-lab models: what it tells of a cache, and what it refuses. Prints
# "N passed, N failed".
set -u
bin=$(realpath "$1")
source=$(realpath "$2")
. "$source/tests/e2e/common.sh"
. "$source/tests/e2e/cache.sh"
export HF_HUB_CACHE=$work/hub
base=stabilityai/stable-diffusion-xl-base-1.0
make_base() {
    rm -rf hub
    cp -r "$source/tests/data/models/repo" repo
    cache_repository hub $base repo
    snapshot=hub/models--stabilityai--stable-diffusion-xl-base-1.0/snapshots/$commit
}

# --- verify ---
make_base
expect "verify: what is whole is the same" 0 "SDXL Base 1.0: 18 files, 999 kB: same" "$bin" models verify "SDXL Base 1.0"
expect "verify: by repository" 0 "same" "$bin" models verify $base
expect "verify: all there is" 0 "SDXL Base 1.0: 18 files" "$bin" models verify --all
check "verify: and the embedded model" grep -q "Lab Tiny XL: .* headers are whole" out
expect "verify: as a document" 0 '"same": true' "$bin" models verify $base --json
expect "verify: none is named" 2 "or --all" "$bin" models verify
expect "verify: a slip is told" 2 'did you mean "SDXL Turbo"' "$bin" models verify "SDXL Turob"
expect "verify: what is not there" 5 "not in the Hugging Face cache" "$bin" models verify "SDXL Turbo"
unet=$snapshot/unet/diffusion_pytorch_model.safetensors
blob=$(readlink -f "$unet")
printf x | dd of="$blob" bs=1 seek=300000 conv=notrunc 2>/dev/null
expect "verify: other content is told with its digest" 5 "unet/diffusion_pytorch_model.safetensors: the content is not what the blob is called by: found $(blob_name "$unet"), expected $(basename "$blob"); remove $blob, then: sdxl-lab models download 'SDXL Base 1.0'" "$bin" models verify $base
check "verify: and counted" grep -q "1 of 18 files is not what it should be" err
expect "verify: in the document, too" 5 "\"found\": \"$(blob_name "$unet")\"" "$bin" models verify $base --json
make_base
config=$snapshot/unet/config.json
cp "$config" moved && rm "$(readlink -f "$config")"
expect "verify: a dangling link" 5 "unet/config.json: the link leads to nothing; fetch it with: sdxl-lab models download 'SDXL Base 1.0'" "$bin" models verify $base
rm "$config" && ln -s "$work/moved" "$config"
expect "verify: a link that leaves the cache" 5 "unet/config.json: the link leads out of the cache, to $work/moved" "$bin" models verify $base
make_base
chmod -R a-w hub
expect "verify: a cache that is read-only" 0 "same" "$bin" models verify $base
chmod -R u+w hub
mkdir elsewhere && mv "hub/models--stabilityai--stable-diffusion-xl-base-1.0" elsewhere/
ln -s "$work/elsewhere/models--stabilityai--stable-diffusion-xl-base-1.0" hub/
expect "verify: a repository that was moved to another disk" 0 "same" "$bin" models verify $base
cp -r "$source/tests/data/models/repo" plain
expect "verify: a folder has no digests" 0 "headers are whole" "$bin" models verify ./plain
truncate -s 100000 plain/vae/diffusion_pytorch_model.safetensors
expect "verify: but headers" 5 "vae/diffusion_pytorch_model.safetensors: truncated" "$bin" models verify ./plain
expect "verify: one file" 0 "model.safetensors: 1 file" "$bin" models verify plain/text_encoder/model.safetensors

# --- show ---
make_base
expect "show: a model of the list" 0 "an SDXL pipeline" "$bin" models show "SDXL Base 1.0"
for line in "repository   $base" "commit       $commit" "state        ready" "licence      openrail++, commercial use: yes" \
    "own size " "scheduler    EulerDiscreteScheduler" "unet         F" " of weights and .* of work for a picture" \
    "[0-9] kB  $(blob_name "$snapshot/unet/diffusion_pytorch_model.safetensors" | cut -c1-12)  unet/diffusion_pytorch_model.safetensors"; do
    check "show: $line" grep -q "$line" out
done
expect "show: as a document" 0 '"precision": "F' "$bin" models show $base --json
check "show: what drawing takes" grep -q '"work_bytes": [1-9]' out
expect "show: a LoRA" 0 "a LoRA for SDXL" "$bin" models show "$source/models/lab-tiny-loras/turbo.safetensors"
check "show: its kind" grep -q "written as   PEFT, LoCon" out
check "show: its rank" grep -q "rank         16" out
expect "show: a LoRA's file as a document" 0 '"rank": 16' "$bin" models show "$source/models/lab-tiny-loras/turbo.safetensors" --json
expect "show: what is no model" 0 "a VAE" "$bin" models show "$snapshot/vae/diffusion_pytorch_model.safetensors"
check "show: and what takes it" grep -q "use with     --vae" out
printf '\200\002}' >m.ckpt
expect "show: a pickle is not read" 5 "can run code and are never read" "$bin" models show m.ckpt
safetensors() { # FILE HEADER BYTES
    printf "\\$(printf %03o $((${#2} & 255)))\\$(printf %03o $((${#2} >> 8)))\\0\\0\\0\\0\\0\\0%s" "$2" >"$1"
    truncate -s +"$3" "$1"
}
flux='{"__metadata__":{"modelspec.title":"Glow"},"double_blocks.0.img_attn.qkv.weight":{"dtype":"F16","shape":[9,3],"data_offsets":[0,54]}}'
safetensors flux.safetensors "$flux" 54
expect "show: what cannot be drawn with is named" 0 "a Flux model" "$bin" models show flux.safetensors
check "show: with its title" grep -q "title        Glow" out
check "show: and what is needed" grep -q "needs        sdxl-lab draws with SDXL only" out
lora='{"__metadata__":{"ss_network_alpha":"4","modelspec.trigger_phrase":"pxl","ss_tag_frequency":"{\"a\":{\"cat\":3,\" dog\":9}}"},"lora_unet_up_blocks_0_attentions_0_proj_in.lora_down.weight":{"dtype":"F16","shape":[2,24],"data_offsets":[0,96]},"lora_unet_up_blocks_0_attentions_0_proj_in.lora_up.weight":{"dtype":"F16","shape":[24,2],"data_offsets":[96,192]}}'
mkdir lora && safetensors lora/pixel-art-xl.safetensors "$lora" 192
cache_repository hub nerijs/pixel-art-xl lora
expect "show: a LoRA of the list" 0 "state        ready" "$bin" models show "Pixel Art XL"
for line in "base         SDXL Base 1.0" "root file    pixel-art-xl.safetensors: a LoRA for SDXL, F16, [0-9]* bytes" "rank         2, alpha 4" "trigger      pxl" "words        dog, cat"; do
    check "show: $line" grep -q "$line" out
done
expect "list: a LoRA is ready where its base is" 0 "Pixel Art XL" "$bin" models list
check "list: and its kind is told" grep -q "^Pixel Art XL  *nerijs/pixel-art-xl  *lora .*ready" out
mkdir other && safetensors other/style.safetensors "$lora" 192
cache_repository hub me/style other
"$bin" models list >out
check "list: LoRAs of the cache come last" sh -c "tail -1 out | grep -q '^me/style .*lora .*ready'"

# --- doctor ---
rm -rf hub && make_base
expect "doctor: something is missing" 5 "sdxl-lab models download 'SDXL Turbo'" "$bin" models doctor
check "doctor: what is there is ready" grep -q "^SDXL Base 1.0  *ready  *pipeline" out
check "doctor: no command for it" sh -c "! grep -q \"download 'SDXL Base\" out"
check "doctor: the embedded model" grep -q "^Lab Tiny XL  *ready" out
check "doctor: and its LoRA, which lies in a folder of LoRAs" grep -q "^Lab Tiny XL Turbo  *ready" out
check "doctor: GPUs, or why there is none" sh -c "grep -A1 '^GPUs' out | grep -qE '  (none: .*(CUDA|GPU|driver)|cuda:0: )'"
check "doctor: where the cache is" grep -q "$work/hub: 1 repository, .* free" out
check "doctor: models that cannot be drawn with are counted" grep -q "of [0-9]* models cannot be drawn with" err
expect "doctor: as a document" 5 '"command": "sdxl-lab models download '"'SDXL Turbo'"'"' "$bin" models doctor --json
check "doctor: with what a picture takes" grep -q '"work_bytes": [1-9]' out
mkdir -p config/sdxl-lab
keys=$("$bin" models list --json | sed -n 's/^ *"key": "\(.*\)",$/\1/p' | grep -v "SDXL Base 1.0")
echo "$keys" | sed 's/$/: null/' >config/sdxl-lab/models.yaml
export XDG_CONFIG_HOME=$work/config
expect "doctor: all of one's own list is there" 0 "SDXL Base 1.0" "$bin" models doctor
expect "doctor: every byte" 0 "ready, verified" "$bin" models doctor --deep
printf x | dd of="$(readlink -f "$snapshot/vae/diffusion_pytorch_model.safetensors")" bs=1 seek=100000 conv=notrunc 2>/dev/null
expect "doctor: a byte that is wrong passes" 0 "ready" "$bin" models doctor
expect "doctor: but not all of them" 5 "vae/diffusion_pytorch_model.safetensors: the content is not what the blob is called by" "$bin" models doctor --deep
printf 12345 >"hub/models--stabilityai--stable-diffusion-xl-base-1.0/blobs/aa.incomplete"
expect "doctor: a download that was interrupted" 0 "$base: " "$bin" models doctor
check "doctor: and where" grep -q "blobs/aa.incomplete" out
rm "hub/models--stabilityai--stable-diffusion-xl-base-1.0/blobs/aa.incomplete"
rm "$(readlink -f "$snapshot/unet/config.json")"
expect "doctor: a dangling link" 5 "unet/config.json: the link leads to nothing" "$bin" models doctor
check "doctor: and what mends it" grep -q "sdxl-lab models download 'SDXL Base 1.0'" out
make_base
mkdir flux && safetensors flux/flux1.safetensors "$flux" 54
cache_repository hub black/flux flux
expect "doctor: what is no use is named" 0 "black/flux: a Flux model; sdxl-lab draws with SDXL only" "$bin" models doctor
expect "doctor: a variable that leads nowhere" 5 "HF_HOME is $work/nowhere, which is not there" env -u HF_HUB_CACHE HF_HOME="$work/nowhere" "$bin" models doctor
mkdir -p empty
expect "doctor: a home without a hub" 5 "HF_HOME is $work/empty, which has no folder hub" env -u HF_HUB_CACHE HF_HOME="$work/empty" "$bin" models doctor
mkdir home && mv hub home/
expect "doctor: the home where the hub should be" 5 "HF_HUB_CACHE is $work/home, but the repositories lie in $work/home/hub" env HF_HUB_CACHE="$work/home" "$bin" models doctor
chmod -R a-w home
expect "doctor: a cache that is read-only is fine" 0 "SDXL Base 1.0  ready" env HF_HUB_CACHE="$work/home/hub" "$bin" models doctor
chmod -R u+w home
unset XDG_CONFIG_HOME

# --- add ---
own=$work/.config/sdxl-lab/models.yaml
export HF_HUB_CACHE=$work/home/hub
cp -r "$source/tests/data/models/repo" "my model"
expect "add: a folder" 0 "added my model (an SDXL pipeline) to $own" "$bin" models add "./my model"
check "add: it is in the list" sh -c "'$bin' models list | grep -q '^my model .*pipeline .*ready'"
printf '# mine\nA: {repo: a/b} # two' >"$own"
expect "add: with a name" 0 "added B: \"x\"" "$bin" models add "./my model" --name 'B: "x"'
check "add: what was there stays" bash -c "head -2 '$own' | cmp - <(printf '# mine\nA: {repo: a/b} # two\n')"
check "add: comments too" grep -q '^A: {repo: a/b} # two$' "$own"
check "add: and the entry is found" sh -c "'$bin' models list --json | grep -q '\"key\": \"B: '"
expect "add: a name that is taken" 2 "is taken, by A ($own); give another with --name" "$bin" models add "./my model" --name a
expect "add: what is in the list" 2 'is in the list already, as "SDXL Base 1.0"' "$bin" models add $base
expect "add: a name that is none" 2 "is no name" "$bin" models add "./my model" --name ' x'
expect "add: a LoRA" 0 "added glass (a LoRA for SDXL)" sh -c "mkdir -p l && cp '$source/models/lab-tiny-loras/stained-glass.safetensors' l/glass.safetensors && '$bin' models add l/glass.safetensors"
check "add: with its base" grep -q 'base: "SDXL Base 1.0"' "$own"
expect "add: what cannot be drawn with" 5 "this is a Flux model: sdxl-lab draws with SDXL only" "$bin" models add flux.safetensors
expect "add: what is no model" 5 "a VAE, no model: give it with --vae" "$bin" models add "my model/vae/diffusion_pytorch_model.safetensors"
expect "add: a repository that is no use" 5 "black/flux: this is a Flux model" "$bin" models add black/flux
expect "add: a pickle" 5 "can run code and are never read" "$bin" models add m.ckpt
printf '{A: {repo: a/b}}\n' >"$own"
expect "add: a file that cannot be extended" 2 "write the entry into it yourself" "$bin" models add "./my model"
check "add: stays as it is" grep -qx '{A: {repo: a/b}}' "$own"
rm "$own" && mkdir dots && echo "# dots" >dots/models.yaml && ln -s "$work/dots/models.yaml" "$own"
expect "add: a file behind a link" 0 "added" "$bin" models add "./my model"
check "add: the link stays" test -L "$own"
check "add: and the file has it" grep -q "my model" dots/models.yaml

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
