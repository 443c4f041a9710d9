/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: a pipeline file. Its stages are bound to a schema that has a column of each kind and run over a small
 * chunk, so that fitted values which do not fit each other meet rows.
 */
#include "fuzz.h"
#include "fuzz_records.h"
#include "ml/pipeline_file.h"

static const char schema[] =
    "schema: \"text string, words array<string>, x double, y double, index double, label long, "
    "flag boolean, features vector, sparse vector\"";
static const char rows[] =
    "{\"text\":\"the quick  "
    "Fox\",\"words\":[\"a\",\"b\",null],\"x\":1.5,\"y\":-2,\"index\":0,\"label\":1,\"flag\":true,"
    "\"features\":[1,2,3],\"sparse\":{\"size\":3,\"indices\":[1],\"values\":[4]}}\n"
    "{\"text\":\"a\",\"words\":[],\"x\":\"NaN\",\"y\":1e300,\"index\":2,\"label\":-9223372036854775808,\"flag\":false,"
    "\"features\":{\"size\":3,\"indices\":[],\"values\":[]},\"sparse\":[0,0,\"Infinity\"]}\n"
    "{}\n"
    "{\"text\":\"\",\"words\":[\"\"],\"x\":-0.0,\"y\":1e-300,\"index\":-1,\"label\":5,\"flag\":true,\"features\":[],"
    "\"sparse\":[1,2,3,4]}\n"
    "{\"text\":\"b\",\"words\":[\"b\",\"b\"],\"x\":1e9,\"y\":3,\"index\":1e9,\"label\":0,\"flag\":false,"
    "\"features\":[-1,\"NaN\",0],\"sparse\":{\"size\":2147483647,\"indices\":[2147483646],\"values\":[1]}}\n";

static void run(struct hr_pipeline *pipeline)
{
    static struct fuzz_records records;
    struct hr_findings findings;
    hr_findings_init(&findings);
    memset(&records, 0, sizeof(records));
    fuzz_records_open(&records, schema, "{type: json}");
    hr_pipeline_bind(pipeline, &records.schema, &findings);
    if (findings.errors == 0 && hr_pipeline_is_fitted(pipeline)) {
        fuzz_records_decode(&records, rows, sizeof(rows) - 1);
        hr_pipeline_transform(pipeline, &records.chunk);
    }
    hr_findings_release(&findings);
    hr_format_close(records.format);
    hr_findings_release(&records.findings);
    hr_arena_release(&records.arena);
    hr_arena_release(&records.chunk_arena);
    hr_arena_release(&records.batch_arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hr_pipeline pipeline = {0};
    struct hr_place place = {"query.yaml", 1, 1, "pipeline.from"};
    struct hr_arena arena;
    struct hr_error err;
    hr_arena_init(&arena, 0);
    if (hr_pipeline_load(&pipeline, fuzz_file(data, size), &place, &arena, &err) == HR_OK) {
        run(&pipeline);
        hr_pipeline_close(&pipeline);
    } else {
        FUZZ_CHECK(pipeline.count == 0);
    }
    hr_arena_release(&arena);
    return 0;
}
