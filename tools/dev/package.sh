#!/usr/bin/env bash
# ./dev package [--check] [--install]: build/package/fondaco_VERSION_ARCH.deb; --check unpacks it and runs init, doctor
# and the demo; --install does so in a fresh Debian 12 root, installed and purged as an operator would.
set -euo pipefail
. tools/dev/lib.sh

out=$PWD/build/package
check= install=
for a in "$@"; do
  case "$a" in
  --check) check=1 ;;
  --install) install=1 ;;
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
install -D -m 644 -t "$tree/usr/share/doc/fondaco" docs/operations.md docs/onboarding.md
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

# In the fresh root: everything by its installed name, as the package's own user.
install_test() {
  cat <<'SH'
set -eu
export DEBIAN_FRONTEND=noninteractive
# An installer writes this; debootstrap does not.
grep -qs localhost /etc/hosts || echo "127.0.0.1 localhost" >>/etc/hosts
apt-get install -o Dpkg::Use-Pty=0 -y -qq --no-install-recommends /fondaco.deb tzdata >/dev/null
as_fondaco() { runuser -u fondaco -- "$@"; }
fondaco version
test -s /usr/share/man/man1/fondaco.1.gz
bash -c '. /usr/share/bash-completion/completions/fondaco && complete -p fondaco' >/dev/null
test -s /lib/systemd/system/fondaco.service
test "$(stat -c '%U %a' /var/lib/fondaco /etc/fondaco | tr '\n' ' ')" = "fondaco 700 fondaco 750 "
as_fondaco fondaco init --folder /etc/fondaco --data /var/lib/fondaco --host localhost >/dev/null
as_fondaco fondaco doctor --config /etc/fondaco/fondaco.toml
as_fondaco fondaco demo /usr/share/zoneinfo/tzdata.zi --folder /tmp/demo || { tail -n 5 /tmp/demo/*/node.log; exit 1; }
apt-get purge -o Dpkg::Use-Pty=0 -y -qq fondaco >/dev/null
test ! -e /usr/bin/fondaco
# An operator's keys and data outlive the package.
test -s /etc/fondaco/fondaco.toml
echo "installed, demonstrated, purged"
SH
}

if [ -n "$install" ]; then
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(CREATED_BY)' | sed -n 's/ bookworm Packages$//p' | head -n 1)
  [ -n "$mirror" ] || { say "apt knows no mirror of Debian 12 (bookworm)"; exit 1; }
  root=$SCRATCH/fresh
  as_root debootstrap --variant=minbase bookworm "$root" "$mirror" >"$SCRATCH/debootstrap.log" 2>&1 ||
    { say "debootstrap failed:"; tail -n 5 "$SCRATCH/debootstrap.log" >&2; exit 1; }
  as_root cp "$deb" "$root/fondaco.deb"
  install_test | as_root tee "$root/install_test.sh" >/dev/null
  rc=0
  # The mount ends with its namespace.
  as_root unshare --mount --pid --fork -- bash -c \
    'mount -t proc proc "$1/proc" && exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root bash /install_test.sh' \
    bash "$root" || rc=$?
  as_root rm -rf --one-file-system "$root"
  exit "$rc"
fi
