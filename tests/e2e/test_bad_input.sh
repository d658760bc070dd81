#!/bin/bash
# test_bad_input.sh BINARY SOURCE_DIR - files and texts that are not what they are given as: LoRAs and
# checkpoints for other models, damaged ones, files that can run code, lists with mistakes and bombs. Each is
# refused with one sentence and its exit code, before anything is drawn or written. (Cached models of which
# something is missing: test_missing.sh. Embeddings: test_embeddings.sh. Prompts: test_prompts.sh. What the
# models commands make of all this: test_models.sh.) Prints a line per check and "N passed, N failed".
set -u
bin=$(realpath "$1")
loras=$(realpath "$2/models/lab-tiny-loras")
. "$(dirname "$0")/common.sh"
mkdir -p .config/sdxl-lab in
draw=("$bin" generate --prompt "a fox" --size 64x64 --steps 1 --seed 3 --output-dir drawn)
# Digests of large files are kept (.cache), whatever is thought of them.
listing() { find . -mindepth 1 -path ./out -o -path ./err -o -path './.cache*' -o -printf '%p %s %T@\n' | sort; }
# refuse NAME CODE TEXT COMMAND...: with TEXT, in one line, and all files are as they were
refuse() {
    local before
    before=$(listing)
    expect "$@"
    check "$1: one sentence, nothing left behind" test "$(wc -l <err) $(wc -l <out)" = "1 0" -a "$before" = "$(listing)"
}
tensors() { # FILE NAME=SHAPE...: of these names and shapes, as f16 zeros
    python3 - "$@" <<'END'
import json, math, struct, sys
header, at = {}, 0
for tensor in sys.argv[2:]:
    name, shape = tensor.split("=")
    shape = [int(n) for n in shape.split("x")]
    header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, at + 2 * math.prod(shape)]}
    at += 2 * math.prod(shape)
text = json.dumps(header).encode()
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + bytes(at))
END
}

# --- Checkpoints of other models ------------------------------------------------------------------------
unet=model.diffusion_model
to_k=$unet.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight
sdxl="$unet.label_emb.0.0.weight=8x8 conditioner.embedders.0.transformer.text_model.final_layer_norm.weight=8 conditioner.embedders.1.model.ln_final.weight=8"
tensors in/refiner.safetensors $unet.input_blocks.0.0.weight=8x4x3x3 $to_k=8x1280 $unet.label_emb.0.0.weight=8x8 \
    conditioner.embedders.0.model.ln_final.weight=8
tensors in/inpaint.safetensors $unet.input_blocks.0.0.weight=8x9x3x3 $to_k=8x2048 $sdxl
tensors in/edit.safetensors $unet.input_blocks.0.0.weight=8x8x3x3 $to_k=8x2048 $sdxl
tensors in/sd1.safetensors $unet.input_blocks.0.0.weight=8x4x3x3 $to_k=8x768 cond_stage_model.transformer.text_model.x.weight=8
tensors in/sd2.safetensors $unet.input_blocks.0.0.weight=8x4x3x3 $to_k=8x1024 cond_stage_model.model.ln_final.weight=8
tensors in/sd3.safetensors $unet.joint_blocks.0.context_block.attn.qkv.weight=8x8 $unet.pos_embed=1x8
tensors in/flux.safetensors $unet.double_blocks.0.img_attn.qkv.weight=8x8 $unet.single_blocks.0.linear1.weight=8x8
tensors in/control.safetensors control_model.input_blocks.0.0.weight=8x4x3x3
tensors in/strange.safetensors one=8x8 two=8
kinds="refiner:this_is_the_SDXL_refiner inpaint:this_is_an_SDXL_inpainting_checkpoint edit:this_is_an_SDXL_checkpoint_that_edits_pictures
    sd1:this_is_a_Stable_Diffusion_1.x_checkpoint sd2:this_is_a_Stable_Diffusion_2.x_checkpoint
    sd3:this_is_a_Stable_Diffusion_3_model flux:this_is_a_Flux_model control:this_is_a_ControlNet
    strange:this_is_a_file_of_tensors_of_no_kind_that_is_known_here"
for pair in $kinds; do
    what=${pair#*:}
    refuse "${pair%:*} as a model" 5 "in/${pair%:*}.safetensors: ${what//_/ }" "${draw[@]}" --model "in/${pair%:*}.safetensors"
    check "${pair%:*}: what was expected is said" grep -q "expected an SDXL checkpoint" err
done
for option in lora embedding; do
    refuse "a checkpoint as --$option" 5 "this is a Flux model, expected" "${draw[@]}" --model "Lab Tiny XL" --$option in/flux.safetensors
    refuse "nothing known as --$option" 5 "strange.safetensors" "${draw[@]}" --model "Lab Tiny XL" --$option in/strange.safetensors
done
refuse "a checkpoint as --vae" 5 "this is a Flux model, expected a VAE" "${draw[@]}" --model "Lab Tiny XL" --vae in/flux.safetensors

# --- LoRAs ----------------------------------------------------------------------------------------------
lora() { # FILE NAME IN OUT: of one module
    tensors "in/$1" "$2.lora_down.weight=4x$3" "$2.lora_up.weight=$4x4"
}
lora lora-sd1.safetensors lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k 768 320
lora lora-sd2.safetensors lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k 1024 320
lora lora-flux.safetensors lora_unet_double_blocks_0_img_attn_qkv 3072 9216
lora lora-sd3.safetensors lora_unet_joint_blocks_0_x_block_attn_qkv 1536 4608
kinds="sd1:a_LoRA_for_Stable_Diffusion_1.x sd2:a_LoRA_for_Stable_Diffusion_2.x flux:a_LoRA_for_Flux sd3:a_LoRA_for_Stable_Diffusion_3"
for pair in $kinds; do
    what=${pair#*:}
    refuse "a LoRA for $what" 5 "this is ${what//_/ }, expected a LoRA for SDXL" "${draw[@]}" --model "Lab Tiny XL" \
        --lora "in/lora-${pair%:*}.safetensors"
done
damaged() { # FILE WHAT: the stained-glass LoRA with something wrong
    python3 - "$loras/stained-glass.safetensors" "in/$1" "$2" <<'END'
import json, struct, sys
source, target, what = sys.argv[1:]
with open(source, "rb") as file:
    n = struct.unpack("<Q", file.read(8))[0]
    header, data = json.loads(file.read(n)), bytearray(file.read())
names = [name for name in header if name != "__metadata__"]
down = next(name for name in names if name.endswith((".lora_A.weight", ".lora_down.weight")) and len(header[name]["shape"]) == 2)
up = down.replace("lora_A", "lora_B").replace("lora_down", "lora_up")
rank, width = header[down]["shape"]
out = header[up]["shape"][0]
if what == "rank":
    header[down]["shape"] = [2 * rank, width // 2]
elif what == "shape":
    header[down]["shape"], header[up]["shape"] = [2 * rank, width // 2], [out // 2, 2 * rank]
elif what == "partner":
    del header[up]["dtype"]
elif what == "nan":
    end = header[up]["data_offsets"][1]
    data[end - 1], data[end - 2] = 0x7f, 0xff
text = json.dumps(header).encode()
if what == "length":
    n = 1 << 62
elif what == "cut":
    n, data = len(text), data[:-1]
else:
    n = len(text)
with open(target, "wb") as file:
    file.write(struct.pack("<Q", n) + text + data)
END
}
for what in rank shape nan partner length cut; do damaged "$what.safetensors" "$what"; done
lora_refused() { # WHAT TEXT
    refuse "a LoRA: $1" 5 "$2" "${draw[@]}" --model "Lab Tiny XL" --lora "in/$1.safetensors"
    check "a LoRA: $1: its file is named" grep -q "in/$1.safetensors" err
}
lora_refused rank "rank"
lora_refused shape "this does not fit"
lora_refused nan "NaN or infinity"
lora_refused partner "dtype"
lora_refused length "header"
lora_refused cut "truncated"
refuse "a LoRA as a model" 5 "this is a LoRA" "${draw[@]}" --model "$loras/stained-glass.safetensors"

# --- Files that can run code ----------------------------------------------------------------------------
# Each would, if it were read: it makes a file where it is unpickled.
for name in model.ckpt lora.pt embedding.bin vae.pth; do
    python3 -c "
import pickle, sys
class Run:
    def __reduce__(self):
        return (open, ('ran', 'w'))
pickle.dump(Run(), open(sys.argv[1], 'wb'))" "in/$name"
done
refuse "a pickle as a model" 5 "can run code" "${draw[@]}" --model in/model.ckpt
refuse "a pickle as a LoRA" 5 "what is in others can run code and is never read" "${draw[@]}" --model "Lab Tiny XL" --lora in/lora.pt
refuse "a pickle as an embedding" 5 "what is in others can run code and is never read" "${draw[@]}" --model "Lab Tiny XL" --embedding in/embedding.bin
refuse "a pickle as a VAE" 5 "can run code" "${draw[@]}" --model "Lab Tiny XL" --vae in/vae.pth
cp in/model.ckpt in/renamed.safetensors
refuse "a pickle under another name" 5 "renamed.safetensors" "${draw[@]}" --model in/renamed.safetensors
refuse "the same as a LoRA" 5 "renamed.safetensors" "${draw[@]}" --model "Lab Tiny XL" --lora in/renamed.safetensors
check "none was unpickled" test ! -e ran

# --- Lists with mistakes --------------------------------------------------------------------------------
bomb=$(python3 -c "
print('a0: &a0 [x, x, x, x, x, x, x, x, x, x]')
for i in range(1, 12):
    print('a%d: &a%d [%s]' % (i, i, ', '.join(['*a%d' % (i - 1)] * 10)))")
wrong() { # NAME FILE TEXT CONTENT: a file of one's own with a mistake
    echo "$4" >".config/sdxl-lab/$2"
    refuse "$1" 2 "$3" "${draw[@]}" --model "Lab Tiny XL" --lora style
    rm ".config/sdxl-lab/$2"
}
wrong "a wrong key of the catalogue" models.yaml "models.yaml:3:3: Mine: stesp: no such field; did you mean steps?" 'Mine:
  repo: me/mine
  stesp: 4'
wrong "a base that is no model" models.yaml 'models.yaml:1:44: Mine: base: there is no model "SDXL Bse 1.0"; did you mean "SDXL Base 1.0"?' \
    'Mine: {repo: me/mine, kind: lora, base:    SDXL Bse 1.0}'
wrong "a name twice" models.yaml "models.yaml:2:1" 'Mine: {repo: me/mine}
Mine: {repo: me/mine}'
wrong "no YAML" models.yaml "models.yaml:2:1: not valid YAML" 'Mine: {repo: me/mine'
for file in models profiles presets folders; do
    wrong "a bomb of aliases in $file.yaml" $file.yaml "$file.yaml:" "$bomb"
    check "a bomb of aliases in $file.yaml: its size is told" grep -q "200000" err
done
echo "$bomb" >in/job.yaml
refuse "a bomb of aliases as a job file" 2 "in/job.yaml:" "$bin" generate --job in/job.yaml --output-dir drawn

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
