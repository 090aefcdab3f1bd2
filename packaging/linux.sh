#!/usr/bin/env bash
# Makes what is released for Linux on this machine's architecture, in DIST (default: target/package/dist):
# a .tar.gz with a static binary, a .deb, an .rpm, the root folder of a container image, and an SBOM.
#
#     packaging/linux.sh [DIST]
#
# Needs cargo, gcc, git, dpkg-dev, rpm, ca-certificates, cargo-auditable and cargo-cyclonedx.
# To try the recipe faster: PROFILE=optimized, or STATIC=FILE and DYNAMIC=FILE for binaries that are built already.
set -euo pipefail
. "$(dirname "$0")/facts.sh"

work="$root/target/package"
dist=${1:-$work/dist}
profile=${PROFILE:-dist}
target="$(uname -m)-unknown-linux-gnu"
mkdir -p "$work" "$dist"
dist=$(cd "$dist" && pwd)

# cargo-auditable writes the list of dependencies into the binary, for `cargo audit bin` and other scanners.
build() {
  note "building: $*"
  (cd "$root" && cargo auditable build --locked --profile "$profile" --target "$target" "$@")
}

# The static binary looks host names up itself: glibc's own resolver loads libraries of the machine it runs on, and crashes
# where their version is another.
build_static() {
  static=${STATIC:-}
  [ -z "$static" ] || return 0
  RUSTFLAGS="-C target-feature=+crt-static" build --features full,dns-client --target-dir "$work/static"
  static="$work/static/$target/$profile/tallyport"
}

# Packages know their distribution: they take its C library, and with it its way of looking hosts up.
build_dynamic() {
  dynamic=${DYNAMIC:-}
  [ -z "$dynamic" ] || return 0
  build --features full --target-dir "$work/dynamic"
  dynamic="$work/dynamic/$target/$profile/tallyport"
}

# The files of a package below $1, from the archive, so that all have the same.
stage() {
  local stage=$1 share=$1/usr/share
  local unpacked="$work/unpacked/tallyport-$version-$target"
  rm -rf "$stage" "$work/unpacked"
  mkdir -p "$work/unpacked" "$share/doc/tallyport" "$share/tallyport" "$share/man/man1"
  tar -xzf "$dist/tallyport-$version-$target.tar.gz" -C "$work/unpacked"
  install -D -m 755 "$dynamic" "$stage/usr/bin/tallyport"
  install -D -m 644 "$unpacked/completions/tallyport.bash" "$share/bash-completion/completions/tallyport"
  install -D -m 644 "$unpacked/completions/_tallyport" "$share/zsh/vendor-completions/_tallyport"
  install -D -m 644 "$unpacked/completions/tallyport.fish" "$share/fish/vendor_completions.d/tallyport.fish"
  gzip -9n < "$unpacked/man/tallyport.1" > "$share/man/man1/tallyport.1.gz"
  cp -r "$unpacked/samples" "$unpacked/templates" "$share/tallyport/"
  cp -r "$unpacked/README.md" "$unpacked/CHANGELOG.md" "$unpacked/docs" "$unpacked/THIRD-PARTY.txt" "$share/doc/tallyport/"
  cp "$unpacked/LICENSE" "$share/doc/tallyport/copyright"
  chmod -R u=rwX,go=rX "$stage"
}

deb() {
  local stage="$work/deb" maintainer needs
  stage "$stage"
  maintainer=$(sed -n 's/^authors = \["\(.*\)"\]/\1/p' "$root/Cargo.toml")
  mkdir -p "$work/shlibs/debian" "$stage/DEBIAN"
  touch "$work/shlibs/debian/control"
  needs=$(cd "$work/shlibs" && dpkg-shlibdeps -O "$stage/usr/bin/tallyport" 2>/dev/null)
  cat > "$stage/DEBIAN/control" <<CONTROL
Package: tallyport
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: ${maintainer:-The tallyport contributors <maintainer@address-not-set.invalid>}
Section: utils
Priority: optional
Depends: ${needs#shlibs:Depends=}
Recommends: ca-certificates
Installed-Size: $(du -sk --exclude=DEBIAN "$stage" | cut -f1)
Homepage: $address
Description: move inventories between spreadsheets and BlueTally
 Checks every row, turns names into ids, shows what it would do, and sends only
 what is new or changed. Every run can be resumed and undone.
CONTROL
  [ "$is_address_known" = yes ] || sed -i '/^Homepage:/d' "$stage/DEBIAN/control"
  dpkg-deb --root-owner-group --build "$stage" "$dist/tallyport_${version}_$(dpkg --print-architecture).deb" >/dev/null
}

rpm_package() {
  local stage="$work/rpm-stage" spec="$work/tallyport.spec" url=
  stage "$stage"
  # Fedora keeps zsh's functions elsewhere, and licences in a folder of their own.
  mkdir -p "$stage/usr/share/zsh/site-functions" "$stage/usr/share/licenses/tallyport"
  mv "$stage/usr/share/zsh/vendor-completions/_tallyport" "$stage/usr/share/zsh/site-functions/"
  mv "$stage/usr/share/doc/tallyport/copyright" "$stage/usr/share/licenses/tallyport/LICENSE"
  rmdir "$stage/usr/share/zsh/vendor-completions"
  [ "$is_address_known" = no ] || url="URL: $address"
  cat > "$spec" <<SPEC
Name: tallyport
Version: $version
Release: 1
Summary: Move inventories between spreadsheets and BlueTally
License: $license
Recommends: ca-certificates
$url

%description
Checks every row, turns names into ids, shows what it would do, and sends only
what is new or changed. Every run can be resumed and undone.

%install
cp -a $stage/. %{buildroot}/

%files
/usr/bin/tallyport
/usr/share/bash-completion/completions/tallyport
/usr/share/fish/vendor_completions.d/tallyport.fish
/usr/share/zsh/site-functions/_tallyport
/usr/share/tallyport
%license /usr/share/licenses/tallyport
%doc /usr/share/doc/tallyport
%doc /usr/share/man/man1/tallyport.1.gz
SPEC
  # Nothing is stripped or packed again: the binary is, and its list of dependencies is to stay.
  rpmbuild -bb --quiet --define "_topdir $work/rpm" --define "_rpmdir $dist" --define "_build_id_links none" \
    --define "debug_package %{nil}" --define "__os_install_post %{nil}" \
    --define "_rpmfilename tallyport-$version-1.%%{ARCH}.rpm" "$spec"
}

# What `Containerfile` copies: the static binary, the authorities that TLS trusts, and folders that a user may write to.
container() {
  local folder="$dist/container"
  rm -rf "$folder"
  mkdir -p "$folder/root/usr/bin" "$folder/root/etc/ssl/certs" "$folder/root/tmp" "$folder/root/data" "$folder/root/state"
  install -m 755 "$static" "$folder/root/usr/bin/tallyport"
  install -m 644 /etc/ssl/certs/ca-certificates.crt "$folder/root/etc/ssl/certs/"
  chmod 1777 "$folder/root/tmp" "$folder/root/data" "$folder/root/state"
  cp "$root/packaging/Containerfile" "$folder/"
  tar -czf "$dist/tallyport-$version-container-$(uname -m).tar.gz" -C "$folder" .
  rm -rf "$folder"
}

sbom() {
  (cd "$root" && cargo cyclonedx --quiet --format json --features full,dns-client --target "$target" --override-filename tallyport)
  mv "$root/tallyport.json" "$dist/tallyport-$version.cdx.json"
}

"$root/packaging/notices.sh"
build_static
build_dynamic
"$root/packaging/archive.sh" "$target" "$static" "$dist"
note "making the .deb"; deb
note "making the .rpm"; rpm_package
note "making the container's root"; container
note "making the SBOM"; sbom
ls -l "$dist"
