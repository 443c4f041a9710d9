/* SPDX-License-Identifier: Apache-2.0
 *
 * What the golden tables do not reach in VectorAssembler, OneHotEncoder, IndexToString and Imputer: chunks of mixed
 * form, attributes, messages, types.
 */
#include "test.h"

#include <math.h>

#include "ml/lesson.h"

static const struct hr_column *column(const struct lesson *lesson, const char *name)
{
    return &lesson->chunk.columns[hr_schema_find(&lesson->schema, name)];
}

static const struct hr_attribute *attribute(const struct lesson *lesson, const char *name)
{
    return lesson->schema.fields[hr_schema_find(&lesson->schema, name)].attribute;
}

static void check_rejects(const struct lesson *lesson, const char *words)
{
    CU_ASSERT_EQUAL_FATAL(lesson->rejects.count, 1);
    if (strstr(lesson->rejects.items[0].message, words) == NULL) {
        printf("\n'%s' is not in: %s\n", words, lesson->rejects.items[0].message);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(lesson->rejects.items[0].message, words));
}

static void test_assembler_makes_a_matrix(void)
{
    struct lesson lesson;
    lesson_open(&lesson, "a double, i int, b boolean, v vector");
    lesson_pipeline(&lesson, "  - {type: VectorAssembler, inputCols: [a, i, b, v], outputCol: f}", NULL);
    lesson_transform(&lesson, "{\"a\": 1.5, \"i\": -2, \"b\": true, \"v\": [3, 4]}\n"
                              "{\"a\": -0.0, \"i\": 7, \"b\": false, \"v\": [-0.0, \"NaN\"]}");
    static const double expected[] = {1.5, -2, 1, 3, 4, 0, 7, 0, 0};
    const struct hr_column *made = column(&lesson, "f");
    CU_ASSERT_PTR_NOT_NULL_FATAL(made->dense);
    CU_ASSERT_EQUAL(made->dense_size, 5);
    CU_ASSERT_EQUAL(memcmp(made->dense, expected, sizeof(expected)), 0); /* no -0.0 either */
    CU_ASSERT_TRUE(isnan(made->dense[9]));
    lesson_close(&lesson);
}

/* The same rows, once as a matrix and once with a sparse row among them, which leads to the other way of assembling. */
static void test_assembler_ways_agree(void)
{
    static const char *const inputs[] = {
        "{\"a\": 0, \"v\": [0, 0, 0, 0, 5]}\n{\"a\": 2, \"v\": [1, 0, 3, 0, 0]}",
        "{\"a\": 0, \"v\": {\"size\": 5, \"indices\": [0, 4], \"values\": [0, 5]}}\n{\"a\": 2, \"v\": [1, 0, 3, 0, 0]}",
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(inputs); i++) {
        struct lesson lesson;
        lesson_open(&lesson, "a double, v vector");
        lesson_pipeline(&lesson, "  - {type: VectorAssembler, inputCols: [v, a, a], outputCol: f}", NULL);
        lesson_transform(&lesson, inputs[i]);
        TEST_TEXT_EQUAL(lesson_column(&lesson, "f"),
                        "{\"f\":{\"size\":7,\"indices\":[4],\"values\":[5]}}\n{\"f\":[1,0,3,0,0,2,2]}\n");
        CU_ASSERT_PTR_NULL(column(&lesson, "f")->dense);
        lesson_close(&lesson);
    }
}

static void test_assembler_drops_and_rejects(void)
{
    static const char rows[] = "{\"a\": 1, \"b\": 2}\n{\"a\": \"NaN\", \"b\": null}\n{\"a\": 3, \"b\": 4}";
    struct lesson lesson;
    lesson_open(&lesson, "a double, b long");
    lesson_pipeline(&lesson, "  - {type: VectorAssembler, id: va, inputCols: [a, b], outputCol: f}", NULL);
    lesson_transform(&lesson, rows);
    check_rejects(&lesson, "VectorAssembler 'va': column 'a': NaN ");
    CU_ASSERT_EQUAL(lesson.rejects.items[0].record, 1);
    CU_ASSERT_EQUAL(lesson.chunk.rows, 2);
    CU_ASSERT_EQUAL(column(&lesson, "f")->vectors[1].values[1], 4);
    lesson_close(&lesson);

    lesson_open(&lesson, "a double, b long");
    lesson_pipeline(&lesson, "  - {type: VectorAssembler, inputCols: [a, b], outputCol: f, handleInvalid: skip}", NULL);
    lesson_transform(&lesson, rows);
    TEST_TEXT_EQUAL(lesson_column(&lesson, "f"), "{\"f\":[1,2]}\n{\"f\":[3,4]}\n");
    lesson_close(&lesson);

    lesson_open(&lesson, "a double, b long");
    lesson_pipeline(&lesson, "  - {type: VectorAssembler, inputCols: [a, b], outputCol: f, handleInvalid: keep}", NULL);
    lesson_transform(&lesson, rows);
    TEST_TEXT_EQUAL(lesson_column(&lesson, "f"), "{\"f\":[1,2]}\n{\"f\":[\"NaN\",\"NaN\"]}\n{\"f\":[3,4]}\n");
    lesson_close(&lesson);
}

static void test_assembler_names_elements(void)
{
    struct lesson lesson;
    lesson_open(&lesson, "a double, city string, v vector, w vector");
    lesson_pipeline(&lesson,
                    "  - {type: StringIndexer, inputCol: city, outputCol: ix, fitted: {labelsArray: [[Oslo, Lima]]}}\n"
                    "  - {type: OneHotEncoder, inputCol: ix, outputCol: hot, dropLast: false, fitted: {categorySizes: "
                    "[2]}}\n"
                    "  - {type: VectorSizeHint, inputCol: v, size: 2}\n"
                    "  - {type: VectorAssembler, inputCols: [a, hot, v, ix], outputCol: f}\n"
                    "  - {type: VectorAssembler, inputCols: [a, w], outputCol: g}",
                    NULL);
    static const char *const names[] = {"a", "hot_Oslo", "hot_Lima", "v_0", "v_1", "ix"};
    const struct hr_attribute *group = attribute(&lesson, "f");
    CU_ASSERT_EQUAL(group->kind, HR_ATTRIBUTE_GROUP);
    CU_ASSERT_EQUAL_FATAL(group->element_count, HR_ARRAY_LEN(names));
    for (size_t i = 0; i < HR_ARRAY_LEN(names); i++) {
        TEST_TEXT_EQUAL(group->elements[i].name, names[i]);
    }
    CU_ASSERT_EQUAL(group->elements[0].kind, HR_ATTRIBUTE_NUMERIC);
    CU_ASSERT_EQUAL(group->elements[1].kind, HR_ATTRIBUTE_BINARY);
    CU_ASSERT_EQUAL(group->elements[5].kind, HR_ATTRIBUTE_NOMINAL);
    CU_ASSERT_PTR_NULL(attribute(&lesson, "g")); /* the size of w is not known */
    lesson_close(&lesson);
}

/* Messages of what bind refuses. */
static void refuse(const char *schema, const char *stages, const char *words)
{
    struct lesson lesson;
    lesson_open(&lesson, schema);
    const char *text = hr_arena_printf(&lesson.arena, "stages:\n%s", stages);
    hr_pipeline_read(&lesson.pipeline, lesson_yaml(&lesson, text), ".", &lesson.arena, &lesson.findings);
    hr_pipeline_bind(&lesson.pipeline, &lesson.schema, &lesson.findings);
    CU_ASSERT_TRUE(lesson.findings.errors > 0);
    hr_findings_print_text(&lesson.findings, &lesson.out);
    if (strstr(hr_buf_text(&lesson.out), words) == NULL) {
        printf("\n'%s' is not in: %s\n", words, hr_buf_text(&lesson.out));
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(hr_buf_text(&lesson.out), words));
    lesson_close(&lesson);
}

static void test_plans_that_cannot_work(void)
{
    refuse("v vector", "  - {type: VectorAssembler, inputCols: [v], outputCol: f, handleInvalid: keep}",
           "VectorSizeHint, inputCol: v");
    refuse("s string", "  - {type: VectorAssembler, inputCols: [s], outputCol: f}", "column 's' is string");
    refuse("s string", "  - {type: VectorAssembler, inputCols: [], outputCol: f}", "inputCols");
    refuse("i double", "  - {type: IndexToString, inputCol: i, outputCol: s}", "column 'i' carries no labels");
    refuse("c string",
           "  - {type: StringIndexer, inputCol: c, outputCol: ix, fitted: {labelsArray: [[a, b]]}}\n"
           "  - {type: OneHotEncoder, inputCol: ix, outputCol: v, fitted: {categorySizes: [3]}}",
           "column 'ix' has 2 categories");
    refuse("c string",
           "  - {type: StringIndexer, inputCol: c, outputCol: ix, fitted: {labelsArray: [[a, \"\", b]]}}\n"
           "  - {type: OneHotEncoder, inputCol: ix, outputCol: v, fitted: {categorySizes: [3]}}",
           "empty string");
    refuse("c string",
           "  - {type: StringIndexer, inputCol: c, outputCol: ix, fitted: {labelsArray: [[a]]}}\n"
           "  - {type: OneHotEncoder, inputCol: ix, outputCol: v, fitted: {categorySizes: [1]}}",
           "fewer than two categories");
    refuse("i int", "  - {type: Imputer, inputCol: i, outputCol: o, fitted: {surrogates: [3e9]}}", "does not fit");
    refuse("v vector",
           "  - {type: VectorSizeHint, inputCol: v, size: 2}\n"
           "  - {type: StandardScaler, inputCol: v, outputCol: s, fitted: {mean: [1], std: [1]}}",
           "fitted on 1");
    refuse("v vector", "  - {type: MinMaxScaler, inputCol: v, outputCol: s, min: 1, max: 1}", "min");
}

static void test_encoder_values(void)
{
    struct lesson lesson;
    lesson_open(&lesson, "i double");
    lesson_pipeline(&lesson, "  - {type: OneHotEncoder, inputCol: i, outputCol: v, fitted: {categorySizes: [3]}}",
                    NULL);
    lesson_transform(&lesson, "{\"i\": 1.9}\n{\"i\": null}\n{\"i\": -0.0}\n{\"i\": 2}\n{\"i\": -1}");
    TEST_TEXT_EQUAL(lesson_column(&lesson, "v"),
                    "{\"v\":{\"size\":2,\"indices\":[1],\"values\":[1]}}\n{\"v\":null}\n"
                    "{\"v\":{\"size\":2,\"indices\":[0],\"values\":[1]}}\n"
                    "{\"v\":{\"size\":2,\"indices\":[],\"values\":[]}}\n"
                    "!OneHotEncoder: column 'i': Negative value: -1.0, the fit saw categories below 3; handleInvalid: "
                    "keep takes such values\n");
    lesson_transform(&lesson, "{\"i\": \"NaN\"}");
    check_rejects(&lesson, "Unseen value: NaN");
    lesson_close(&lesson);

    lesson_open(&lesson, "i double");
    lesson_pipeline(
        &lesson,
        "  - {type: OneHotEncoder, inputCol: i, outputCol: v, dropLast: false, handleInvalid: keep, fitted: "
        "{categorySizes: [2]}}",
        NULL);
    lesson_transform(&lesson, "{\"i\": \"NaN\"}\n{\"i\": -5}\n{\"i\": 2}");
    TEST_TEXT_EQUAL(lesson_column(&lesson, "v"), "{\"v\":{\"size\":3,\"indices\":[2],\"values\":[1]}}\n"
                                                 "{\"v\":{\"size\":3,\"indices\":[2],\"values\":[1]}}\n"
                                                 "{\"v\":{\"size\":3,\"indices\":[2],\"values\":[1]}}\n");
    CU_ASSERT_STRING_EQUAL(attribute(&lesson, "v")->elements[2].name, "invalidValues");
    lesson_close(&lesson);
}

static void test_labels(void)
{
    struct lesson lesson;
    lesson_open(&lesson, "i double");
    lesson_pipeline(&lesson, "  - {type: IndexToString, inputCol: i, outputCol: s, labels: [a, b]}", NULL);
    lesson_transform(&lesson, "{\"i\": 0.9}\n{\"i\": -0.5}\n{\"i\": null}\n{\"i\": 1}");
    TEST_TEXT_EQUAL(lesson_column(&lesson, "s"), "{\"s\":\"a\"}\n{\"s\":\"a\"}\n{\"s\":null}\n{\"s\":\"b\"}\n");
    lesson_transform(&lesson, "{\"i\": 2}");
    check_rejects(&lesson, "column 'i': Unseen index: 2.0");
    lesson_transform(&lesson, "{\"i\": \"NaN\"}");
    check_rejects(&lesson, "Unseen index: NaN");
    lesson_transform(&lesson, "{\"i\": 1e300}");
    check_rejects(&lesson, "Unseen index: 1.0E300");
    lesson_close(&lesson);
}

static void test_imputer_types(void)
{
    struct lesson lesson;
    lesson_open(&lesson, "i int, l long, f float, d double");
    lesson_pipeline(
        &lesson,
        "  - {type: Imputer, inputCols: [i, l, f, d], outputCols: [io, lo, fo, do], missingValue: 7, fitted: "
        "{surrogates: [-2.9, 3.5, 0.1, 0.1]}}",
        NULL);
    lesson_transform(&lesson, "{\"i\": null, \"l\": 7, \"f\": null, \"d\": 7.0}\n"
                              "{\"i\": 1, \"l\": 9007199254740993, \"f\": 0.5, \"d\": \"NaN\"}");
    TEST_TEXT_EQUAL(lesson_column(&lesson, "io"), "{\"io\":-2}\n{\"io\":1}\n");
    TEST_TEXT_EQUAL(lesson_column(&lesson, "lo"), "{\"lo\":3}\n{\"lo\":9007199254740993}\n");
    TEST_TEXT_EQUAL(lesson_column(&lesson, "fo"), "{\"fo\":0.1}\n{\"fo\":0.5}\n");
    TEST_TEXT_EQUAL(lesson_column(&lesson, "do"), "{\"do\":0.1}\n{\"do\":\"NaN\"}\n");
    CU_ASSERT_EQUAL(column(&lesson, "fo")->doubles[0], (double)0.1f);
    lesson_close(&lesson);
}

/* What ends a fit, with the record's place where it is known. */
static void refuse_fit(const char *stages, const char *rows, const char *expected)
{
    struct lesson lesson;
    struct hr_pipeline_fit fit;
    struct hr_error err = {0};
    lesson_open(&lesson, "v vector, i double");
    const char *text = hr_arena_printf(&lesson.arena, "stages:\n%s", stages);
    hr_pipeline_read(&lesson.pipeline, lesson_yaml(&lesson, text), ".", &lesson.arena, &lesson.findings);
    hr_pipeline_fit_begin(&fit, &lesson.pipeline, &lesson.schema);
    enum hr_status status = hr_pipeline_fit_next(&fit, &err);
    lesson_rows(&lesson, rows);
    for (size_t i = 0; i < LESSON_ROWS; i++) {
        lesson.records[i].origin = hr_str_from("in/a.json");
        lesson.records[i].line = (int64_t)i + 1;
    }
    if (status == HR_OK && lesson.chunk.rows > 0) {
        status = hr_pipeline_fit_chunk(&fit, &lesson.chunk, &err);
    }
    while (status == HR_OK) {
        status = hr_pipeline_fit_next(&fit, &err);
    }
    CU_ASSERT_TRUE(status == HR_BAD_DATA || status == HR_BAD_CONFIG);
    TEST_TEXT_EQUAL(err.text, expected);
    CU_ASSERT_NOT_EQUAL(err.hint[0], '\0');
    lesson_close(&lesson);
}

static void test_fits_that_cannot_end(void)
{
    static const char scaler[] = "  - {type: StandardScaler, inputCol: v, outputCol: s}";
    static const char range[] = "  - {type: MinMaxScaler, id: mm, inputCol: v, outputCol: s}";
    static const char encoder[] = "  - {type: OneHotEncoder, inputCol: i, outputCol: s}";
    static const char imputer[] = "  - {type: Imputer, inputCol: i, outputCol: s}";
    refuse_fit(scaler, "", "StandardScaler: there are no rows to fit on");
    refuse_fit(scaler, "{\"v\": [1]}\n{\"v\": null}", "in/a.json:2: StandardScaler: column 'v': null is no vector");
    refuse_fit(range, "{\"v\": [1]}\n{\"v\": [1, 2]}",
               "in/a.json:2: MinMaxScaler 'mm': column 'v': a vector of 2 elements after one of 1");
    refuse_fit(encoder, "{\"i\": 1.5}",
               "in/a.json:1: OneHotEncoder: column 'i': values must be indices 0, 1, …, but this is 1.5");
    refuse_fit(encoder, "{\"i\": 0}\n{\"i\": 3e9}",
               "in/a.json:2: OneHotEncoder: column 'i': values must be indices 0, 1, …, but this is 3.0E9");
    refuse_fit(imputer, "{\"i\": null}\n{\"i\": \"NaN\"}",
               "Imputer: the surrogate of column 'i' cannot be computed: all its values are null, NaN or missingValue "
               "(NaN)");
    refuse_fit(imputer, "{\"i\": \"Infinity\"}\n{\"i\": \"-Infinity\"}",
               "Imputer: the surrogate of column 'i' cannot be computed: the mean of its values is NaN");
}

TEST_MAIN("stages", {"assembler makes a matrix", test_assembler_makes_a_matrix},
          {"assembler: both ways agree", test_assembler_ways_agree},
          {"assembler drops and rejects", test_assembler_drops_and_rejects},
          {"assembler names elements", test_assembler_names_elements},
          {"plans that cannot work", test_plans_that_cannot_work}, {"encoder: values", test_encoder_values},
          {"labels", test_labels}, {"fits that cannot end", test_fits_that_cannot_end},
          {"imputer: types", test_imputer_types})
