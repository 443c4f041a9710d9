/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire form of a batch record, magic "HRBR".
 */
#include "stream/record.h"

#include <stdio.h>
#include <string.h>

#define RECORD_MAGIC "HRBR"
#define RECORD_VERSION 1u

void hr_batch_record_release(struct hr_batch_record *record)
{
    hr_offsets_release(&record->start);
    hr_offsets_release(&record->end);
    *record = (struct hr_batch_record){.batch = -1};
}

void hr_batch_record_encode(const struct hr_batch_record *record, struct hr_buf *out)
{
    struct hr_wire_writer writer;
    hr_wire_begin(&writer, out, RECORD_MAGIC, RECORD_VERSION);
    hr_wire_put_i64(&writer, record->batch);
    hr_offsets_encode(&record->start, &writer);
    hr_offsets_encode(&record->end, &writer);
    hr_wire_put_u64(&writer, record->input_rows);
    hr_wire_put_u64(&writer, record->output_rows);
    hr_wire_put_u64(&writer, record->dead_letters);
    hr_wire_put_u64(&writer, record->lost_rows);
    hr_wire_put_i64(&writer, record->timestamp_us);
    hr_wire_put_u32(&writer, (uint32_t)record->mark_count);
    for (size_t i = 0; i < record->mark_count; i++) {
        hr_wire_put_str(&writer, hr_str_from(record->marks[i].id));
        hr_wire_put_i64(&writer, record->marks[i].last_batch);
    }
    hr_wire_end(&writer);
}

static enum hr_status record_read(struct hr_wire_reader *reader, struct hr_batch_record *out, struct hr_error *err)
{
    out->batch = hr_wire_get_i64(reader);
    HR_TRY(hr_offsets_decode(reader, &out->start, err));
    HR_TRY(hr_offsets_decode(reader, &out->end, err));
    out->input_rows = hr_wire_get_u64(reader);
    out->output_rows = hr_wire_get_u64(reader);
    out->dead_letters = hr_wire_get_u64(reader);
    out->lost_rows = hr_wire_get_u64(reader);
    out->timestamp_us = hr_wire_get_i64(reader);
    uint32_t marks = hr_wire_get_u32(reader);
    if (marks > HR_SINK_MARKS_MAX) {
        return hr_fail(err, HR_CORRUPT, "batch record: %u sinks, at most %d are possible", marks, HR_SINK_MARKS_MAX);
    }
    for (uint32_t i = 0; i < marks; i++) {
        struct hr_str id = hr_wire_get_str(reader);
        int64_t last_batch = hr_wire_get_i64(reader);
        (void)snprintf(out->marks[i].id, sizeof(out->marks[i].id), "%.*s", HR_STR_ARGS(id));
        out->marks[i].last_batch = last_batch;
    }
    out->mark_count = marks;
    return hr_wire_done(reader, "batch record", err);
}

enum hr_status hr_batch_record_decode(struct hr_str bytes, struct hr_batch_record *out, struct hr_error *err)
{
    hr_batch_record_release(out);
    struct hr_wire_reader reader;
    HR_TRY(hr_wire_open(&reader, bytes.data, bytes.length, RECORD_MAGIC, RECORD_VERSION, "batch record", err));
    enum hr_status status = record_read(&reader, out, err);
    if (status != HR_OK) {
        hr_batch_record_release(out);
    }
    return status;
}

int64_t hr_batch_record_mark(const struct hr_batch_record *record, const char *sink_id)
{
    for (size_t i = 0; i < record->mark_count; i++) {
        if (strcmp(record->marks[i].id, sink_id) == 0) {
            return record->marks[i].last_batch;
        }
    }
    return -1;
}

void hr_batch_record_set_mark(struct hr_batch_record *record, const char *sink_id, int64_t batch)
{
    for (size_t i = 0; i < record->mark_count; i++) {
        if (strcmp(record->marks[i].id, sink_id) == 0) {
            record->marks[i].last_batch = batch;
            return;
        }
    }
    HR_ASSERT(record->mark_count < HR_SINK_MARKS_MAX);
    struct hr_sink_mark *mark = &record->marks[record->mark_count++];
    (void)snprintf(mark->id, sizeof(mark->id), "%s", sink_id);
    mark->last_batch = batch;
}
