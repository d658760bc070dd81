#!/bin/bash
# test_compare.sh BINARY SOURCE_DIR - sdxl-lab compare: pictures drawn under several values of one
# setting, and pictures that are there. Prints a line per check and "N passed, N failed".
set -u
bin=$(realpath "$1") source=$(realpath "$2")
. "$source/tests/e2e/common.sh"
export SDXL_LAB_SHARE=$source/data
model=$source/models/lab-tiny-xl
draw="--model $model --steps 2 --size 128x128 --quiet"
compare() { # OPTIONS...
    # shellcheck disable=SC2086
    "$bin" compare $draw "$@"
}
json() { python3 -c "import json, sys; d = json.load(open('out')); sys.exit(not ($1))"; } # EXPRESSION over d

# --- Drawn under two values ---
printf '# two\na red boat at sea\n\na white cat in a room\n' >prompts.txt
expect "two dtypes" 0 "lies" compare --dtype bf16,f32 --prompts prompts.txt --output-dir a
check "the most exact is the reference" grep -qE '^bf16 lies [0-9.]+ dB \(median; worst [0-9.]+\) from f32: ' out
check "a row a prompt" grep -qE '^a red boat at sea +[0-9]+\.[0-9] +0\.[0-9]{4} +0\.[0-9]{4}$' out
check "a median" grep -qE '^median +[0-9]+\.' out
check "times" grep -qE '^time     f32 [0-9.]+ s a picture, bf16 [0-9.]+ s$' out
run=$(echo a/compare_*)
check "its sheet is told and there" grep -qx "sheet    $run/compare_01.png" out
check "four pictures, two sheets" test "$(find a -name '*seed1*.png' | wc -l) $(find a -name '*_01.png' | wc -l)" = "4 2"
check "no picture's path is printed" test "$(grep -c 'seed1' out)" = 0
expect "verify knows pictures and sheets" 0 "same 4, sheet 2" "$bin" verify --quiet "$run"
expect "a page is told from pictures" 2 "of a contact sheet" "$bin" show "$run/compare_01.png"

expect "the run again, measured only" 0 "lies" "$bin" compare "$run"
cp -r "$run" blocked && rm blocked/compare_01.png && mkdir -p blocked/compare_01.png/x
expect "where no sheet can be put" 0 "bf16 lies" "$bin" compare blocked
check "it is said" grep -qF "no sheet: blocked/compare_01.png" err
"$bin" compare "$run" >out 2>err
check "without times" test "$(grep -c '^time' out)" = 0
one=$(echo "$run"/*boat*_bf16_*.png)
rm "$one"
expect "a picture that is gone" 2 "1 of 2 could not be measured; the first: not drawn yet" "$bin" compare "$run"
expect "resume draws it and compares" 0 "1 drawn, 3 were there, of 4" "$bin" resume --quiet "$run"
check "and tells how far" grep -qE '^bf16 lies ' out
expect "as --resume does" 0 "0 drawn, 4 were there" "$bin" compare --quiet --resume "$run"

expect "for programs" 0 "" compare --dtype f32,bf16 --prompts prompts.txt --output-dir b --json
check "the document" json "d['comparison']['reference'] == 'f32' and len(d['images']) == 4"
check "its figures" json "all(20 < p['psnr'] < 70 and 0.8 < p['ssim'] < 1 and 0 < p['gmsd'] < 0.2 and not p['equal']
    for p in d['comparison']['pictures']) and len(d['comparison']['pictures']) == 2"
check "its sum" json "d['comparison']['values'][1]['worst']['psnr'] <= d['comparison']['values'][1]['median']['psnr']
    and d['comparison']['values'][1]['seconds'] > 0"
check "its sheet" json "__import__('os').path.isfile(d['comparison']['sheet'][0])"

expect "three values, seeds as rows" 0 "from euler: " \
    compare --scheduler euler,ddim,dpmpp-2m --prompt fox --sweep seed=1,2 --output-dir c
check "a row a seed and value" test "$(grep -cE '^seed [12] +(ddim|dpmpp-2m) ' out)" = 4
expect "a bar for scripts" 3 "further than 90 dB from f32" \
    compare --dtype f32,bf16 --prompt fox --output-dir c --min-psnr 90
expect "which is kept to" 0 "" compare --dtype f32,bf16 --prompt fox --output-dir c --min-psnr 10
expect "a dry run draws nothing" 0 "pictures 12" compare --dtype f32,bf16 --dry-run --output-dir none
check "nor makes a folder" test ! -e none
cp prompts.txt 'a $HOME.txt'
expect "a file with a dollar" 0 "pictures 4" compare --dtype f32,bf16 --prompts 'a $$HOME.txt' --dry-run
expect "others' names of dtypes" 0 " f32" compare --dtype fp32,bf16 --prompt fox --output-dir c

expect "what has several values counts, not an axis beside it" 0 "bf16 lies" \
    compare --sweep guidance=3,5 --dtype f32,bf16 --prompt fox --output-dir c
check "which makes rows" test "$(grep -cE '^guidance [35] ' out)" = 2
expect "an axis alone is compared" 0 "guidance 5 lies" compare --sweep guidance=3,5 --prompt fox --output-dir c
expect "a number says what it is of" 0 "guidance 5 lies" \
    compare --guidance 3,5 --prompt fox --sweep seed=1..3 --output-dir c
check "speeds, where there are enough" grep -qE '^time     guidance 3 [0-9.]+ s a picture, guidance 5 [0-9.]+ s \([0-9.]+ times as fast\)$' out

# --- Pictures that are there ---
first=$(echo b/compare_*/*boat*_f32_*.png) second=$(echo b/compare_*/*boat*_bf16_*.png)
expect "two pictures" 0 "dB from" "$bin" compare "$first" "$second"
expect "one with itself" 0 "is the same as" "$bin" compare "$first" "$first"
check "has no number of dB" grep -qE 'equal +1\.0000 +0\.0000$' out
expect "for programs, too" 0 "" "$bin" compare --json "$first" "$first"
check "psnr is null" json "d['pictures'][0]['psnr'] is None and d['pictures'][0]['equal'] and d['sheet'] == []"
mkdir one two
cp "$first" one/a.png && cp "$second" two/a.png && cp "$first" one/b.png && cp "$first" two/b.png
expect "folders by names" 0 "two equals one in 1 of 2 pictures" "$bin" compare one two --output-dir sheets
check "their sheet" test -f sheets/compare_01.png
cp "$first" two/only.png
expect "what one folder has alone" 2 "1 of 3 could not be measured; the first: not in one" "$bin" compare one two
expect "folders by requests" 0 "is the same as" "$bin" compare "$run" b/compare_*
check "of all pictures" test "$(grep -c ' equal ' out)" = 6
mkdir early late
cp "$first" early/20260101-000000_raw_fox_seed1_00.png && cp "$second" late/20260102-030405_raw_fox_seed1_00.png
expect "folders by names without times" 0 "late lies" "$bin" compare early late
mkdir other
cp "$source/tests/data/images/rgb.jpg" other/photo.jpg
expect "folders with nothing in common" 2 "have no picture in common" "$bin" compare early other
cp other/photo.jpg two/a.png
expect "another size, among others" 2 "2 of 3 could not be measured; the first: pictures of 128x128 and of 23x19" \
    "$bin" compare one two
check "the rest is told" grep -qE '^b.png +equal' out

# --- What is refused ---
expect "other sizes" 2 "pictures of 128x128 and of 23x19 cannot be compared; expected two of one size" \
    "$bin" compare "$first" "$source/tests/data/images/rgb.jpg"
echo text >text.png
expect "no picture" 2 "text.png: no picture that is known here" "$bin" compare "$first" text.png
expect "no file" 2 "gone.png: cannot open" "$bin" compare "$first" gone.png
expect "a folder and a file" 2 "expected two pictures or two folders" "$bin" compare one "$first"
mkdir nothing
expect "an empty folder" 2 "nothing: there is no picture in it" "$bin" compare one nothing
expect "a folder that is no run" 2 "expected a run directory" "$bin" compare one
expect "three names" 2 "3 names" "$bin" compare one two nothing
expect "a prompt without --prompt" 2 "is said by --prompt" "$bin" compare "a red fox"
expect "pictures, and how to draw" 2 "--steps: pictures that are there are measured as they are" \
    "$bin" compare "$first" "$second" --steps 4
expect "nothing to compare" 2 "as in --dtype f32,bf16" compare --prompt fox
expect "one value" 2 "--dtype has one value" compare --dtype bf16
expect "one value of an axis" 2 "dtype has one value" compare --sweep dtype=bf16
expect "the same value twice" 2 "all pictures have the same dtype" compare --dtype f32,fp32 --output-dir none
expect "an unknown dtype" 2 '"bf61" is not one of: auto, f32' compare --dtype f32,bf61
expect "two things at a time" 2 "one thing at a time" compare --dtype f32,bf16 --scheduler euler,ddim
expect "sizes" 2 "other prompts, seeds or sizes" compare --size 128x128,192x192
expect "nine values" 2 "9 values of guidance; expected 8 at most" compare --guidance 1,2,3,4,5,6,7,8,9
expect "what a CPU cannot" 2 "a CPU does not compute in f16" compare --device cpu --dtype f32,f16 --output-dir none
check "nothing was drawn for it" test ! -e none
: >empty.txt
expect "no prompt in the file" 2 "empty.txt: no value in it" compare --dtype f32,bf16 --prompts empty.txt
expect "no file of prompts" 2 "gone.txt: cannot open" compare --dtype f32,bf16 --prompts gone.txt
expect "a slip" 2 "did you mean --dtype?" compare --dtyp f32,bf16

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
