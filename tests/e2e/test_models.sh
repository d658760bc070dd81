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

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
