#!/usr/bin/env bash
# Holds what lies in deploy/ against the linters of others, which it fetches (Python, Go): npm run check:deploy. `--dry-run` also does what the Dockerfile does; `--quick` needs no
# Go: without kustomize, each manifest by itself. EPOCHAL_LINTERS is a folder that has the Python ones already, as the tests have.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=${EPOCHAL_CHECK_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/epochal/check-deploy}
bin=${EPOCHAL_LINTERS:-$tools/bin}
if [ -z "${EPOCHAL_LINTERS:-}" ] && ! cmp -s deploy/tools/requirements.txt "$tools/requirements.txt"; then
  python3 -m venv "$tools"
  "$bin/python" -m pip install --disable-pip-version-check -q --require-hashes -r deploy/tools/requirements.txt
  cp deploy/tools/requirements.txt "$tools/requirements.txt"
fi
# Where Go is installed by its own instructions, which leave the PATH to the user.
PATH="$PATH:/usr/local/go/bin"

echo "hadolint: deploy/Dockerfile"
"$bin/hadolint" --failure-threshold info deploy/Dockerfile
echo "compose specification: deploy/compose/compose.yaml"
"$bin/python" -m check_jsonschema --builtin-schema vendor.compose-spec deploy/compose/compose.yaml
echo "shellcheck: scripts in deploy"
find deploy \( -name '*.sh' -o -name '*.sbatch' \) -exec "$bin/shellcheck" {} +
echo "yamllint: deploy"
"$bin/python" -m yamllint --strict -c deploy/tools/yamllint.yaml deploy
if [ "${1:-}" = --quick ]; then
  echo "the schemas of Kubernetes: deploy/kubernetes"
  for manifest in deploy/kubernetes/*.yaml; do
    [ "$manifest" = deploy/kubernetes/kustomization.yaml ] && continue
    for version in 1.30.0 1.37.0; do "$bin/python" -m kubernetes_validate --strict --quiet -k "$version" "$manifest"; done
  done
  echo "deploy/ passes."
  exit
fi
echo "kustomize, and the schemas of Kubernetes: deploy/kubernetes"
manifests=$(mktemp --suffix .yaml)
trap 'rm -f "$manifests"' EXIT
GOTOOLCHAIN=local GOFLAGS=-mod=readonly go -C deploy/tools tool kustomize build ../kubernetes >"$manifests"
for version in 1.30.0 1.37.0; do
  "$bin/python" -m kubernetes_validate --strict --quiet -k "$version" "$manifests"
done
if [ "${1:-}" = --dry-run ]; then node deploy/dry-run.mjs; fi
echo "deploy/ passes."
