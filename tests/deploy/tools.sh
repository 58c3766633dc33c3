# The pinned tools, each set in an environment of its own, since their dependencies contradict each other. To be sourced; sets $tools.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
mkdir -p "${CARGO_TARGET_DIR:-$root/target}"
tools=$(cd "${CARGO_TARGET_DIR:-$root/target}" && pwd)/deploy-tools

# Makes the environments named, where they are not there as pinned.
install_tools() {
    local name pins
    for name in "$@"; do
        pins=$root/tests/deploy/tools/$name.txt
        if cmp -s "$pins" "$tools/$name/installed.txt"; then continue; fi
        python3 -m venv --clear "$tools/$name"
        "$tools/$name/bin/pip" install --quiet --disable-pip-version-check -r "$pins"
        cp "$pins" "$tools/$name/installed.txt"
    done
}

# Nothing of a developer's account is used, and nothing is reported to anybody.
export AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test SAM_CLI_TELEMETRY=0
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
unset AWS_PROFILE AWS_SESSION_TOKEN
