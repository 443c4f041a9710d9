#!/usr/bin/env bash
# The house rules that a compiler does not check. usage: layers.sh [ROOT]; prints each breach, exit status 1 when there is one.
#
#   1. A layer includes only what src/README.md allows.
#   2. An outside library's header is included only by the files that are named for it.
#   3. Banned calls: unbounded or locale-bound C functions, malloc outside alloc.c, exit outside main.c.
#   4. No .c file above 800 lines, none that CMake does not know, no left-over marks.
set -u
root=${1:-$(cd "$(dirname "$0")/.." && pwd)}
cd "$root/src" || exit 2
breaches=$(mktemp)
trap 'rm -f "$breaches"' EXIT

declare -A allowed=(
    [base]="base"
    [data]="data base"
    [state]="state base"
    [ml]="ml data base"
    [sinks]="sinks data base"
    [stream]="stream ml sinks state data base"
    [service]="service stream ml sinks state data base"
)

for layer in "${!allowed[@]}"; do
    [ -d "$layer" ] || continue
    for file in "$layer"/*.[ch]; do
        [ -f "$file" ] || continue
        grep -noE '^#include "[a-z_]+/' "$file" | while IFS=: read -r line include; do
            target=${include#'#include "'}
            target=${target%/}
            case " ${allowed[$layer]} " in
            *" $target "*) ;;
            *) echo "src/$file:$line: layer $layer must not include $target" ;;
            esac
        done
    done
done >> "$breaches"

# What is the project's own or the system's; any other header in <> belongs to an outside library and must be in the table.
system='(assert|ctype|errno|fcntl|fenv|float|getopt|glob|inttypes|limits|locale|math|netdb|poll|pthread|signal|std[a-z]+|strings?|time|unistd|dirent|endian|ftw|malloc|x86intrin|immintrin|[a-z]*mmintrin)\.h|(sys|netinet|arpa|linux|sanitizer)/.*|[a-z_]+'
outside='librdkafka/|rocksdb/|libfyaml|zstd|zlib|pcre2|unicode/|xxhash|jansson'
grep -rnoE '#include <[^>]+>' --include='*.[ch]' --include='*.cc' . | grep -vE "<($system)>\$|<($outside)" |
    sed 's#^\./#src/#; s#$#: a header that no line of the table in layers.sh is about#' >> "$breaches"

# header pattern | files that may include it, beside cmd_version.c, which asks all for their versions
while IFS='|' read -r header files; do
    grep -rlE "#include <$header" --include='*.[ch]' --include='*.cc' . | grep -vE "^\./($files|service/cmd_version\.c)\$" | sed "s#^\./#src/#; s#\$#: includes <$header…>, which belongs to $files#"
done >> "$breaches" <<'RULES'
librdkafka/|base/kafka\.h
rocksdb/|state/store_rocksdb\.c
libfyaml|base/yaml_reader\.h
zstd|data/compress\.c
zlib|data/compress\.c
pcre2|ml/stage_regex_tokenizer\.c|stream/source_kafka_find\.h
unicode/|data/timestamp\.c|ml/text\.c
xxhash|ml/label_map\.c|state/key_table\.c
charconv|base/number\.cc
jansson|base/yaml\.h|ml/(evaluate|model|pipeline|stage)\.h|sinks/(file_manifest|kafka_ledger)\.c|stream/(offset\.h|start_offsets\.c)|service/(cmd_schema|main)\.c|service/(document|explain)\.h
RULES

banned='strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gets|gmtime|localtime|rand|srand|system|popen'
grep -rnE "(^|[^A-Za-z0-9_>.])($banned)\(" --include='*.[ch]' . | grep -vE '^[^:]+:[0-9]+: ?\*|/\*' |
    sed 's|^\./|src/|; s|$|   <- banned call|' >> "$breaches"
grep -rnE '(^|[^A-Za-z0-9_>.])(malloc|calloc|realloc|reallocarray|free|strdup|strndup)\(' --include='*.[ch]' . |
    grep -vE '^\./base/alloc\.c:|^[^:]+:[0-9]+: ?\*|/\*' | sed 's|^\./|src/|; s|$|   <- only base/alloc.c allocates|' >> "$breaches"
grep -rnE '(^|[^A-Za-z0-9_>.])exit\(' --include='*.c' . | grep -vE '^\./service/main\.c:|^[^:]+:[0-9]+: ?\*' |
    sed 's|^\./|src/|; s|$|   <- only main.c ends the process|' >> "$breaches"

for file in */*.c */*.cc; do
    [ -f "$file" ] || continue
    lines=$(wc -l < "$file")
    [ "$lines" -le 800 ] || echo "src/$file: $lines lines; above 800 it is two files"
    grep -q "\b$(basename "$file")\b" "$(dirname "$file")/CMakeLists.txt" || echo "src/$file: not in CMakeLists.txt"
done >> "$breaches"
marks='TO''DO|FIX''ME|XX''X|HA''CK'
grep -rnE "\b($marks)\b" . | sed 's|^\./|src/|' >> "$breaches"

if [ -s "$breaches" ]; then
    cat "$breaches"
    exit 1
fi
