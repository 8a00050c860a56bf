#!/usr/bin/env bash
# What must pass before anything lands: formatting, lints, documentation, tests. Runs from a clean clone.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TERM_COLOR=never

if ! command -v cargo >/dev/null; then
  echo "cargo is missing: install Rust from your package manager or https://rustup.rs" >&2
  exit 1
fi
# ring compiles a little C.
if ! command -v cc >/dev/null; then
  apt-get update -qq && apt-get install -y -qq gcc libc6-dev
fi
if ! command -v python3 >/dev/null; then
  apt-get update -qq && apt-get install -y -qq python3
fi
# One test looks at the HTML plan in a browser. Where none can be had, it says that it was skipped.
if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null && command -v apt-get >/dev/null; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium || echo "no Chromium here" >&2
fi
# One test runs forty organizations with GNU parallel, in the same way.
if ! command -v parallel >/dev/null && command -v apt-get >/dev/null; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends parallel || echo "no GNU parallel here" >&2
fi
# GitLab's component runs with gitlab-ci-local, which needs both, in the same way.
if ! { command -v npm && command -v rsync; } >/dev/null && command -v apt-get >/dev/null; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends npm rsync || echo "no npm or rsync here" >&2
fi
for component in rustfmt clippy; do
  cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component"
done

# Linters of workflows, the builder of the Python package, and pre-commit, which a test uses.
python3 -m venv target/venv 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv && python3 -m venv target/venv; }
target/venv/bin/pip install --quiet --requirement ci/requirements.txt
PATH="$PWD/target/venv/bin:$PATH"

echo "== workflows"
workflows=(.github/workflows/*.yml examples/pipelines/github/*.yml)
actionlint "${workflows[@]}"
zizmor --offline --quiet --config .github/zizmor.yml .github examples/pipelines/github action.yml
check-jsonschema --builtin-schema vendor.github-workflows "${workflows[@]}"
check-jsonschema --builtin-schema vendor.github-actions action.yml
check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/{fault,limits,wish}.yml
check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci examples/pipelines/gitlab/.gitlab-ci.yml
# The jobs after the inputs.
sed '1,/^---$/d' examples/pipelines/gitlab/templates/dectl.yml > target/gitlab-component.yml
check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci target/gitlab-component.yml

echo "== formatting"
cargo fmt --all -- --check

echo "== lints"
cargo clippy --locked --all-targets -- -D warnings

# Clippy has looked at the standard library (incompatible_msrv); this looks at the dependencies.
echo "== the oldest Rust"
oldest=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
newer=$(cargo metadata --locked --format-version 1 | python3 -c '
import json, sys
def version(text): return [int(part) for part in text.split(".")]
oldest = version(sys.argv[1])
for package in json.load(sys.stdin)["packages"]:
    if package["rust_version"] and version(package["rust_version"])[:2] > oldest[:2]:
        print(package["name"], package["version"], "asks for", package["rust_version"])
' "$oldest")
if [ -n "$newer" ]; then
  printf 'Cargo.toml says %s, but\n%s\n' "$oldest" "$newer" >&2
  exit 1
fi

echo "== documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

# Advisories need the network; a workflow looks at those.
echo "== licences, bans, sources"
command -v cargo-deny >/dev/null || cargo install --locked --quiet cargo-deny
cargo deny --locked check licenses bans sources

echo "== tests"
cargo test --locked

echo "== pipelines"
python3 ci/pipelines.py target/debug/dectl
