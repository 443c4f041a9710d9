/* SPDX-License-Identifier: Apache-2.0
 *
 * Fitted, saved, loaded: the same file again, and the same bits out of the stages.
 */
#include "test.h"

#include <math.h>

#include "ml/lesson.h"
#include "ml/pipeline_file.h"
#include "scratch.h"

static const char schema[] = "amount double, visits int, city string, vip boolean, words array<string>";
static const char stages[] =
    "  - {type: Imputer, id: im, inputCols: [amount, visits], outputCols: [amountF, visitsF], strategy: mean}\n"
    "  - {type: StringIndexer, id: si, inputCol: city, outputCol: cityIx, handleInvalid: keep}\n"
    "  - {type: OneHotEncoder, id: oh, inputCol: cityIx, outputCol: cityV, dropLast: false}\n"
    "  - {type: HashingTF, id: tf, inputCol: words, outputCol: tf, numFeatures: 8}\n"
    "  - {type: IDF, id: idf, inputCol: tf, outputCol: tfidf}\n"
    "  - {type: VectorAssembler, id: va, inputCols: [amountF, visitsF, vip, cityV, tfidf], outputCol: raw}\n"
    "  - {type: MinMaxScaler, id: mm, inputCol: raw, outputCol: ranged, max: 0.3}\n"
    "  - {type: StandardScaler, id: sc, inputCol: ranged, outputCol: features, withMean: true}\n"
    "  - {type: Bucketizer, id: bu, inputCol: amountF, outputCol: bucket, splits: [-.inf, 0.1, .inf]}\n";
static const char rows[] =
    "{\"amount\": 0.1, \"visits\": 1, \"city\": \"\\u00e9\\\"\\n\", \"vip\": true, \"words\": [\"a\", \"b\"]}\n"
    "{\"amount\": 0.30000000000000004, \"visits\": null, \"city\": \"Oslo\", \"vip\": false, \"words\": []}\n"
    "{\"amount\": null, \"visits\": 7, \"city\": null, \"vip\": true, \"words\": [\"a\", \"a\"]}\n"
    "{\"amount\": -1e-300, \"visits\": 3, \"city\": \"Oslo\", \"vip\": false, \"words\": [\"c\"]}\n"
    "{\"amount\": \"NaN\", \"visits\": 9, \"city\": \"Lima\", \"vip\": true, \"words\": [\"b\", \"d\", \"e\"]}";

static void load(struct lesson *lesson, const char *path)
{
    static const struct hr_place place = {"query.yaml", 1, 1, "pipeline.from"};
    struct hr_error err = {0};
    lesson_open(lesson, schema);
    lesson_require(lesson, hr_pipeline_load(&lesson->pipeline, path, &place, &lesson->arena, &err) == HR_OK, &err);
    hr_pipeline_bind(&lesson->pipeline, &lesson->schema, &lesson->findings);
    lesson_require(lesson, true, NULL);
}

static char *save(struct lesson *lesson, const char *path)
{
    struct hr_error err = {0};
    size_t length;
    lesson_require(lesson, hr_pipeline_save(&lesson->pipeline, path, &err) == HR_OK, &err);
    return scratch_read(path, &length);
}

static bool same_bits(const struct hr_vector *a, const struct hr_vector *b)
{
    return a->size == b->size && a->count == b->count && (a->indices == NULL) == (b->indices == NULL) &&
           memcmp(a->values, b->values, a->count * sizeof(double)) == 0 &&
           (a->indices == NULL || memcmp(a->indices, b->indices, a->count * sizeof(uint32_t)) == 0);
}

static void compare_column(struct lesson *one, struct lesson *other, const char *name)
{
    size_t index = hr_schema_find(&one->schema, name);
    CU_ASSERT_EQUAL_FATAL(index, hr_schema_find(&other->schema, name));
    const struct hr_column *a = &one->chunk.columns[index];
    const struct hr_column *b = &other->chunk.columns[index];
    for (size_t row = 0; row < one->chunk.rows; row++) {
        bool same = a->type == HR_TYPE_VECTOR ? same_bits(&a->vectors[row], &b->vectors[row])
                                              : memcmp(&a->longs[row], &b->longs[row], sizeof(double)) == 0;
        CU_ASSERT_TRUE(same);
    }
}

static void test_the_same_bits(void)
{
    static const char *const names[] = {"amountF", "visitsF", "cityIx", "cityV", "tfidf", "raw", "features", "bucket"};
    struct lesson fitted;
    struct lesson loaded;
    const char *path = scratch_path("pipeline.json");
    lesson_open(&fitted, schema);
    lesson_pipeline(&fitted, stages, rows);
    char *first HR_CLEANUP(hr_free_pointer) = save(&fitted, path);
    load(&loaded, path);
    char *second HR_CLEANUP(hr_free_pointer) = save(&loaded, scratch_path("again.json"));
    TEST_TEXT_EQUAL(second, first);
    CU_ASSERT_PTR_NOT_NULL(strstr(first, "\"surrogates\": ["));
    lesson_transform(&fitted, rows);
    lesson_transform(&loaded, rows);
    CU_ASSERT_EQUAL_FATAL(fitted.chunk.rows, 5);
    CU_ASSERT_EQUAL_FATAL(loaded.chunk.rows, 5);
    for (size_t i = 0; i < HR_ARRAY_LEN(names); i++) {
        compare_column(&fitted, &loaded, names[i]);
    }
    lesson_close(&fitted);
    lesson_close(&loaded);
}

/* Every number that a fit can give goes through the file with its bits. */
static void test_numbers_keep_their_bits(void)
{
    static const double values[] = {5e-324, 1.0 / 3.0, 0.1 + 0.2, -1e308, 9007199254740993.0, HUGE_VAL, -HUGE_VAL};
    struct lesson lesson;
    struct lesson loaded;
    const char *path = scratch_path("numbers.json");
    lesson_open(&lesson, "v vector");
    lesson_pipeline(&lesson,
                    "  - {type: StandardScaler, inputCol: v, outputCol: s, withMean: true, fitted: {mean: [5e-324, "
                    "0.3333333333333333, 0.30000000000000004, -1e308, 9007199254740993, .inf, -Infinity], std: [1, 1, "
                    "1, 1, 1, 1, 1]}}",
                    NULL);
    char *text HR_CLEANUP(hr_free_pointer) = save(&lesson, path);
    static const struct hr_place place = {"query.yaml", 1, 1, "pipeline.from"};
    struct hr_error err = {0};
    lesson_open(&loaded, "v vector");
    lesson_require(&loaded, hr_pipeline_load(&loaded.pipeline, path, &place, &loaded.arena, &err) == HR_OK, &err);
    hr_pipeline_bind(&loaded.pipeline, &loaded.schema, &loaded.findings);
    lesson_transform(&loaded, "{\"v\": [0, 0, 0, 0, 0, 0, 0]}");
    const struct hr_column *column = &loaded.chunk.columns[hr_schema_find(&loaded.schema, "s")];
    for (size_t i = 0; i < HR_ARRAY_LEN(values); i++) {
        CU_ASSERT_EQUAL(column->vectors[0].values[i], -values[i]);
    }
    lesson_close(&lesson);
    lesson_close(&loaded);
}

static void refuse(const char *text, const char *word)
{
    static const struct hr_place place = {"query.yaml", 1, 1, "pipeline.from"};
    struct lesson lesson;
    struct hr_error err = {0};
    const char *path = scratch_path("wrong.json");
    scratch_write_text(path, text);
    lesson_open(&lesson, "v vector");
    CU_ASSERT_NOT_EQUAL(hr_pipeline_load(&lesson.pipeline, path, &place, &lesson.arena, &err), HR_OK);
    CU_ASSERT_EQUAL(lesson.pipeline.count, 0);
    if (strstr(err.text, word) == NULL) {
        printf("\n'%s' is not in: %s\n", word, err.text);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, word));
    lesson_close(&lesson);
}

static void test_wrong_files(void)
{
    refuse("", "wrong.json");
    refuse("{\"stages\": []}", "headrace.format");
    refuse("{\"headrace\": {\"format\": 2, \"version\": \"9\"}, \"stages\": []}", "format version 2");
    refuse("{\"headrace\": {\"format\": 1}, \"stages\": [{\"type\": \"Binariser\"}]}", "Binariser");
    refuse(
        "{\"headrace\": {\"format\": 1}, \"stages\": [{\"type\": \"OneHotEncoder\", \"params\": {\"inputCol\": \"v\", "
        "\"outputCol\": \"o\"}, \"fitted\": {\"categorySizes\": [1.5]}}]}",
        "categorySizes[0]");
    refuse(
        "{\"headrace\": {\"format\": 1}, \"stages\": [{\"type\": \"MinMaxScaler\", \"params\": {\"inputCol\": \"v\", "
        "\"outputCol\": \"o\"}, \"fitted\": {\"originalMin\": [1, 2], \"originalMax\": [3]}}]}",
        "originalMax");
    refuse(
        "{\"headrace\": {\"format\": 1}, \"stages\": [{\"type\": \"StandardScaler\", \"params\": {\"inputCol\": \"v\", "
        "\"outputCol\": \"o\"}, \"fitted\": {\"mean\": [1], \"std\": [\"x\"]}}]}",
        "fitted.std[0]");
}

TEST_MAIN("pipeline_file", {"the same bits", test_the_same_bits},
          {"numbers keep their bits", test_numbers_keep_their_bits}, {"wrong files", test_wrong_files})
