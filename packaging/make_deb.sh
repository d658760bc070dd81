#!/bin/sh
# make_deb.sh BUILD - a Debian package of what is installed, for the release that this runs on, as
# BUILD/sdxl-lab_VERSION_ARCH.deb: the command under all its names, man pages, completions, data, models,
# scripts and the systemd unit. `make deb` calls it. BUILD is configured for /usr and built as far as it has
# to be: one that was built for tests before has most objects already. What the program needs at run time is
# read off it by dpkg-shlibdeps (package dpkg-dev).
set -eu
cd "$(dirname "$0")/.."
build=$1
fail() { echo "make deb: $*" >&2; exit 2; }
for command in dpkg-deb dpkg-shlibdeps strip gzip; do
    command -v $command >/dev/null 2>&1 || fail "there is no $command here; as root: apt-get install dpkg-dev binutils"
done

cmake -B "$build" -DCMAKE_INSTALL_PREFIX=/usr -DBUILD_TESTING=OFF \
    -DCMAKE_EXE_LINKER_FLAGS="-Wl,-z,relro -Wl,-z,now" -DCMAKE_SHARED_LINKER_FLAGS="-Wl,-z,relro -Wl,-z,now" .
cmake --build "$build" -j "${JOBS:-$(nproc)}" --target sdxl-lab sdxl man completions

build=$(cd "$build" && pwd)
root=$build/deb
rm -rf "$root"
DESTDIR=$root cmake --install "$build" >/dev/null
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt")
arch=$(dpkg --print-architecture)
. /etc/os-release
# Who builds it answers for it, as Debian's tools have it.
maintainer="${DEBFULLNAME:-$(git config user.name || echo SDXL Lab)} <${DEBEMAIL:-$(git config user.email || echo sdxl-lab@example.org)}>"
debian=$version-1~${VERSION_CODENAME:-unknown}

# The library is for those who build against it: that is what `make install` is for.
rm -rf "$root"/usr/include "$root"/usr/lib/*/pkgconfig "$root"/usr/lib/*/libsdxl.so* "$root"/usr/lib/libsdxl.so*
find "$root" -type d -empty -delete
strip --strip-unneeded --remove-section=.comment "$root/usr/bin/sdxl-lab"

docs=$root/usr/share/doc/sdxl-lab
mkdir -p "$docs" "$root/DEBIAN"
rm -f "$docs/LICENSE"
find "$docs" -name README.md -exec gzip -9n {} +
sed "s/@YEAR@/${SOURCE_YEAR:-2026}/" packaging/debian/copyright >"$docs/copyright"
{
    echo "sdxl-lab ($debian) ${VERSION_CODENAME:-unstable}; urgency=medium"
    echo
    echo "  * Built from the sources of version $version."
    echo
    echo " -- $maintainer  $(LC_ALL=C date -u -R -d @"${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}")"
} | gzip -9n >"$docs/changelog.Debian.gz"
gzip -9n "$root"/usr/share/man/man1/*.1
for link in "$root"/usr/bin/*; do # the other names of the program
    [ ! -L "$link" ] || ln -s sdxl-lab.1.gz "$root/usr/share/man/man1/$(basename "$link").1.gz"
done

mkdir -p "$build/shlibs/debian" && : >"$build/shlibs/debian/control"
depends=$(cd "$build/shlibs" && dpkg-shlibdeps -O --ignore-missing-info "$root/usr/bin/sdxl-lab" 2>/dev/null |
    sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || fail "dpkg-shlibdeps tells no packages for $root/usr/bin/sdxl-lab"
sed -e "s/@VERSION@/$debian/" -e "s/@ARCH@/$arch/" -e "s/@DEPENDS@/$depends/" -e "s/@MAINTAINER@/$maintainer/" \
    -e "s/@SIZE@/$(du -sk "$root/usr" | cut -f1)/" packaging/debian/control.in >"$root/DEBIAN/control"
(cd "$root" && find usr -type f -exec md5sum {} + >DEBIAN/md5sums)
find "$root" -type d -exec chmod 755 {} +
find "$root/usr" -type f -exec chmod 644 {} +
chmod 755 "$root/usr/bin/sdxl-lab" "$root"/usr/share/sdxl-lab/*.sh "$root"/usr/share/doc/sdxl-lab/examples/*.sh 2>/dev/null || :

# Not xz: most of it is weights, which get no smaller.
package=$build/sdxl-lab_${debian}_$arch.deb
rm -f "$build"/sdxl-lab_*.deb
dpkg-deb --root-owner-group -Zgzip --build "$root" "$package" >/dev/null
echo "$package"
