#!/bin/sh
# check_deb.sh PACKAGE - whether a package that make_deb.sh built may be given away: lintian (where it is
# installed) has no error, its dependencies have names, what it holds is unpacked into a folder, and the
# program draws a picture from there. Installs nothing.
set -eu
package=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "check deb: $*" >&2; exit 1; }

if command -v lintian >/dev/null 2>&1; then
    lintian --fail-on error "$package" || fail "lintian found an error in $package"
else
    echo "skip lintian: it is not installed here"
fi
dpkg-deb --field "$package" Depends | grep -q 'libc6' || fail "$package depends on no library"
dpkg-deb --extract "$package" "$work/root"
for file in usr/bin/sdxl-lab usr/bin/gpu_pick usr/bin/auto_night_runner usr/share/man/man1/sdxl-lab.1.gz \
    usr/share/bash-completion/completions/sdxl-lab usr/lib/systemd/system/sdxl-lab@.service \
    usr/lib/systemd/system/sdxl-lab-serve.service; do
    [ -e "$work/root/$file" ] || fail "$package has no /$file"
done
lab() { env -u SDXL_LAB_SHARE HOME="$work/home" "$work/root/usr/bin/sdxl-lab" "$@"; }
lab generate --model "Lab Tiny XL" --prompt "a red ball" --steps 2 --seed 1 --output-dir "$work/out" --quiet ||
    fail "the program of $package does not draw"
[ -n "$(find "$work/out" -name '*.png')" ] || fail "the program of $package drew nothing"
echo "check deb: $package is well"
