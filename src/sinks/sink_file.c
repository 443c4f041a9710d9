/* SPDX-License-Identifier: Apache-2.0
 *
 * The file sink: a batch is one part, `part-<batch>-<n>.<json|csv>[.gz|.zst]` in a directory.
 *
 *     write_rows   rows are encoded into a buffer; above FLUSH_BYTES it is compressed and appended to a hidden file
 *     commit       the hidden file is synced; the manifest says what the part will be, synced; rename; the directory is
 * synced open         hidden files are removed, the manifest decides which batch was the last (file_manifest.h)
 *
 * n is 0, but where a part of that batch is there already from another lineage: a visible part never changes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/wire.h"
#include "data/compress.h"
#include "sinks/file_manifest.h"
#include "sinks/sink.h"

#define FLUSH_BYTES ((size_t)4 << 20)
/* A chunk's rows are encoded before the buffer is looked at again, so it may grow beyond FLUSH_BYTES. */
#define BUFFER_MAX ((size_t)1 << 30)
#define LOCK_NAME ".headrace-lock"
#define HIDDEN_NAME ".headrace-part"

struct file_options {
    const char *path;
    struct hr_yaml *format;
};

struct file_sink {
    struct hr_sink base;
    const char *directory;
    const char *hidden; /* path of the unfinished part */
    struct hr_format *format;
    enum hr_compression compression;
    const struct hr_schema *schema;
    struct hr_file_manifest manifest;
    struct hr_buf plain;
    struct hr_buf packed;
    char part_path[4096]; /* of the part being shown */
    int lock;
    int fd; /* of the hidden file; −1: none */
    uint64_t bytes;
    uint32_t crc;
    bool opened;
};

static struct file_sink *file_of(struct hr_sink *sink)
{
    return (struct file_sink *)sink;
}

/* ---- plan time ---------------------------------------------------------------------------------------------- */

static void file_check_compression(struct file_sink *file, const struct hr_yaml *node, struct hr_findings *findings)
{
    static const char *const names[] = {"none", "gzip", "zstd"};
    const struct hr_yaml *value = hr_yaml_get(node, "compression");
    if (value == NULL) {
        return;
    }
    for (size_t i = 0; value->kind == HR_YAML_SCALAR && i < HR_ARRAY_LEN(names); i++) {
        if (strcmp(value->text, names[i]) == 0) {
            file->compression = (enum hr_compression)i;
            return;
        }
    }
    struct hr_finding *finding = hr_findings_error(findings, &value->place, "compression: not one of none, gzip, zstd");
    const char *near = value->kind == HR_YAML_SCALAR ? hr_str_nearest(value->text, names, HR_ARRAY_LEN(names)) : NULL;
    if (near != NULL) {
        hr_finding_hint(findings, finding, "did you mean '%s'?", near);
    }
}

static void file_check(struct hr_sink *sink, struct hr_findings *findings)
{
    static const char *const ignore[] = {"compression", NULL};
    struct file_sink *file = file_of(sink);
    const struct file_options *options = sink->options;
    file->lock = file->fd = file->manifest.fd = -1;
    file->directory = hr_file_join(sink->arena, sink->directory, options->path);
    file->format = hr_format_new(options->format, &sink->place, ignore, sink->arena, findings);
    file_check_compression(file, options->format, findings);
    if (file->format != NULL && sink->content == HR_CONTENT_METRICS &&
        strcmp(file->format->type->kind.name, "json") != 0) {
        hr_findings_error(findings, options->format != NULL ? &options->format->place : &sink->place,
                          "content: metrics is JSON; format '%s' cannot hold it", file->format->type->kind.name);
    }
}

static enum hr_status file_bind(struct hr_sink *sink, const struct hr_schema *schema, struct hr_error *err)
{
    struct file_sink *file = file_of(sink);
    file->schema = schema;
    return sink->content == HR_CONTENT_METRICS ? HR_OK : hr_format_open(file->format, schema, err);
}

static const char *file_describe(const struct hr_sink *sink)
{
    return ((const struct file_options *)sink->options)->path;
}

/* What a mount cannot do is said before the first part fails for it. A full disk is as it is at the start of a run. */
static void file_preflight_probe(struct hr_sink *sink, const char *directory, struct hr_findings *findings)
{
    struct hr_error err;
    if (hr_file_probe(directory, &err) == HR_OK) {
        return;
    }
    err.status = HR_CANNOT_CREATE;
    if (err.hint[0] != '\0') {
        (void)hr_fail_context(&err, "sink '%s'", sink->id);
    } else {
        (void)hr_fail_hint(&err, "parts need a file system that locks, appends, syncs and renames: choose a path on a "
                                 "local disk, and copy finished parts from there");
        (void)hr_fail_context(&err, "sink '%s': what holds '%s' cannot keep parts exactly once", sink->id, directory);
    }
    hr_findings_add(findings, &sink->place, &err);
}

static void file_preflight(struct hr_sink *sink, struct hr_findings *findings)
{
    const struct file_sink *file = file_of(sink);
    const char *path = file->directory;
    while (!hr_file_exists(path) && strcmp(path, "/") != 0 && strcmp(path, ".") != 0) {
        path = hr_file_directory(sink->arena, path);
    }
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
        struct hr_error err;
        (void)hr_fail(&err, HR_CANNOT_CREATE, "sink '%s': '%s' is in the way and not a directory", sink->id, path);
        (void)hr_fail_hint(&err, "move it away, or choose another path");
        hr_findings_add(findings, &sink->place, &err);
    } else if (access(path, W_OK | X_OK) != 0) {
        struct hr_error err;
        (void)hr_fail_errno(&err, HR_CANNOT_CREATE, "sink '%s': directory '%s' cannot be made or written", sink->id,
                            file->directory);
        hr_findings_add(findings, &sink->place, &err);
    } else {
        file_preflight_probe(sink, path, findings);
    }
}

/* ---- start -------------------------------------------------------------------------------------------------- */

static enum hr_status file_open(struct hr_sink *sink, const struct hr_sink_identity *identity, struct hr_error *err)
{
    struct file_sink *file = file_of(sink);
    HR_TRY(hr_file_make_directory(file->directory, err));
    HR_TRY(hr_file_lock(hr_file_join(sink->arena, file->directory, LOCK_NAME), &file->lock, err));
    file->hidden = hr_file_join(sink->arena, file->directory, HIDDEN_NAME);
    hr_buf_init(&file->plain, BUFFER_MAX);
    hr_buf_init(&file->packed, BUFFER_MAX);
    file->opened = true;
    (void)unlink(file->hidden); /* what a crash left: it was never shown */
    return hr_file_manifest_open(&file->manifest, file->directory, identity, sink->id, sink->arena, err);
}

static enum hr_status file_recover(struct hr_sink *sink, struct hr_sink_position *out, struct hr_error *err)
{
    const struct hr_file_manifest *manifest = &file_of(sink)->manifest;
    (void)err;
    out->known = manifest->known;
    if (manifest->known) {
        memcpy(out->lineage, manifest->last.lineage, sizeof(out->lineage));
        out->batch = manifest->last.batch;
    }
    if (manifest->has_unseen && strcmp(manifest->unseen.lineage, sink->identity.lineage) == 0) {
        out->unseen = manifest->unseen.batch;
    }
    return HR_OK;
}

/* ---- a batch ------------------------------------------------------------------------------------------------ */

static void file_forget(struct file_sink *file)
{
    if (file->fd >= 0) {
        (void)close(file->fd);
        (void)unlink(file->hidden);
    }
    file->fd = -1;
    file->bytes = 0;
    file->crc = 0;
    hr_buf_clear(&file->plain);
}

static enum hr_status file_begin(struct hr_sink *sink, int64_t batch, struct hr_error *err)
{
    (void)batch;
    (void)err;
    file_forget(file_of(sink));
    return HR_OK;
}

/* Moves the buffer into the hidden file, compressed as a member (gzip) or frame (zstd) of its own: readers take several
 * of them as one stream. */
static enum hr_status file_flush(struct file_sink *file, struct hr_error *err)
{
    if (file->fd < 0) {
        file->fd = open(file->hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (file->fd < 0) {
            return hr_fail_errno(err, HR_IO, "cannot write '%s'", file->hidden);
        }
    }
    struct hr_str bytes = hr_buf_str(&file->plain);
    if (file->plain.overflow) {
        return hr_fail(err, HR_IO, "the rows of one chunk take more than %zu bytes", file->plain.maximum);
    }
    if (file->compression != HR_COMPRESSION_NONE) {
        hr_buf_clear(&file->packed);
        HR_TRY(hr_compress(file->compression, bytes.data, bytes.length, &file->packed, err));
        bytes = hr_buf_str(&file->packed);
    }
    HR_TRY(hr_file_write_all(file->fd, file->hidden, bytes.data, bytes.length, err));
    file->crc = hr_crc32c(file->crc, bytes.data, bytes.length);
    file->bytes += bytes.length;
    hr_buf_clear(&file->plain);
    return HR_OK;
}

static enum hr_status file_flush_when_full(struct file_sink *file, struct hr_error *err)
{
    return file->plain.length < FLUSH_BYTES && !file->plain.overflow ? HR_OK : file_flush(file, err);
}

static enum hr_status file_write_rows(struct hr_sink *sink, const struct hr_chunk *chunk, struct hr_error *err)
{
    struct file_sink *file = file_of(sink);
    if (file->fd < 0 && file->plain.length == 0) {
        hr_format_encode_header(file->format, file->schema, sink->columns, sink->column_count, &file->plain);
    }
    hr_format_encode(file->format, chunk, sink->columns, sink->column_count, 0, chunk->rows, true, &file->plain, NULL);
    return file_flush_when_full(file, err);
}

static enum hr_status file_write_document(struct hr_sink *sink, const struct hr_document *document,
                                          struct hr_error *err)
{
    struct file_sink *file = file_of(sink);
    hr_buf_append_str(&file->plain, document->value);
    hr_buf_append_char(&file->plain, '\n');
    return file_flush_when_full(file, err);
}

/* ---- commit ------------------------------------------------------------------------------------------------- */

static void file_name_part(struct file_sink *file, int64_t batch, struct hr_file_part *part)
{
    const struct hr_file_part *last = &file->manifest.last;
    bool again = file->manifest.known && last->batch == batch && strcmp(last->lineage, part->lineage) == 0;
    for (unsigned n = 0; n < 10000; n++) {
        (void)snprintf(part->name, sizeof(part->name), "part-%010" PRId64 "-%04u.%s%s", batch, n,
                       file->format->type->extension, hr_compression_extension(file->compression));
        (void)snprintf(file->part_path, sizeof(file->part_path), "%s/%s", file->directory, part->name);
        if ((again && strcmp(part->name, last->name) == 0) || !hr_file_exists(file->part_path)) {
            return;
        }
    }
}

static enum hr_status file_show(struct file_sink *file, struct hr_error *err)
{
    if (rename(file->hidden, file->part_path) != 0) {
        return hr_fail_errno(err, HR_IO, "cannot rename the part to '%s'", file->part_path);
    }
    (void)close(file->fd);
    file->fd = -1;
    HR_TRY(hr_fault("deliver.file.renamed", err));
    return hr_file_sync_directory(file->directory, err);
}

static enum hr_status file_commit(struct hr_sink *sink, int64_t batch, struct hr_error *err)
{
    struct file_sink *file = file_of(sink);
    struct hr_file_part part = {.batch = batch, .rows = sink->rows};
    memcpy(part.lineage, sink->identity.lineage, sizeof(part.lineage));
    if (!sink->dirty) {
        return hr_file_manifest_append(&file->manifest, sink->identity.query, sink->id, &part, err);
    }
    if (file->plain.length > 0 || file->fd < 0) {
        HR_TRY(file_flush(file, err));
    }
    if (fdatasync(file->fd) != 0) {
        return hr_fail_errno(err, HR_IO, "cannot sync '%s'", file->hidden);
    }
    HR_TRY(hr_fault("deliver.file.synced", err));
    file_name_part(file, batch, &part);
    part.bytes = file->bytes;
    part.crc = file->crc;
    HR_TRY(hr_file_manifest_append(&file->manifest, sink->identity.query, sink->id, &part, err));
    return file_show(file, err);
}

static void file_abort(struct hr_sink *sink)
{
    file_forget(file_of(sink));
}

static void file_close(struct hr_sink *sink)
{
    struct file_sink *file = file_of(sink);
    if (file->format != NULL) {
        hr_format_close(file->format);
        file->format = NULL;
    }
    if (!file->opened) {
        return;
    }
    file_forget(file);
    hr_file_manifest_close(&file->manifest);
    hr_buf_release(&file->plain);
    hr_buf_release(&file->packed);
    if (file->lock >= 0) {
        (void)close(file->lock);
    }
    file->opened = false;
}

static const struct hr_option file_options[] = {
    HR_OPTION(struct file_options, path, "path", STRING, .required = true,
              .help = "directory of the parts; made when missing; one sink alone writes there"),
    HR_OPTION(struct file_options, format, "format", NODE,
              .help = "{type: json|csv, compression: none|gzip|zstd}; default json, none"),
};

const struct hr_sink_type hr_sink_file = {
    .kind =
        {
            .name = "file",
            .summary = "one part file a batch, exactly once",
            .doc =
                "A batch becomes part-<batch>-<n>.<json|csv>[.gz|.zst] in the directory. A visible part is whole and "
                "never changes; what is unfinished starts with a dot. The manifest _headrace_manifest remembers the "
                "last batch.",
            .example = "{ type: file, path: out, format: { type: json, compression: zstd } }",
            .options = {file_options, HR_ARRAY_LEN(file_options)},
            .options_size = sizeof(struct file_options),
            .instance_size = sizeof(struct file_sink),
        },
    .flags = HR_SINK_IDEMPOTENT | HR_SINK_TRANSACTIONAL,
    .check = file_check,
    .bind = file_bind,
    .preflight = file_preflight,
    .open = file_open,
    .recover = file_recover,
    .begin = file_begin,
    .write_rows = file_write_rows,
    .write_document = file_write_document,
    .commit = file_commit,
    .abort = file_abort,
    .close = file_close,
    .describe = file_describe,
};
