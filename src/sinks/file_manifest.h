/* SPDX-License-Identifier: Apache-2.0
 *
 * The file sink's own memory: which batch of which lineage made which part. One line a batch in `_headrace_manifest`:
 * JSON, a tab, and the CRC32C of the JSON in hex. A line is written and synced before its part is renamed into sight,
 * with the size and sum that the part will have: at a start the last line counts when its part is there and fits, else
 * the line before it does. A part that is not there was either never renamed, or a reader took it away; which of them
 * only the checkpoint knows: it commits a batch after all its parts were in sight.
 *
 * Readers of Spark's and Hadoop's kind skip names that begin with '_' or '.'.
 */
#ifndef HR_SINKS_FILE_MANIFEST_H
#define HR_SINKS_FILE_MANIFEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "sinks/sink.h"

#define HR_FILE_MANIFEST_NAME "_headrace_manifest"

struct hr_file_part {
    char lineage[37];
    int64_t batch; /* −1: a lineage that took the directory over and wrote nothing yet */
    char name[96]; /* of the part; "": none */
    uint64_t rows;
    uint64_t bytes;
    uint32_t crc; /* of the file's bytes */
};

struct hr_file_manifest {
    const char *directory;
    const char *path;
    int fd; /* open for appending; −1: not open */
    struct hr_buf line;
    size_t lines; /* in the file */
    bool known;   /* last is valid */
    bool rewrite; /* the next append writes the file anew */
    struct hr_file_part last;
    bool has_unseen; /* the line after `last` has no part that fits it */
    struct hr_file_part unseen;
};

/* Opens or makes the manifest and decides what was committed last. HR_MISMATCH: the directory belongs to another query
 * or sink, or its manifest is gone and its parts are not (a new lineage may go on there). HR_CORRUPT: a line or the
 * last part is damaged, or lines are missing; nothing is changed. */
enum hr_status hr_file_manifest_open(struct hr_file_manifest *manifest, const char *directory,
                                     const struct hr_sink_identity *identity, const char *sink, struct hr_arena *arena,
                                     struct hr_error *err);
/* Appends and syncs. The part may be renamed afterwards. */
enum hr_status hr_file_manifest_append(struct hr_file_manifest *manifest, const char *query, const char *sink,
                                       const struct hr_file_part *part, struct hr_error *err);
void hr_file_manifest_close(struct hr_file_manifest *manifest);

#endif
