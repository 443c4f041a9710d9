#!/usr/bin/env bash
# layers.sh must find what it is there to find: plants one breach of each kind in a small tree and expects each to be named.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/src/data" "$tree/src/ml"
echo 'hr_layer(data SOURCES good.c bad.c)' > "$tree/src/data/CMakeLists.txt"
echo 'hr_layer(ml SOURCES)' > "$tree/src/ml/CMakeLists.txt"
printf '#include "base/base.h"\n' > "$tree/src/data/good.c"
"$here/layers.sh" "$tree" > /dev/null || { echo "a clean tree is refused"; exit 1; }

expect() {
    printf '%s\n' "$1" > "$tree/src/data/bad.c"
    if out=$("$here/layers.sh" "$tree"); then
        echo "not found: $1"
        exit 1
    fi
    case "$out" in *"$2"*) ;; *) echo "found, but not named: $1: $out"; exit 1 ;; esac
}
expect '#include "ml/stage.h"' 'must not include ml'
expect '#include <rocksdb/c.h>' 'rocksdb'
expect '#include <jansson.h>' 'jansson'
expect '#include <unicode/utypes.h>' 'unicode'
expect '#include <cblas.h>' 'no line of the table'
expect 'int f(char *a) { return atoi(a); }' 'banned call'
expect 'void *f(void) { return malloc(1); }' 'only base/alloc.c'
expect 'void f(void) { exit(1); }' 'only main.c'
expect "/* TO""DO later */" 'TO''DO'
expect "$(yes ';' | head -801)" 'above 800'
rm "$tree/src/data/bad.c"
printf '\n' > "$tree/src/ml/forgotten.c"
if "$here/layers.sh" "$tree" > /dev/null; then echo "a file that CMake does not know was not found"; exit 1; fi
