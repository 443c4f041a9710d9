/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace version: what this binary is and what it runs with. Versions are asked from the loaded libraries where they
 * can say, for that is what counts in a report; where a library has no such call, the version it was built against.
 */
#include <jansson.h>
#include <libfyaml.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uversion.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/json_writer.h"
#include "service/command.h"

#define OUTPUT_MAX 65536

/* Headers of RocksDB's C API have no version; the build passes it on. */
#ifndef HEADRACE_ROCKSDB_VERSION
#define HEADRACE_ROCKSDB_VERSION "unknown"
#endif

/* jemalloc's own, when it is linked. */
extern int mallctl(const char *name, void *old, size_t *old_length, void *new_value, size_t new_length)
    __attribute__((weak));

struct library {
    const char *name;
    char version[64];
};

static void version_copy(char out[64], const char *version)
{
    snprintf(out, 64, "%s", version);
}

static size_t libraries_ask(struct library libraries[16])
{
    size_t count = 0;
    char text[64];
    libraries[count].name = "librdkafka";
    version_copy(libraries[count++].version, rd_kafka_version_str());
    libraries[count].name = "rocksdb";
    version_copy(libraries[count++].version, HEADRACE_ROCKSDB_VERSION);
    libraries[count].name = "jansson";
    version_copy(libraries[count++].version, jansson_version_str());
    libraries[count].name = "libfyaml";
    version_copy(libraries[count++].version, fy_library_version());
    libraries[count].name = "pcre2";
    if (pcre2_config(PCRE2_CONFIG_VERSION, text) > 0) {
        text[strcspn(text, " ")] = '\0';
        version_copy(libraries[count].version, text);
    }
    count++;
    UVersionInfo icu;
    u_getVersion(icu);
    libraries[count].name = "icu";
    snprintf(libraries[count++].version, 64, "%d.%d", icu[0], icu[1]);
    libraries[count].name = "xxhash";
    unsigned xxhash = XXH_versionNumber();
    snprintf(libraries[count++].version, 64, "%u.%u.%u", xxhash / 10000, xxhash / 100 % 100, xxhash % 100);
    libraries[count].name = "zstd";
    version_copy(libraries[count++].version, ZSTD_versionString());
    libraries[count].name = "zlib";
    version_copy(libraries[count++].version, zlibVersion());
    return count;
}

static bool features_have_faults(void)
{
#ifdef HEADRACE_FAULTS
    return true;
#else
    return false;
#endif
}

struct feature {
    const char *name;
    bool on;
};

static void print_text(const struct library *libraries, size_t count, const struct feature *features,
                       size_t feature_count)
{
    printf("headrace " HEADRACE_VERSION "\n\nlibraries:\n");
    for (size_t i = 0; i < count; i++) {
        printf("  %-12s %s\n", libraries[i].name, libraries[i].version);
    }
    printf("\nfeatures:\n");
    for (size_t i = 0; i < feature_count; i++) {
        printf("  %-12s %s\n", features[i].name, features[i].on ? "yes" : "no");
    }
}

static void print_json(const struct library *libraries, size_t count, const struct feature *features,
                       size_t feature_count)
{
    struct hr_buf out HR_CLEANUP(hr_buf_release);
    hr_buf_init(&out, OUTPUT_MAX);
    struct hr_json json;
    hr_json_init(&json, &out);
    hr_json_object_begin(&json);
    hr_json_key(&json, "version");
    hr_json_text(&json, HEADRACE_VERSION);
    hr_json_key(&json, "libraries");
    hr_json_object_begin(&json);
    for (size_t i = 0; i < count; i++) {
        hr_json_key(&json, libraries[i].name);
        hr_json_text(&json, libraries[i].version);
    }
    hr_json_object_end(&json);
    hr_json_key(&json, "features");
    hr_json_object_begin(&json);
    for (size_t i = 0; i < feature_count; i++) {
        hr_json_key(&json, features[i].name);
        hr_json_bool(&json, features[i].on);
    }
    hr_json_object_end(&json);
    hr_json_object_end(&json);
    hr_buf_append_char(&out, '\n');
    fwrite(out.data, 1, out.length, stdout);
}

static int version(struct hr_arguments *arguments)
{
    struct library libraries[16] = {{.name = NULL}};
    size_t count = libraries_ask(libraries);
    const struct feature features[] = {
        {"faults", features_have_faults()},
        {"jemalloc", mallctl != NULL},
        {"http", false},
    };
    if (hr_arguments_is(arguments, "format", "json")) {
        print_json(libraries, count, features, HR_ARRAY_LEN(features));
    } else {
        print_text(libraries, count, features, HR_ARRAY_LEN(features));
    }
    return 0;
}

static const struct hr_flag flags[] = {
    {.name = "format", .value = "FORMAT", .choices = hr_text_or_json, .help = "default text"},
};

const struct hr_command hr_command_version = {
    .name = "version",
    .operands = "",
    .summary = "own version, libraries, features",
    .doc = NULL,
    .flags = flags,
    .flag_count = HR_ARRAY_LEN(flags),
    .operands_min = 0,
    .operands_max = 0,
    .run = version,
};
