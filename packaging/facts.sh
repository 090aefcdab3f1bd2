# Read by the other scripts: what they all need to know, and where each fact is written.
# shellcheck shell=bash disable=SC2034 # the variables are for those scripts

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The value of a key in Cargo.toml's `[package]`, empty if it is commented out.
cargo_value() {
  sed -n "/^\[package\]/,/^\[/s/^$1 = \"\(.*\)\"/\1/p" "$root/Cargo.toml"
}

version=$(cargo_value version)
description=$(cargo_value description)
license=$(cargo_value license)

# The public address is `repository` in Cargo.toml and nowhere else. `.invalid` is reserved: no such host can exist.
address=$(cargo_value repository)
missing_address="https://address-not-set.invalid/owner-not-set/tallyport"
is_address_known=yes
if [ -z "$address" ]; then
  is_address_known=no
  address=$missing_address
fi
address=${address%/}
owner=$(basename "$(dirname "$address")")
downloads="$address/releases/download/v$version"

note() { printf -- '-- %s\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# `sha256sum` where there is one; macOS has `shasum`.
sha256() {
  if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}
