/* SPDX-License-Identifier: Apache-2.0
 *
 * A checkpoint seen without its query, from the identity that it stores: opened read-only, and the document of
 * `checkpoint inspect`.
 *
 * That is made of what a batch decides and nothing else (no clock, no path), in a fixed order: two runs over the same
 * batches print the same bytes but for the lineage.
 */
#ifndef HR_SERVICE_INSPECTOR_H
#define HR_SERVICE_INSPECTOR_H

#include "service/document.h"
#include "state/checkpoint.h"
#include "stream/record.h"

/* What a document of a checkpoint may take. */
#define HR_INSPECTOR_DOCUMENT_MAX ((size_t)1 << 32)

struct hr_inspector {
    struct hr_checkpoint *checkpoint;
    struct hr_checkpoint_info info;
    json_t *identity; /* owned */
    int64_t batch;    /* the one asked for; −1: none is committed */
    struct hr_batch_record record;
    const char *directory;
    bool json;
};

enum hr_status hr_inspector_open(struct hr_inspector *inspector, const char *directory, struct hr_error *err);
void hr_inspector_close(struct hr_inspector *inspector);
/* HR_NO_INPUT: the batch is not there. The caller releases *out. */
enum hr_status hr_inspector_record(struct hr_inspector *inspector, int64_t batch, struct hr_batch_record *out,
                                   struct hr_error *err);
/* Prints the document to standard output, as JSON or for people. */
enum hr_status hr_inspector_print(struct hr_inspector *inspector, struct hr_error *err);
/* "" where there is none. */
const char *hr_inspector_text(const json_t *object, const char *key);

#endif
