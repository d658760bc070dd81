#!/bin/bash
# test_missing.sh BINARY RANDOM_REPO - a cached model of which something is missing, damaged or in the wrong
# place: every file that the lab needs in turn, and all that a cut download, a moved disk or a full one leaves.
# Prints a line per check and "N passed, N failed".
set -u
bin=$(realpath "$1")
random_repo=$(realpath "$2")
tests=$(realpath "$(dirname "$0")")
. "$tests/common.sh"
export HF_HUB_CACHE=$work/cache/hub
commit=0123456789012345678901234567890123456789
"$tests/make_layouts.py" "$random_repo" cache >out 2>err || { bad "the repositories"; exit 1; }
snapshot_of() { echo "$HF_HUB_CACHE/models--${1//\//--}/snapshots/$commit"; } # ID
draw() { # MODEL [OPTION...]
    local model=$1
    shift
    "$bin" generate --model "$model" --prompt "a fox" --width 64 --height 64 --steps 1 --seed 3 --output-dir drawn "$@"
}
# told FILE WHY ID: err is one line that names the repository, the file with what is wrong, and the command
told() { [ "$(wc -l <err)" = 1 ] && grep -qF "$3" err && grep -qF "$1 ($2" err && grep -qF "sdxl-lab models download $3\"" err; }
# without ID KEY FILE: KEY refuses to draw without FILE of ID, and with a link of it that leads to nothing
without() {
    local id=$1 key=$2 file=$3 path blob
    path=$(snapshot_of "$1")/$file
    blob=$(readlink "$path")
    rm "$path"
    draw "$key" >out 2>err
    [ $? = 5 ] && told "$file" missing "$id"
    check "$key without $file" test $? = 0
    ln -s ../blobs/none "$path"
    draw "$key" >out 2>err
    [ $? = 5 ] && told "$file" "half-downloaded: the link leads to nothing" "$id"
    check "$key with half of it" test $? = 0
    rm "$path" && ln -s "$blob" "$path"
}

# --- Every file in turn ---------------------------------------------------------------------------------
id=cagliostrolab/animagine-xl-4.0
for file in model_index.json scheduler/scheduler_config.json {tokenizer,tokenizer_2}/{vocab.json,merges.txt} \
    {unet,vae,text_encoder,text_encoder_2}/config.json {unet,vae}/diffusion_pytorch_model.safetensors \
    {text_encoder,text_encoder_2}/model.safetensors; do
    without $id "Animagine XL 4.0" $file
done
# Shards: each of them and their index, where no variant is there instead.
id=SG161222/RealVisXL_V5.0
rm "$(snapshot_of $id)/unet/diffusion_pytorch_model.fp16.safetensors"
for file in unet/diffusion_pytorch_model-0000{1,2}-of-00002.safetensors unet/diffusion_pytorch_model.safetensors.index.json; do
    without $id "RealVis XL V5.0" $file
done
id=AiAF/epicrealismXL-vx1Finalkiss_Checkpoint_SDXL
epic=$(snapshot_of $id)/epicrealismXL_vx1Finalkiss.safetensors
mv "$epic" kept
expect "one file: missing" 5 "model_index.json (missing, and no checkpoint is there instead); download the rest with \"sdxl-lab models download $id\"" \
    draw "EpicRealism XL"
ln -s ../../blobs/none "$epic"
expect "half of it" 5 "epicrealismXL_vx1Finalkiss.safetensors (half-downloaded: the link leads to nothing); download the rest with \"sdxl-lab models download $id\"" \
    draw "EpicRealism XL"
rm "$epic" && mv kept "$epic"
without nerijs/pixel-art-xl "Pixel Art XL" pixel-art-xl.safetensors
without stabilityai/stable-diffusion-xl-base-1.0 "Pixel Art XL" scheduler/scheduler_config.json
# A tokenizer says twice what its special tokens are: either file will do.
animagine=$(snapshot_of cagliostrolab/animagine-xl-4.0)
expect "whole" 0 "" draw "Animagine XL 4.0"
cp "$(one drawn)" whole.png
for file in {tokenizer,tokenizer_2}/{special_tokens_map,tokenizer_config}.json; do
    rm -rf drawn && mv "$animagine/$file" kept
    expect "without $file" 0 "" draw "Animagine XL 4.0"
    check "the same picture" same "$(one drawn)" whole.png
    mv kept "$animagine/$file"
done
mkdir -p "$animagine/../../trees"
echo '{"files": {"tokenizer/special_tokens_map.json": {}}}' >"$animagine/../../trees/$commit.json"
mv "$animagine/tokenizer/special_tokens_map.json" kept
expect "but where the list of the commit has it" 5 "tokenizer/special_tokens_map.json (missing)" draw "Animagine XL 4.0"
mv kept "$animagine/tokenizer/special_tokens_map.json"

# --- Variants -------------------------------------------------------------------------------------------
turbo=$(snapshot_of stabilityai/sdxl-turbo)
rm "$turbo/unet/diffusion_pytorch_model.fp16.safetensors"
expect "a variant that is not needed" 0 "" draw "SDXL Turbo"
rm "$turbo/unet/diffusion_pytorch_model.safetensors"
expect "neither of two" 5 "unet/diffusion_pytorch_model.safetensors (missing)" draw "SDXL Turbo"
find "$turbo" -name 'model.safetensors' -delete -o -name 'diffusion_pytorch_model.safetensors' -delete
expect "the missing part is called as the others are" 5 "unet/diffusion_pytorch_model.fp16.safetensors (missing)" draw "SDXL Turbo"
find "$turbo" -name '*.safetensors' -path '*/*_*/*' -delete
expect "all of them" 5 "(missing), text_encoder/" draw "SDXL Turbo"
printf 12345 >"$turbo/../../blobs/0123.incomplete"
expect "what a cut download left is counted" 5 "1 interrupted download;" draw "SDXL Turbo"
expect "and shown by the doctor" 5 "stabilityai/sdxl-turbo: " "$bin" models doctor
juggernaut=$(snapshot_of stablediffusionapi/juggernautxl)
index=$juggernaut/unet/diffusion_pytorch_model.safetensors.index.json
rm "$juggernaut/unet/diffusion_pytorch_model.safetensors"
cp "$index" index && rm "$index"
sed 's/-00002-of-/-00003-of-/' index >"$index"
expect "an index that names an absent shard" 5 "unet/diffusion_pytorch_model-00003-of-00002.safetensors (missing)" draw "Juggernaut XL"
sed 's|"diffusion_pytorch_model-00002|"../vae/diffusion_pytorch_model-00002|' index >"$index"
expect "one that leads out of its folder" 5 "not a safetensors file of its folder" draw "Juggernaut XL"
echo '{"weight_map": {"conv_in.weight": "diffusion_pytorch_model-00002-of-00002.safetensors"}}' >"$index"
expect "one that names another place" 5 'does not hold tensor "conv_in.weight", which the index puts there' draw "Juggernaut XL"
echo '{"weight_map": ' >"$index"
expect "one that is cut" 5 "diffusion_pytorch_model.safetensors.index.json (" draw "Juggernaut XL"

# --- Links and blobs ------------------------------------------------------------------------------------
id=John6666/cyberrealistic-xl-v58-sdxl
cyber=$(snapshot_of $id) vae=$(snapshot_of $id)/vae/diffusion_pytorch_model.safetensors
blob=$(readlink -f "$vae")
mv "$blob" elsewhere && rm "$vae" && ln -s "$work/elsewhere" "$vae"
expect "a link that leaves the cache is followed" 0 "" draw "CyberRealistic XL v5.8"
expect "but told" 5 "vae/diffusion_pytorch_model.safetensors: the link leads out of the cache, to $work/elsewhere" \
    "$bin" models verify "CyberRealistic XL v5.8"
rm "$vae" && ln -s "../../../blobs/${blob##*/}" "$vae" && cp elsewhere "$blob"
printf x | dd of="$blob" bs=1 seek=1000000 conv=notrunc 2>/dev/null
expect "a blob of another content" 5 "remove $blob, then: sdxl-lab models download 'CyberRealistic XL v5.8'" \
    "$bin" models verify "CyberRealistic XL v5.8"
truncate -s 1000000 "$blob"
expect "a blob that is cut" 5 "vae/diffusion_pytorch_model.safetensors (truncated" draw "CyberRealistic XL v5.8"
check "and what says which" grep -qF "\"sdxl-lab models verify $id\" says what to remove" err
: >"$blob"
expect "an empty one" 5 "vae/diffusion_pytorch_model.safetensors (empty)" draw "CyberRealistic XL v5.8"
cp elsewhere "$blob"
expect "whole again" 0 "same" "$bin" models verify "CyberRealistic XL v5.8"
chmod 0 "$cyber/vae/config.json" && [ "$(id -u)" != 0 ] &&
    expect "no right to read" 5 "vae/config.json (not readable for this user)" draw "CyberRealistic XL v5.8"

# --- Only pickles ---------------------------------------------------------------------------------------
dream=$(snapshot_of Lykon/dreamshaper-xl-1-0)
find "$dream" -name '*.safetensors' | while read -r file; do ln -s nowhere "${file%.safetensors}.bin" && rm "$file"; done
expect "pickles alone are refused unread" 5 "save_pretrained(..., safe_serialization=True)" draw "DreamShaper XL"
check "by their names" grep -qF "unet/diffusion_pytorch_model.bin (a pickle)" err

# --- Another VAE ----------------------------------------------------------------------------------------
vaes=$HF_HUB_CACHE/models--org--vae
mkdir -p "$vaes/snapshots/$commit" "$vaes/refs" && printf %s $commit >"$vaes/refs/main"
cp cache/plain/animagine-xl-4.0/vae/* "$vaes/snapshots/$commit/"
expect "a VAE of the cache" 0 "" draw "EpicRealism XL" --vae org/vae
rm "$vaes/snapshots/$commit/diffusion_pytorch_model.safetensors"
expect "without its weights" 5 'VAE org/vae is incomplete: diffusion_pytorch_model.safetensors (missing); download the rest with "sdxl-lab models download org/vae"' \
    draw "EpicRealism XL" --vae org/vae
touch "$vaes/snapshots/$commit/diffusion_pytorch_model.bin"
expect "as a pickle" 5 "save_pretrained(..., safe_serialization=True)" draw "EpicRealism XL" --vae org/vae
expect "not there" 5 'sdxl-lab models download org/none"' draw "EpicRealism XL" --vae org/none

# --- The lists still tell of all ------------------------------------------------------------------------
"$bin" models list >out 2>err
check "the list has every model" test "$(cut -f1 cache/list | while read -r key; do grep -c "^$key  " out; done | sort -u)" = 1
check "with what is wrong" sh -c "grep -q '^DreamShaper XL .*unusable' out && grep -q '^SDXL Turbo .*incomplete' out"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
