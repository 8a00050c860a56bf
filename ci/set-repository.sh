#!/usr/bin/env bash
# Writes the address of the project, as given, into the manifests: what cargo-binstall, docs.rs and Renovate read.
set -euo pipefail
cd "$(dirname "$0")/.."

address=${1:?the address of the project}
if ! [[ "$address" =~ ^https://[0-9A-Za-z._/-]+$ ]]; then
  echo "$address is not the address of a project" >&2
  exit 1
fi
# Twice is once.
for file in Cargo.toml pyproject.toml; do
  sed -i.old -e '/^repository = /d' -e '/^Repository = /d' "$file"
  rm "$file.old"
done
sed -i.old "s|^license = .*|&\nrepository = \"$address\"|" Cargo.toml
sed -i.old "s|^\[project.urls\]|&\nRepository = \"$address\"|" pyproject.toml
rm Cargo.toml.old pyproject.toml.old
grep -qx "repository = \"$address\"" Cargo.toml
grep -qx "Repository = \"$address\"" pyproject.toml
