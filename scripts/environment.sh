# shellcheck shell=bash
# Sourced by the other scripts: finds Python, installs Debian packages, makes the environment.
# Every step looks first whether it is done already, so a second run costs a second.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
environment="$root/.venv"

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# python_311 prints the first Python of at least 3.11 that it finds.
python_311() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "Vigilar needs Python 3.11 or newer (apt-get install python3)"
}

# debian_packages NAME… installs those that are missing, as root or with sudo.
# Without either it says what is missing and returns 1.
debian_packages() {
    command -v apt-get >/dev/null || { say "not a Debian system: please install $*"; return 1; }
    local name missing=() elevate=()
    for name; do
        [ "$(dpkg-query -W -f='${Status}' "$name" 2>/dev/null)" = "install ok installed" ] ||
            missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { say "missing Debian packages: ${missing[*]}"; return 1; }
        elevate=(sudo)
    fi
    say "installing Debian packages: ${missing[*]}"
    "${elevate[@]}" apt-get update -qq </dev/null
    # A package manager that starts services would start a second broker and a database.
    "${elevate[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >&2
}

# environment KIND makes .venv with everything pinned in constraints.txt; KIND is run or test.
environment() {
    local kind=$1 python stamp requirements
    python=$(python_311)
    requirements="$root/constraints.txt"
    [ "$kind" = test ] && requirements="$root/constraints-test.txt"
    stamp=$(cat "$requirements" "$root"/pyproject.toml "$root"/plugins/*/pyproject.toml \
        "$root"/examples/*/pyproject.toml | sha256sum; "$python" --version)
    if [ "$(cat "$environment/stamp.$kind" 2>/dev/null)" = "$stamp" ]; then return; fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        debian_packages python3-venv || fail "python3-venv is missing"
    fi
    [ -x "$environment/bin/python" ] || { say "making $environment"; "$python" -m venv "$environment"; }
    say "installing pinned packages (a minute the first time)"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes -r "$requirements"
    local part editable=(-e "$root")
    for part in "$root"/plugins/*/; do editable+=(-e "$part"); done
    if [ "$kind" = test ]; then
        for part in "$root"/examples/*/; do editable+=(-e "$part"); done
    fi
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
        --no-deps --no-build-isolation "${editable[@]}"
    printf '%s\n' "$stamp" >"$environment/stamp.$kind"
}
