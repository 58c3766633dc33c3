#!/bin/sh
# Fetches the documentation pages' assets from npm at the versions below and stores them compressed.
# Run it in this directory to move to other versions; needs npm, tar, gzip.
set -eu

swagger_ui=5.35.0
redoc=2.5.4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)

unpack() {
    mkdir "$work/$1"
    (cd "$work" && npm pack --silent "$1@$2" >/dev/null && tar xzf "$1-$2.tgz" -C "$1" --strip-components=1)
}
store() { gzip -9nc "$1" >"$here/$2.gz"; }

unpack swagger-ui-dist "$swagger_ui"
store "$work/swagger-ui-dist/swagger-ui-bundle.js" swagger-ui.js
store "$work/swagger-ui-dist/swagger-ui.css" swagger-ui.css
cp "$work/swagger-ui-dist/LICENSE" "$here/LICENSE.swagger-ui.txt"
cp "$work/swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt" "$here/LICENSE.swagger-ui-bundle.txt"

unpack redoc "$redoc"
# ReDoc shows its maker's logo from a content network: the pages must not reach any host but ours.
sed 's#https://cdn.redoc.ly/redoc/logo-mini.svg#data:,#' "$work/redoc/bundles/redoc.standalone.js" >"$work/redoc.js"
! grep -q 'cdn.redoc' "$work/redoc.js"
store "$work/redoc.js" redoc.js
cp "$work/redoc/LICENSE" "$here/LICENSE.redoc.txt"
cp "$work/redoc/bundles/redoc.standalone.js.LICENSE.txt" "$here/LICENSE.redoc-bundle.txt"
