#!/usr/bin/env bash
# Builds all packages of this machine and uses them as their users would: the wheel in an empty virtual environment, the
# archive, and the .deb and .rpm unpacked.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(rustc -vV | sed -n 's/^host: //p')
cargo install --quiet --locked cargo-auditable
cargo auditable build --release --locked --target "$target"
rm -rf dist
ci/package.sh "$target"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The main job of the README, with the binary of a package.
runs() { (cd "$work" && "$1" apply "$OLDPWD/examples/networks.yaml" --simulate --yes --quiet >/dev/null) && echo "runs: $2"; }

# Where objdump is installed: all packages hold a binary that lists its dependencies.
lists_dependencies() { ! command -v objdump >/dev/null || objdump --section-headers "$1" | grep '\.dep-v0' >/dev/null; }

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-index dist/*.whl
runs "$work/venv/bin/dectl" "the wheel"
lists_dependencies "$work/venv/bin/dectl"

mkdir "$work/archive" && tar -xzf "dist/dectl-$target.tar.gz" -C "$work/archive"
runs "$work/archive/dectl" "the archive"
lists_dependencies "$work/archive/dectl"
test -s "$work/archive/man/dectl-apply.1" && test -s "$work/archive/completions/dectl.bash"

if command -v dpkg-deb >/dev/null; then
  dpkg-deb --extract dist/*.deb "$work/deb"
  runs "$work/deb/usr/bin/dectl" "the .deb"
  lists_dependencies "$work/deb/usr/bin/dectl"
  test -s "$work/deb/usr/share/man/man1/dectl-apply.1.gz" && test -s "$work/deb/usr/share/bash-completion/completions/dectl"
fi
if command -v rpm2cpio >/dev/null && command -v cpio >/dev/null; then
  # It unpacks the whole, and ends with an error all the same: cargo-generate-rpm does not say how large that is.
  mkdir "$work/rpm" && { rpm2cpio dist/*.rpm || true; } | (cd "$work/rpm" && cpio --extract --make-directories --quiet)
  runs "$work/rpm/usr/bin/dectl" "the .rpm"
  lists_dependencies "$work/rpm/usr/bin/dectl"
  test -s "$work/rpm/usr/share/man/man1/dectl-apply.1"
fi
