#!/bin/bash
# test_loras.sh BINARY SOURCE_DIR - loras list, loras show, embeddings list: files in one's own folders, in
# other programs' and in the cache, told by what is in them; what fits SDXL and what does not, and why;
# completion and narrow terminals. Prints a line per check and "N passed, N failed".
set -u
bin=$(realpath "$1")
data=$(realpath "$2/tests/data")
. "$(dirname "$0")/common.sh"
own=.local/share/sdxl-lab
mkdir -p $own/loras/styles $own/embeddings webui .config/sdxl-lab
echo '{loras: ~/webui, embeddings: ~/webui}' >.config/sdxl-lab/folders.yaml

# FILE MODULE IN OUT [MODULE IN OUT]... [KEY=TEXT]...: a kohya LoRA of rank 4, alpha 2
write() {
    python3 - "$@" <<'END'
import json, struct, sys
out, body, words = {}, b"", sys.argv[2:]
texts = dict(word.split("=", 1) for word in words if "=" in word)
words = [word for word in words if "=" not in word]
def add(name, shape, value):
    global body
    n = 1
    for side in shape:
        n *= side
    out[name] = {"dtype": "F16", "shape": shape, "data_offsets": [len(body), len(body) + 2 * n]}
    body += struct.pack("<e", value) * n
for module, n_in, n_out in zip(words[0::3], words[1::3], words[2::3]):
    add(module + ".lora_down.weight", [4, int(n_in)], 0.5)
    add(module + ".lora_up.weight", [int(n_out), 4], 0.25)
    add(module + ".alpha", [], 2)
if texts:
    out["__metadata__"] = texts
text = json.dumps(out).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + body)
END
}
attention=lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q
write $own/loras/styles/glow.safetensors $attention 640 640 \
    lora_te1_text_model_encoder_layers_0_mlp_fc1 768 3072 lora_te2_text_model_encoder_layers_31_mlp_fc1 1280 5120 \
    lora_unet_nothing_here 8 8 \
    'ss_tag_frequency={"10_glow": {"glowing": 12, " night": 3}}' 'modelspec.title=Glow' \
    'modelspec.trigger_phrase=in glow style' 'modelspec.usage_hint=weight 0.8' 'ss_base_model_version=sdxl_base_v1-0'
write webui/old.safetensors lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k 768 640
write webui/flux.safetensors lora_unet_double_blocks_0_img_attn_proj 3072 3072
write webui/wrong.safetensors $attention 640 641
head -c 300 webui/wrong.safetensors >webui/cut.safetensors
cp "$data/models/repo/vae/diffusion_pytorch_model.safetensors" webui/other.safetensors
cp "$data/embeddings/glow.safetensors" $own/embeddings/spark.safetensors
commit=0123456789012345678901234567890123456789
hub=.cache/huggingface/hub/models--me--things
mkdir -p $hub/refs $hub/snapshots/$commit
printf %s $commit >$hub/refs/main
cp $own/loras/styles/glow.safetensors $hub/snapshots/$commit/cached.safetensors
cp "$data/embeddings/wave.safetensors" $hub/snapshots/$commit/wave.safetensors
cp webui/other.safetensors $hub/snapshots/$commit/vae.safetensors
line() { grep "^$1 " out | tr -s ' '; } # NAME

# The list
expect "loras list" 0 "" "$bin" loras list
check "one's own, with its folder" [ "$(line styles/glow)" = "styles/glow SDXL kohya 4 94 kB $work/$own/loras" ]
check "for another family" grep -q '^old  *Stable Diffusion 1.x ' out
check "for Flux" grep -q '^flux  *Flux ' out
check "what ships" grep -q '^turbo ' out
check "one of the cache, with its repository" grep -q '^cached  *SDXL .* me/things' out
check "what cannot be read" grep -q '^cut  *cannot be used' out
check "and why" grep -q 'cut.safetensors: ' out
check "what is something else" grep -q 'other.safetensors: this is a VAE' out
check "nothing else of the cache" sh -c "! grep -q '^wave\|^vae' out"
check "in 60 columns" sh -c "[ \$(COLUMNS=60 '$bin' loras list | sed '/: /d' | LC_ALL=C.UTF-8 wc -L) -le 60 ]"
"$bin" loras list --json >list.json
check "as JSON" python3 - <<'END'
import json
loras = {one["below"]: one for one in json.load(open("list.json"))["loras"]}
assert loras["styles/glow"]["name"] == "glow" and loras["styles/glow"]["rank"] == 4
assert loras["styles/glow"]["why"] is None and loras["styles/glow"]["written_as"] == "kohya"
assert loras["old"]["needs"] and loras["cached"]["folder"] == "me/things"
assert "cut.safetensors" in loras["cut"]["why"] and "a VAE" in loras["other"]["why"]
END
expect "a folders.yaml that is wrong" 2 "folders.yaml:1:" env XDG_CONFIG_HOME="$work/bad" sh -c \
    "mkdir -p bad/sdxl-lab && echo 'loras: 3' >bad/sdxl-lab/folders.yaml && '$bin' loras list"

# One
expect "loras show" 0 "fits         SDXL" "$bin" loras show glow
check "digest" grep -q "$(sha256sum $own/loras/styles/glow.safetensors | cut -c1-64)" out
check "rank" grep -q '^  rank  *4$' out
check "alpha" grep -q '^  alpha  *2$' out
check "parts" grep -q 'changes  *UNet (1 module), text encoder (1 module), text encoder 2 (1 module)' out
check "unmatched keys" grep -q 'unmatched  *1 of 4 modules: lora_unet_nothing_here' out
check "trigger words" grep -q 'trigger  *in glow style' out
check "what its author advises" grep -q 'hint  *weight 0.8' out
check "frequent words" grep -q 'words  *glowing, night' out
expect "for another family" 0 "why not      this is a LoRA for Stable Diffusion 1.x; sdxl-lab draws with SDXL only" \
    "$bin" loras show old
expect "for Flux" 0 "this is a LoRA for Flux" "$bin" loras show webui/flux.safetensors
expect "of a wrong shape" 0 "why not      \"$attention.lora_down.weight\" [4, 640]" "$bin" loras show wrong
check "with the weight's" grep -q 'does not fit "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.weight" \[640, 640\]' out
expect "what ships is for Lab Tiny XL" 0 "fits         Lab Tiny XL" "$bin" loras show stained-glass
expect "several, of the cache too" 0 "me/things" "$bin" loras show glow me/things:cached.safetensors
"$bin" loras show --json glow old >show.json
check "as JSON" python3 - <<'END'
import json
glow, old = json.load(open("show.json"))["loras"]
assert glow["fits"] == "SDXL" and glow["why_not"] is None and glow["modules"] == 4
assert (glow["unet_modules"], glow["text_encoder_modules"], glow["text_encoder_2_modules"]) == (1, 1, 1)
assert glow["unmatched"] == ["lora_unet_nothing_here"]
assert glow["ranks"] == {"least": 4, "most": 4} and glow["alphas"] == {"least": 2, "most": 2}
assert glow["metadata"]["modelspec.title"] == "Glow" and glow["base"] == "SDXL"
assert old["fits"] is None and "Stable Diffusion 1.x" in old["why_not"]
END
expect "what is no LoRA" 5 "this is a VAE" "$bin" loras show other
expect "what is nowhere" 5 'there is no LoRA "glo"; did you mean' "$bin" loras show glo
expect "a pickle" 5 "can run code" "$bin" loras show "$(touch x.pt && realpath x.pt)"
expect "without a name" 2 "NAME" "$bin" loras show

# Embeddings
expect "embeddings list" 0 "" "$bin" embeddings list
check "one's own" grep -q "^spark  *.* $work/$own/embeddings\$" out
check "of the cache" grep -q '^wave .* me/things' out
check "no LoRA of the cache" sh -c "! grep -q '^cached' out"
check "as JSON" sh -c "'$bin' embeddings list --json | grep -q '\"vectors\": '"
expect "none" 0 "no embeddings are here; looked in" env HOME="$work/nobody" XDG_CONFIG_HOME="$work/nobody" "$bin" embeddings list

# Completion
check "names are completed" sh -c "'$bin' complete words -- sdxl-lab loras show gl | cut -f1 | grep -qx glow"
check "and not none" sh -c "! '$bin' complete words -- sdxl-lab loras show '' | cut -f1 | grep -qx none"
check "which --lora takes" sh -c "'$bin' complete words -- sdxl-lab generate --lora '' | cut -f1 | grep -qx none"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
