#!/usr/bin/env bash
# ./dev package [--check]: build/package/fondaco_VERSION_ARCH.deb; --check unpacks it and runs init, doctor and the demo.
set -euo pipefail
. tools/dev/lib.sh

out=$PWD/build/package
check=
for a in "$@"; do
  case "$a" in
  --check) check=1 ;;
  *)
    say "./dev package: unknown option '$a'"
    exit 2
    ;;
  esac
done

build release fondaco
version=$(sed -n 's/^project(fondaco VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
arch=$(dpkg --print-architecture)
deb=$out/fondaco_${version}_$arch.deb
if [ -d .git ]; then SOURCE_DATE_EPOCH=$(git log -1 --format=%ct); else SOURCE_DATE_EPOCH=$(stat -c %Y CMakeLists.txt); fi
export SOURCE_DATE_EPOCH

make_scratch
tree=$SCRATCH/tree
from=deploy/debian
umask 022
install -D -m 755 build/release/bin/fondaco "$tree/usr/bin/fondaco"
strip --strip-unneeded "$tree/usr/bin/fondaco"
install -D -m 644 "$from/fondaco.service" "$tree/lib/systemd/system/fondaco.service"
install -D -m 644 "$from/fondaco.default" "$tree/etc/default/fondaco"
install -D -m 644 "$from/fondaco.bash" "$tree/usr/share/bash-completion/completions/fondaco"
install -D -m 644 "$from/copyright" "$tree/usr/share/doc/fondaco/copyright"
install -D -m 644 docs/operations.md "$tree/usr/share/doc/fondaco/operations.md"
mkdir -p "$tree/usr/share/man/man1"
gzip -9nc "$from/fondaco.1" >"$tree/usr/share/man/man1/fondaco.1.gz"
gzip -9nc CHANGELOG.md >"$tree/usr/share/doc/fondaco/changelog.gz"

# dpkg-shlibdeps reads the libraries' packages off the program, with debian/control beside it.
mkdir -p "$SCRATCH/source/debian"
cp "$from/control.in" "$SCRATCH/source/debian/control"
libraries=$(cd "$SCRATCH/source" && dpkg-shlibdeps -O -e"$tree/usr/bin/fondaco" | sed -n 's/^shlibs:Depends=//p')
[ -n "$libraries" ] || { say "dpkg-shlibdeps found no library"; exit 1; }

mkdir -p "$tree/DEBIAN"
cat >"$tree/DEBIAN/control" <<TXT
Package: fondaco
Version: $version
Architecture: $arch
Section: net
Priority: optional
$(grep '^Maintainer:' "$from/control.in")
Installed-Size: $(du -sk --exclude=DEBIAN "$tree" | cut -f1)
Depends: $libraries, adduser, ca-certificates
Suggests: postgresql, nats-server
$(grep '^Description:' "$from/control.in")
 Each organisation has its own virtual participant agents in shared cells,
 publishes data under policies, negotiates contracts over the Dataspace
 Protocol, and moves the data through data planes.
TXT
install -m 644 "$from/conffiles" "$tree/DEBIAN/conffiles"
install -m 755 "$from/postinst" "$from/prerm" "$from/postrm" "$tree/DEBIAN/"
(cd "$tree" && find . -path ./DEBIAN -prune -o -type f -printf '%P\n' | LC_ALL=C sort | xargs md5sum) >"$SCRATCH/md5sums"
install -m 644 "$SCRATCH/md5sums" "$tree/DEBIAN/md5sums"
mkdir -p "$out"
dpkg-deb --root-owner-group --build "$tree" "$deb" >/dev/null
say "$deb"

if [ -n "$check" ]; then
  dpkg-deb -x "$deb" "$SCRATCH/root"
  fondaco=$SCRATCH/root/usr/bin/fondaco
  "$fondaco" version
  "$fondaco" init --folder "$SCRATCH/node" >/dev/null
  "$fondaco" doctor --config "$SCRATCH/node/fondaco.toml"
  "$fondaco" demo /usr/share/zoneinfo/tzdata.zi --folder "$SCRATCH/demo"
fi
