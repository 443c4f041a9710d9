/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns, chunks and what compaction does to them; columns from a record's origin; rejects.
 */
#include "test.h"

#include <string.h>

#include "data/chunk.h"
#include "data/format.h"

struct fixture {
    struct hr_arena arena;
    struct hr_schema schema;
    struct hr_record records[200];
    struct hr_rejects rejects;
    struct hr_chunk chunk;
};

static void open_fixture(struct fixture *fixture, size_t rows)
{
    memset(fixture, 0, sizeof(*fixture));
    hr_arena_init(&fixture->arena, 0);
    hr_schema_init(&fixture->schema, &fixture->arena);
    hr_rejects_init(&fixture->rejects, &fixture->arena);
    CU_ASSERT_EQUAL(hr_schema_add(&fixture->schema, "n", HR_TYPE_LONG, NULL, NULL, NULL), HR_OK);
    CU_ASSERT_EQUAL(hr_schema_add(&fixture->schema, "b", HR_TYPE_BOOLEAN, NULL, NULL, NULL), HR_OK);
    CU_ASSERT_EQUAL(hr_schema_add(&fixture->schema, "v", HR_TYPE_VECTOR, NULL, NULL, NULL), HR_OK);
    CU_ASSERT_EQUAL(hr_schema_add(&fixture->schema, "later", HR_TYPE_DOUBLE, NULL, NULL, NULL), HR_OK);
    struct hr_chunk *chunk = &fixture->chunk;
    hr_chunk_init(chunk, &fixture->schema, rows, fixture->records, &fixture->rejects, &fixture->arena);
    chunk->rows = rows;
    double *matrix = hr_arena_array(&fixture->arena, rows * 2, double);
    for (size_t i = 0; i < 3; i++) {
        hr_column_init(&chunk->columns[i], fixture->schema.fields[i].type, rows, &fixture->arena);
    }
    for (size_t row = 0; row < rows; row++) {
        matrix[2 * row] = (double)row;
        matrix[2 * row + 1] = -(double)row;
        chunk->columns[0].longs[row] = (int64_t)row;
        chunk->columns[1].bytes[row] = row % 2;
        chunk->columns[2].vectors[row] = (struct hr_vector){&matrix[2 * row], NULL, 2, 2};
        chunk->record_index[row] = (uint32_t)row;
    }
    hr_column_find_dense(&chunk->columns[2], rows);
}

static void close_fixture(struct fixture *fixture)
{
    hr_arena_release(&fixture->arena);
}

static void test_compact(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 200);
    struct hr_chunk *chunk = &fixture.chunk;
    CU_ASSERT_PTR_NOT_NULL(chunk->columns[2].dense);
    /* every seventh row is null; rows that a multiple of three names are dropped, one is a reject */
    for (size_t row = 0; row < 200; row += 7) {
        hr_column_set_null(&chunk->columns[0], row, 200, &fixture.arena);
    }
    for (size_t row = 3; row < 200; row += 3) {
        hr_chunk_drop(chunk, row);
        hr_chunk_drop(chunk, row);
    }
    hr_chunk_reject(chunk, 100, HR_REASON_STAGE, "row %d", 100);
    hr_chunk_reject(chunk, 100, HR_REASON_STAGE, "again");
    hr_chunk_reject(chunk, 102, HR_REASON_STAGE, "dropped before");
    hr_chunk_compact(chunk, 3);
    CU_ASSERT_EQUAL(chunk->rows, 200 - 66 - 1);
    CU_ASSERT_EQUAL(chunk->dropped_count, 0);
    CU_ASSERT_EQUAL(fixture.rejects.count, 1);
    CU_ASSERT_EQUAL(fixture.rejects.items[0].record, 100);
    CU_ASSERT_STRING_EQUAL(fixture.rejects.items[0].message, "row 100");
    size_t to = 0;
    for (size_t row = 0; row < 200; row++) {
        if ((row > 0 && row % 3 == 0) || row == 100) {
            continue;
        }
        CU_ASSERT_EQUAL(chunk->record_index[to], row);
        CU_ASSERT_EQUAL(chunk->columns[0].longs[to], row % 7 == 0 ? 0 : (int64_t)row);
        CU_ASSERT_EQUAL(hr_column_is_null(&chunk->columns[0], to), row % 7 == 0);
        CU_ASSERT_EQUAL(chunk->columns[1].bytes[to], row % 2);
        CU_ASSERT_EQUAL(chunk->columns[2].vectors[to].values[0], (double)row);
        CU_ASSERT_FALSE(chunk->dropped[to]);
        to++;
    }
    /* the rows are back to back no more */
    CU_ASSERT_PTR_NULL(chunk->columns[2].dense);
    close_fixture(&fixture);
}

static void test_compact_ends(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 10);
    struct hr_chunk *chunk = &fixture.chunk;
    const double *first = chunk->columns[2].dense;
    hr_column_set_null(&chunk->columns[0], 9, 10, &fixture.arena);
    hr_chunk_drop(chunk, 0);
    hr_chunk_drop(chunk, 9);
    hr_chunk_compact(chunk, 3);
    CU_ASSERT_EQUAL(chunk->rows, 8);
    CU_ASSERT_PTR_NULL(chunk->columns[0].valid);
    CU_ASSERT_PTR_EQUAL(chunk->columns[2].dense, first + 2);
    for (size_t row = 0; row < 8; row++) {
        hr_chunk_drop(chunk, row);
    }
    hr_chunk_compact(chunk, 3);
    CU_ASSERT_EQUAL(chunk->rows, 0);
    hr_chunk_compact(chunk, 3);
    CU_ASSERT_EQUAL(chunk->rows, 0);
    close_fixture(&fixture);
}

static void test_null_ends_the_matrix(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 10);
    struct hr_column *column = &fixture.chunk.columns[2];
    hr_column_set_null(column, 4, 10, &fixture.arena);
    CU_ASSERT_PTR_NULL(column->dense);
    CU_ASSERT_PTR_NULL(column->vectors[4].values);
    hr_column_find_dense(column, 10);
    CU_ASSERT_PTR_NULL(column->dense);
    hr_column_find_dense(column, 4);
    CU_ASSERT_PTR_NOT_NULL(column->dense);
    close_fixture(&fixture);
}

static void test_metadata(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 2);
    size_t topic;
    size_t index;
    static const char *const names[] = {"__topic", "__partition", "__offset", "__timestamp",
                                        "__key",   "__file",      "__line",   "__headers"};
    for (size_t i = 0; i < HR_ARRAY_LEN(names); i++) {
        CU_ASSERT_TRUE(hr_schema_add_metadata(&fixture.schema, names[i], i == 0 ? &topic : &index));
    }
    fixture.records[0] = (struct hr_record){
        .origin = HR_STR("clicks"),
        .partition = 3,
        .offset = 42,
        .key = HR_STR("k"),
        .headers = HR_STR("{}"),
        .timestamp_us = 5,
        .flags = HR_RECORD_HAS_KEY | HR_RECORD_HAS_TIME,
    };
    fixture.records[1] = (struct hr_record){.origin = HR_STR("in/a.json"), .partition = -1, .offset = 100, .line = 7};
    struct hr_chunk *chunk = &fixture.chunk;
    hr_chunk_init(chunk, &fixture.schema, 2, fixture.records, &fixture.rejects, &fixture.arena);
    chunk->rows = 2;
    chunk->record_index[0] = 0;
    chunk->record_index[1] = 1;
    hr_format_fill_metadata(chunk);
    const struct hr_column *columns = &chunk->columns[topic];
    static const bool null_of_kafka[] = {false, false, false, false, false, true, true, false};
    static const bool null_of_file[] = {true, true, false, true, true, false, false, true};
    for (size_t i = 0; i < HR_ARRAY_LEN(names); i++) {
        CU_ASSERT_EQUAL(hr_column_is_null(&columns[i], 0), null_of_kafka[i]);
        CU_ASSERT_EQUAL(hr_column_is_null(&columns[i], 1), null_of_file[i]);
    }
    CU_ASSERT_TRUE(hr_str_equal_text(columns[0].strings[0], "clicks"));
    CU_ASSERT_EQUAL(columns[1].longs[0], 3);
    CU_ASSERT_EQUAL(columns[2].longs[1], 100);
    CU_ASSERT_EQUAL(columns[3].longs[0], 5);
    CU_ASSERT_TRUE(hr_str_equal_text(columns[4].strings[0], "k"));
    CU_ASSERT_TRUE(hr_str_equal_text(columns[5].strings[1], "in/a.json"));
    CU_ASSERT_EQUAL(columns[6].longs[1], 7);
    CU_ASSERT_TRUE(hr_str_equal_text(columns[7].strings[0], "{}"));
    CU_ASSERT_PTR_NULL(chunk->columns[0].any);
    close_fixture(&fixture);
}

static void test_rejects(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 1);
    for (uint32_t i = 0; i < 100; i++) {
        hr_rejects_add(&fixture.rejects, i, HR_REASON_MALFORMED, "%u", i);
    }
    CU_ASSERT_EQUAL(fixture.rejects.count, 100);
    CU_ASSERT_STRING_EQUAL(fixture.rejects.items[99].message, "99");
    char text[700];
    for (size_t i = 0; i < sizeof(text) - 2; i += 2) {
        memcpy(text + i, "\xc3\xa4", 2);
    }
    text[sizeof(text) - 2] = '\0';
    hr_rejects_add(&fixture.rejects, 0, HR_REASON_MALFORMED, "x%s", text);
    const char *message = fixture.rejects.items[100].message;
    CU_ASSERT_TRUE(strlen(message) <= 500 && strlen(message) > 490);
    CU_ASSERT_TRUE(hr_str_is_utf8(hr_str_from(message)));
    CU_ASSERT_STRING_EQUAL(hr_reason_name(HR_REASON_TOMBSTONE), "tombstone");
    close_fixture(&fixture);
}

TEST_MAIN("chunk", {"compact", test_compact}, {"compact ends", test_compact_ends},
          {"null ends the matrix", test_null_ends_the_matrix}, {"metadata", test_metadata}, {"rejects", test_rejects})
