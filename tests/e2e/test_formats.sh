#!/bin/bash
# test_formats.sh BINARY SOURCE_DIR - what older versions wrote is read: run.json, records and job logs of
# tests/data/formats. Prints "N passed, N failed".
set -u
bin=$(realpath "$1")
data=$(realpath "$2")/tests/data
. "$(dirname "$0")/common.sh"
export INSTANCE_ID=new

# Format 1: a run of version 0.1.0, half of it done
mkdir pictures
ln -s "$data/models/repo" repo
cp "$data/models/pipeline/init.png" .
cp -r "$data/formats/1/sweep" pictures/sweep_20261128-190658
cp "$data/formats/1/jobs_old.log" pictures
sed -i '2d;4d' pictures/jobs_old.log # the lines of the pictures that are there
run=pictures/sweep_20261128-190658
expect "the pictures are what their records say" 0 "" "$bin" verify $run/*.png
expect "a run of format 1 goes on" 0 "2 drawn, 2 were there" "$bin" resume $run
check "with the ids that its cells had" sh -c "for id in \$(sed -n 's/^ *\"id\": \"\\([0-9a-f]*\\)\",/\\1/p' $run/run.json); do grep -aqF \$id $run/*.png || exit 1; done"
check "four different pictures" test "$(cat $run/*.png | wc -c)" -gt 0 -a "$(ls $run/2*.png | wc -l)" -eq 4
check "its log is read: only new pictures have new lines" test "$(wc -l <pictures/jobs_new.log)" -eq 2
expect "and again" 0 "0 drawn, 4 were there" "$bin" resume $run
expect "all of them verified" 0 "" "$bin" verify $run/2*.png
expect "speed is known from the old log" 0 "as logged here before" "$bin" generate --model repo --dtype f32 \
    --prompt cat --width 64 --height 64 --steps 1 --dry-run --output-dir pictures
sed -i 's/"version": 1/"format": 99/' $run/run.json
expect "a newer format is refused" 2 "its format is 99" "$bin" resume $run

# Which thing changed
draw=("$bin" generate --prompt "a cat" --width 64 --height 64 --steps 3 --seed 5 --dtype f32 --model copy --quiet)
fresh() { rm -rf copy drawn; cp -r repo/ copy; "${draw[@]}" --output-dir drawn >/dev/null 2>&1; }
fresh
expect "nothing changed" 0 "same       drawn/" "$bin" verify drawn/*.png
sed -i 's/"beta_end": [0-9.]*/"beta_end": 0.02/' copy/scheduler/scheduler_config.json
expect "the scheduler's config is blamed" 3 "(beta_end of the scheduler 0.02, was 0.012)" "$bin" verify drawn/*.png
fresh
vae=copy/vae/diffusion_pytorch_model.safetensors
dd if=/dev/zero of=$vae bs=1 seek=$(($(stat -c %s $vae) - 2000)) count=2000 conv=notrunc 2>/dev/null
expect "weights are blamed by their component" 3 "(weights of vae)" "$bin" verify drawn/*.png
fresh
echo >>copy/tokenizer/merges.txt
expect "so is a tokenizer that draws the same" 0 "(tokenizer/merges.txt)" "$bin" verify drawn/*.png
sed 's/AVX/XVA/; s/plain C/plein C/' drawn/*.png >other.png # the record's checksum is wrong then
expect "a damaged record" 3 "damaged" "$bin" verify other.png

# Gone on with by something else than what began it: said, or refused
begin() {
    rm -rf drawn
    "$bin" generate --model repo --prompt "a cat" --width 64 --height 64 --steps 2 --dtype f32 --device reference \
        --sweep seed=1..4 --output-dir drawn --quiet >/dev/null 2>&1
    run=$(ls -d drawn/sweep_*)
    rm "$(ls $run/2*.png | head -1)" "$(ls $run/2*.png | tail -1)"
    cp $run/run.json whole.json
    sed -i 's/"device": "reference"/"device": "cpu"/' $run/run.json
}
for workers in 0 1; do
    begin
    expect "--strict refuses ($workers workers)" 2 "device cpu, was reference" "$bin" resume $run --strict --workers $workers
    check "and draws nothing" test "$(ls $run/2*.png | wc -l)" -eq 2
    expect "without it, it is said ($workers workers)" 0 "were drawn in another way: device cpu, was reference" \
        "$bin" resume $run --workers $workers
    check "what was drawn by each is in its record" test "$(grep -la '"device":"cpu"' $run/2*.png | wc -l)" -eq 2
    check "and in its line" grep -q '"device": *"cpu".*"precision": *"F32"' drawn/jobs_new.log
    expect "all are the same, drawn in their own way" 0 "same" "$bin" verify $run/2*.png
done
begin
cp whole.json $run/run.json
expect "--strict with what began it" 0 "2 drawn, 2 were there" "$bin" resume $run --strict

# The picture that a run begins with
rm -rf drawn
"$bin" generate --model repo --prompt "a cat" --width 64 --height 64 --steps 2 --strength 0.8 --init-image init.png \
    --sweep seed=1,2 --output-dir drawn --quiet >/dev/null 2>&1
run=$(ls -d drawn/sweep_*)
rm "$(ls $run/2*.png | head -1)"
cp init.png init2.png
printf x >>init.png
expect "another init image is not drawn from" 3 "init.png is not the picture any more that it started from" "$bin" resume $run
cp init2.png init.png
expect "the one of old is" 0 "1 drawn, 1 was there" "$bin" resume $run

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
