# What the scripts of these tests need of a machine. To be sourced; sets $root and $tools.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
mkdir -p "${CARGO_TARGET_DIR:-$root/target}"
tools=$(cd "${CARGO_TARGET_DIR:-$root/target}" && pwd)/test-tools
mkdir -p "$tools"

# Installs the Debian package $2 where there is no command $1.
need() {
    local as_root=()
    if command -v "$1" >/dev/null; then return; fi
    if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

# Makes the Python environment $tools/$1 with the packages that the file $2 pins, where it is not there as pinned.
make_venv() {
    if cmp -s "$2" "$tools/$1/installed.txt"; then return; fi
    need python3 python3
    if ! python3 -m venv --clear "$tools/$1" 2>/dev/null; then
        need ensurepip-is-no-command python3-venv
        python3 -m venv --clear "$tools/$1"
    fi
    "$tools/$1/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$2"
    cp "$2" "$tools/$1/installed.txt"
}
