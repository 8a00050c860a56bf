#!/usr/bin/env bash
# Packs the release binary of a target into `dist`: an archive with manual pages and completions, a Python wheel, and on
# Linux a .deb and an .rpm.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:?the target, as rustc names it}
built="target/$target/release"
name=dectl
case "$target" in *-windows-*) name=dectl.exe ;; esac
dectl="$built/$name"

files="target/package-files"
rm -rf "$files"
mkdir -p "$files/man" "$files/completions" dist
"$dectl" man --write "$files/man"
for shell in bash elvish fish powershell zsh; do
  "$dectl" completions "$shell" > "$files/completions/dectl.$shell"
done
cp LICENSE* README.md CHANGELOG.md "$dectl" "$files/"
tar -czf "dist/dectl-$target.tar.gz" -C "$files" .

case "$target" in
  *-linux-*)
    cargo install --quiet --locked cargo-deb cargo-generate-rpm
    cargo deb --no-build --no-strip --target "$target" --output dist/
    cargo generate-rpm --target "$target" --output dist/
    ;;
esac

python3 -m venv target/package-venv
bin=target/package-venv/bin
[ -d "$bin" ] || bin=target/package-venv/Scripts
"$bin/pip" install --quiet "$(grep "^maturin==" ci/requirements.txt)"
case "$target" in
  # A static binary runs on every Linux.
  *-musl) tags=(--compatibility manylinux2014 musllinux_1_2) ;;
  *) tags=() ;;
esac
# maturin builds the binary once more, with what CARGO names: it lists its dependencies, too.
case "$target" in
  *-windows-*) ;;
  *)
    printf '#!/bin/sh\nexec cargo auditable "$@"\n' > target/cargo-auditable.sh
    chmod +x target/cargo-auditable.sh
    export CARGO="$PWD/target/cargo-auditable.sh"
    ;;
esac
"$bin/maturin" build --release --locked --target "$target" "${tags[@]}" --out dist
