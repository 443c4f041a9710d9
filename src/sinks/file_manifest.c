/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading, appending, and keeping the manifest short: after an open with many lines, or a bad end, the first append
 * writes it anew.
 */
#include "sinks/file_manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
    struct hr_file_part last;   /* newest good line */
    struct hr_file_part before; /* the newest one of another batch */
    bool has_before;
    size_t lines;
    size_t good_bytes; /* up to the end of the last good line */
};

static void json_release(json_t **json)
{
    json_decref(*json);
}

static enum hr_status manifest_hint(struct hr_error *err)
{
    return hr_fail_hint(err,
                        "restore " HR_FILE_MANIFEST_NAME " from a copy; or move it away and go on with `headrace "
                        "checkpoint take-over` (what was learned is kept) or `headrace run --new-lineage`: the parts "
                        "stay, and rows may be written again (docs/recovery.md)");
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

/* The end of the file without a newline: a line that a crash cut off, which was never synced, so that nothing was shown
 * for it; or a whole line whose newline is damaged. */
static enum hr_status tail_take(const struct hr_file_manifest *manifest, struct hr_str tail,
                                struct manifest_reading *reading, struct hr_error *err)
{
    HR_CLEANUP(json_release) json_t *parsed = NULL;
    bool whole = line_parse(tail, &parsed);
    if (!whole && tail.length > 0) {
        tail.length--;
        json_decref(parsed);
        parsed = NULL;
        whole = line_parse(tail, &parsed);
    }
    return whole ? line_take(manifest, reading, parsed, err) : HR_OK;
}

/* After a power loss a file may have its length and not its bytes, which then read as zeros. */
static bool never_reached_disk(struct hr_str line)
{
    return memmem(line.data, line.length, "\0\0\0\0", 4) != NULL;
}

static enum hr_status manifest_parse(const struct hr_file_manifest *manifest, struct hr_str text,
                                     struct manifest_reading *reading, struct hr_error *err)
{
    size_t start = 0;
    while (start < text.length) {
        const char *newline = memchr(text.data + start, '\n', text.length - start);
        if (newline == NULL) {
            return tail_take(manifest, (struct hr_str){text.data + start, text.length - start}, reading, err);
        }
        struct hr_str line = {text.data + start, (size_t)(newline - text.data) - start};
        HR_CLEANUP(json_release) json_t *parsed = NULL;
        if (!line_parse(line, &parsed)) {
            if (start + line.length + 1 == text.length && never_reached_disk(line)) {
                return HR_OK;
            }
            (void)hr_fail(err, HR_CORRUPT, "'%s' is damaged at line %zu", manifest->path, reading->lines + 1);
            return manifest_hint(err);
        }
        HR_TRY(line_take(manifest, reading, parsed, err));
        start += line.length + 1;
        reading->good_bytes = start;
    }
    return HR_OK;
}

/* ---- what is in sight --------------------------------------------------------------------------------------- */

/* Size and sum of a file. */
static enum hr_status part_sum(int fd, const char *path, struct hr_arena *arena, struct hr_file_part *out,
                               struct hr_error *err)
{
    static const size_t block = 1u << 16;
    char *data = hr_arena_alloc(arena, block);
    ssize_t got;
    while ((got = read(fd, data, block)) > 0) {
        out->crc = hr_crc32c(out->crc, data, (size_t)got);
        out->bytes += (uint64_t)got;
    }
    return got == 0 ? HR_OK : hr_fail_errno(err, HR_IO, "cannot read '%s'", path);
}

/* Is the part of a line in sight? One that is there must be what the line says: it was synced before its rename. */
static enum hr_status part_look(const struct hr_file_manifest *manifest, const struct hr_file_part *part, bool *there,
                                struct hr_arena *arena, struct hr_error *err)
{
    *there = true;
    if (part->name[0] == '\0') {
        return HR_OK;
    }
    const char *path = hr_file_join(arena, manifest->directory, part->name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *there = false;
        return HR_OK;
    }
    if (fd < 0) {
        return hr_fail_errno(err, HR_IO, "cannot open '%s'", path);
    }
    struct hr_file_part found = {0};
    enum hr_status status = part_sum(fd, path, arena, &found, err);
    (void)close(fd);
    if (status == HR_OK && (found.bytes != part->bytes || found.crc != part->crc)) {
        status = hr_fail(err, HR_CORRUPT, "'%s' is damaged: its size or checksum is not that of the manifest", path);
        (void)hr_fail_hint(err, "restore the part from a copy; or move part and " HR_FILE_MANIFEST_NAME
                                " away and go on with `headrace checkpoint take-over` (what was learned is kept) or "
                                "`headrace run --new-lineage`: rows may be written again (docs/recovery.md)");
    }
    return status;
}

/* The lineage of the last line numbers its parts with 0, so it met no part of another lineage: then a part of a later
 * batch can only be its own, and the manifest has lost the line of it. */
static bool part_tells_of_lost_line(const struct hr_file_manifest *manifest, const char *name)
{
    int64_t batch;
    unsigned number;
    if (sscanf(name, "part-%10" SCNd64 "-%4u.", &batch, &number) != 2) {
        return false;
    }
    const char *last = manifest->last.name;
    bool first_of_its_name = strlen(last) > 21 && strncmp(last + 16, "0000.", 5) == 0;
    return !manifest->known || (first_of_its_name && batch > manifest->last.batch);
}

static enum hr_status manifest_check_parts(const struct hr_file_manifest *manifest, struct hr_error *err)
{
    DIR *stream = opendir(manifest->directory);
    if (stream == NULL) {
        return hr_fail_errno(err, HR_IO, "cannot list '%s'", manifest->directory);
    }
    enum hr_status status = HR_OK;
    for (struct dirent *entry = readdir(stream); entry != NULL && status == HR_OK; entry = readdir(stream)) {
        if (part_tells_of_lost_line(manifest, entry->d_name)) {
            status = hr_fail(err, manifest->known ? HR_CORRUPT : HR_MISMATCH,
                             "'%s' says nothing of '%s', which is there: %s", manifest->path, entry->d_name,
                             manifest->known ? "its end was lost" : "it was lost, or another program wrote the part");
        }
    }
    (void)closedir(stream);
    return status == HR_OK ? HR_OK : manifest_hint(err);
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

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

/* Reads the file and decides which line counts. Nothing is changed before the first batch, so that a start that is
 * refused leaves everything as it was. */
static enum hr_status manifest_read(struct hr_file_manifest *manifest, struct manifest_reading *reading,
                                    bool new_lineage, struct hr_arena *arena, struct hr_error *err)
{
    bool there = false;
    size_t length = 0;
    if (hr_file_exists(manifest->path)) {
        HR_TRY(hr_file_read(manifest->path, MANIFEST_MAX, &manifest->line, err));
        length = manifest->line.length;
        HR_TRY(manifest_parse(manifest, hr_buf_str(&manifest->line), reading, err));
    }
    if (reading->lines > 0) {
        HR_TRY(part_look(manifest, &reading->last, &there, arena, err));
    }
    manifest->known = there || reading->has_before;
    manifest->last = there ? reading->last : reading->before;
    manifest->has_unseen = reading->lines > 0 && !there;
    manifest->unseen = reading->last;
    if (!new_lineage) {
        HR_TRY(manifest_check_parts(manifest, err));
    }
    manifest->lines = reading->lines;
    /* A line without a part may be one whose sync failed: we read it, but it may never reach the disk (Linux takes such
     * pages for clean), and would be a hole in front of the next line. */
    bool may_be_hole = manifest->has_unseen || (manifest->known && manifest->last.name[0] == '\0');
    manifest->rewrite = may_be_hole || reading->good_bytes != length;
    return HR_OK;
}

static enum hr_status manifest_open_to_append(struct hr_file_manifest *manifest, struct hr_error *err)
{
    manifest->fd = open(manifest->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    return manifest->fd >= 0 ? HR_OK
                             : hr_fail_errno(err, HR_CANNOT_CREATE, "cannot open '%s' to write", manifest->path);
}

enum hr_status hr_file_manifest_open(struct hr_file_manifest *manifest, const char *directory,
                                     const struct hr_sink_identity *identity, const char *sink, struct hr_arena *arena,
                                     struct hr_error *err)
{
    *manifest = (struct hr_file_manifest){.directory = directory, .fd = -1};
    manifest->path = hr_file_join(arena, directory, HR_FILE_MANIFEST_NAME);
    hr_buf_init(&manifest->line, MANIFEST_MAX);
    struct manifest_reading reading = {.query = identity->query, .sink = sink};
    HR_TRY(manifest_read(manifest, &reading, identity->new_lineage, arena, err));
    HR_TRY(manifest_open_to_append(manifest, err));
    return hr_file_sync_directory(directory, err);
}

/* The file anew: the lines that are still needed, and the one that is being appended. */
static enum hr_status manifest_rewrite(struct hr_file_manifest *manifest, struct hr_error *err)
{
    (void)close(manifest->fd);
    manifest->fd = -1;
    HR_TRY(hr_file_write_atomic(manifest->path, manifest->line.data, manifest->line.length, err));
    manifest->rewrite = false;
    manifest->lines = 1;
    return manifest_open_to_append(manifest, err);
}

static enum hr_status manifest_write(struct hr_file_manifest *manifest, struct hr_error *err)
{
    HR_TRY(hr_file_write_all(manifest->fd, manifest->path, manifest->line.data, manifest->line.length, err));
    return fdatasync(manifest->fd) == 0 ? HR_OK : hr_fail_errno(err, HR_IO, "cannot sync '%s'", manifest->path);
}

enum hr_status hr_file_manifest_append(struct hr_file_manifest *manifest, const char *query, const char *sink,
                                       const struct hr_file_part *part, struct hr_error *err)
{
    hr_buf_clear(&manifest->line);
    manifest->rewrite = manifest->rewrite || manifest->lines >= MANIFEST_LINES_MAX; /* a query runs for months */
    manifest->lines++;
    if (manifest->rewrite && manifest->known) {
        line_write(&manifest->line, query, sink, &manifest->last);
    }
    if (manifest->rewrite && manifest->has_unseen) {
        line_write(&manifest->line, query, sink, &manifest->unseen);
    }
    line_write(&manifest->line, query, sink, part);
    HR_TRY(manifest->rewrite ? manifest_rewrite(manifest, err) : manifest_write(manifest, err));
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
