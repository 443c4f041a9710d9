/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading, appending, and keeping the manifest short: at an open with many lines it is written anew with the last one.
 */
#include "sinks/file_manifest.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_writer.h"
#include "base/wire.h"

#define MANIFEST_MAX (256u << 20)
#define MANIFEST_LINES_MAX 1000u

struct manifest_reading {
    const char *query;
    const char *sink;
    struct hr_file_part last; /* newest good line */
    struct hr_file_part before; /* the newest one of another batch */
    bool has_before;
    size_t lines;
    size_t good_bytes; /* up to the end of the last good line */
};

static void json_release(json_t **json)
{
    json_decref(*json);
}

static void copy_text(char *out, size_t size, const json_t *text)
{
    (void)snprintf(out, size, "%s", json_is_string(text) ? json_string_value(text) : "");
}

/* A line without its newline; false: damaged. */
static bool line_parse(struct hr_str line, json_t **out)
{
    const char *tab = memchr(line.data, '\t', line.length);
    if (tab == NULL) {
        return false;
    }
    size_t length = (size_t)(tab - line.data);
    char sum[16];
    int sum_length = snprintf(sum, sizeof(sum), "%08x", hr_crc32c(0, line.data, length));
    if (line.length - length - 1 != (size_t)sum_length || memcmp(tab + 1, sum, (size_t)sum_length) != 0) {
        return false;
    }
    *out = json_loadb(line.data, length, JSON_REJECT_DUPLICATES, NULL);
    return json_is_object(*out);
}

static enum hr_status line_take(const struct hr_file_manifest *manifest, struct manifest_reading *reading,
                                const json_t *line, struct hr_error *err)
{
    const char *query = json_string_value(json_object_get(line, "query"));
    const char *sink = json_string_value(json_object_get(line, "sink"));
    if (query == NULL || sink == NULL || strcmp(query, reading->query) != 0 || strcmp(sink, reading->sink) != 0) {
        (void)hr_fail(err, HR_MISMATCH, "directory '%s' belongs to query '%s', sink '%s'", manifest->directory,
                      query != NULL ? query : "?", sink != NULL ? sink : "?");
        return hr_fail_hint(err, "give this sink another path: parts of two writers cannot be told apart");
    }
    struct hr_file_part *part = &reading->last;
    struct hr_file_part old = *part;
    copy_text(part->lineage, sizeof(part->lineage), json_object_get(line, "lineage"));
    copy_text(part->name, sizeof(part->name), json_object_get(line, "part"));
    part->batch = json_integer_value(json_object_get(line, "batch"));
    part->rows = (uint64_t)json_integer_value(json_object_get(line, "rows"));
    part->bytes = (uint64_t)json_integer_value(json_object_get(line, "bytes"));
    part->crc = (uint32_t)json_integer_value(json_object_get(line, "crc"));
    /* A batch that is delivered once more has another line: what was before it is before both. */
    if (reading->lines > 0 && (old.batch != part->batch || strcmp(old.lineage, part->lineage) != 0)) {
        reading->before = old;
        reading->has_before = true;
    }
    reading->lines++;
    return HR_OK;
}

static enum hr_status manifest_parse(const struct hr_file_manifest *manifest, struct hr_str text,
                                     struct manifest_reading *reading, struct hr_error *err)
{
    size_t start = 0;
    while (start < text.length) {
        const char *newline = memchr(text.data + start, '\n', text.length - start);
        if (newline == NULL) {
            return HR_OK; /* torn: it was never synced, so nothing was shown for it */
        }
        struct hr_str line = {text.data + start, (size_t)(newline - text.data) - start};
        HR_CLEANUP(json_release) json_t *parsed = NULL;
        if (!line_parse(line, &parsed)) {
            if (start + line.length + 1 == text.length) {
                return HR_OK; /* the same, with its newline */
            }
            (void)hr_fail(err, HR_CORRUPT, "'%s' is damaged at line %zu", manifest->path, reading->lines + 1);
            return hr_fail_hint(err, "restore the directory from a copy, or give the sink a new path");
        }
        HR_TRY(line_take(manifest, reading, parsed, err));
        start += line.length + 1;
        reading->good_bytes = start;
    }
    return HR_OK;
}

/* Is the part of a line in sight, whole? */
static bool part_is_there(const struct hr_file_manifest *manifest, const struct hr_file_part *part,
                          struct hr_arena *arena)
{
    if (part->name[0] == '\0') {
        return true;
    }
    int fd = open(hr_file_join(arena, manifest->directory, part->name), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    static const size_t block = 1u << 16;
    char *data = hr_arena_alloc(arena, block);
    uint64_t bytes = 0;
    uint32_t crc = 0;
    ssize_t got;
    while ((got = read(fd, data, block)) > 0) {
        crc = hr_crc32c(crc, data, (size_t)got);
        bytes += (uint64_t)got;
    }
    (void)close(fd);
    return got == 0 && bytes == part->bytes && crc == part->crc;
}

static void line_write(struct hr_buf *out, const char *query, const char *sink, const struct hr_file_part *part)
{
    struct hr_json json;
    size_t start = out->length;
    hr_json_init(&json, out);
    hr_json_object_begin(&json);
    hr_json_key(&json, "query");
    hr_json_text(&json, query);
    hr_json_key(&json, "sink");
    hr_json_text(&json, sink);
    hr_json_key(&json, "lineage");
    hr_json_text(&json, part->lineage);
    hr_json_key(&json, "batch");
    hr_json_int(&json, part->batch);
    hr_json_key(&json, "part");
    hr_json_text(&json, part->name);
    hr_json_key(&json, "rows");
    hr_json_int(&json, (int64_t)part->rows);
    hr_json_key(&json, "bytes");
    hr_json_int(&json, (int64_t)part->bytes);
    hr_json_key(&json, "crc");
    hr_json_int(&json, part->crc);
    hr_json_object_end(&json);
    uint32_t crc = hr_crc32c(0, out->data + start, out->length - start);
    hr_buf_printf(out, "\t%08x\n", crc);
}

/* What is left of the file when it is long or its tail is not good: the lines that are still needed. */
static enum hr_status manifest_rewrite(struct hr_file_manifest *manifest, const struct manifest_reading *reading,
                                       struct hr_error *err)
{
    hr_buf_clear(&manifest->line);
    if (manifest->known) {
        line_write(&manifest->line, reading->query, reading->sink, &manifest->last);
    }
    if (manifest->has_unseen) {
        line_write(&manifest->line, reading->query, reading->sink, &manifest->unseen);
    }
    return hr_file_write_atomic(manifest->path, manifest->line.data, manifest->line.length, err);
}

enum hr_status hr_file_manifest_open(struct hr_file_manifest *manifest, const char *directory, const char *query,
                                     const char *sink, struct hr_arena *arena, struct hr_error *err)
{
    *manifest = (struct hr_file_manifest){.directory = directory, .fd = -1};
    manifest->path = hr_file_join(arena, directory, HR_FILE_MANIFEST_NAME);
    hr_buf_init(&manifest->line, MANIFEST_MAX);
    struct manifest_reading reading = {.query = query, .sink = sink};
    if (hr_file_exists(manifest->path)) {
        HR_TRY(hr_file_read(manifest->path, MANIFEST_MAX, &manifest->line, err));
        size_t length = manifest->line.length;
        HR_TRY(manifest_parse(manifest, hr_buf_str(&manifest->line), &reading, err));
        bool there = reading.lines > 0 && part_is_there(manifest, &reading.last, arena);
        manifest->known = there || reading.has_before;
        manifest->last = there ? reading.last : reading.before;
        manifest->has_unseen = reading.lines > 0 && !there;
        manifest->unseen = reading.last;
        if (reading.lines > MANIFEST_LINES_MAX || reading.good_bytes != length) {
            HR_TRY(manifest_rewrite(manifest, &reading, err));
        }
    }
    manifest->fd = open(manifest->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (manifest->fd < 0) {
        return hr_fail_errno(err, HR_CANNOT_CREATE, "cannot write '%s'", manifest->path);
    }
    return hr_file_sync_directory(directory, err);
}

enum hr_status hr_file_manifest_append(struct hr_file_manifest *manifest, const char *query, const char *sink,
                                       const struct hr_file_part *part, struct hr_error *err)
{
    hr_buf_clear(&manifest->line);
    line_write(&manifest->line, query, sink, part);
    HR_TRY(hr_file_write_all(manifest->fd, manifest->path, manifest->line.data, manifest->line.length, err));
    if (fdatasync(manifest->fd) != 0) {
        return hr_fail_errno(err, HR_IO, "cannot sync '%s'", manifest->path);
    }
    manifest->last = *part;
    manifest->known = true;
    manifest->has_unseen = false;
    return HR_OK;
}

void hr_file_manifest_close(struct hr_file_manifest *manifest)
{
    if (manifest->path == NULL) {
        return;
    }
    if (manifest->fd >= 0) {
        (void)close(manifest->fd);
    }
    hr_buf_release(&manifest->line);
    *manifest = (struct hr_file_manifest){.fd = -1};
}
