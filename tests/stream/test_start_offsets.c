/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a query started, kept in the checkpoint's identity through changes of it and through openings.
 */
#include "test.h"

#include <string.h>

#include "state/store.h"
#include "stream/start_offsets.h"

#define LINEAGE "11111111-2222-4333-8444-555555555555"

static struct hr_error err;

static struct hr_checkpoint *open_memory(const char *identity)
{
    struct hr_checkpoint *checkpoint = NULL;
    bool created;
    CU_ASSERT_EQUAL_FATAL(hr_checkpoint_open_store(hr_store_open_memory(), hr_str_from(identity), LINEAGE, 2,
                                                   &checkpoint, &created, &err),
                          HR_OK);
    return checkpoint;
}

static const char *identity_of(struct hr_checkpoint *checkpoint)
{
    static char text[1024];
    snprintf(text, sizeof(text), "%.*s", HR_STR_ARGS(hr_checkpoint_identity(checkpoint)));
    return text;
}

static void test_round_trip(void)
{
    struct hr_offsets offsets = {0};
    struct hr_offsets read = {0};
    bool known = true;
    struct hr_checkpoint *checkpoint = open_memory("{\"query\":\"q\"}");
    CU_ASSERT_EQUAL(hr_start_offsets_load(hr_checkpoint_identity(checkpoint), &read, &known, &err), HR_OK);
    CU_ASSERT_FALSE(known);
    hr_offsets_set(&offsets, HR_STR("topic"), 1, 9007199254740993);
    hr_offsets_set(&offsets, HR_STR("topic"), 0, 12);
    hr_offsets_set(&offsets, HR_STR("in/\xc3\xa4.json"), -1, 40)->line = 7;
    CU_ASSERT_EQUAL(hr_start_offsets_store(checkpoint, &offsets, &err), HR_OK);
    CU_ASSERT_EQUAL(hr_start_offsets_load(hr_checkpoint_identity(checkpoint), &read, &known, &err), HR_OK);
    CU_ASSERT_TRUE(known);
    CU_ASSERT_TRUE(hr_offsets_equal(&offsets, &read));
    CU_ASSERT_EQUAL(hr_offsets_find(&read, HR_STR("in/\xc3\xa4.json"), -1)->line, 7);
    CU_ASSERT_PTR_NOT_NULL(strstr(identity_of(checkpoint), "\"query\":\"q\""));
    hr_offsets_release(&read);
    hr_offsets_release(&offsets);
    hr_checkpoint_close(checkpoint);
}

/* A start where there was nothing is known, too. */
static void test_nothing_to_read_is_known(void)
{
    struct hr_offsets none = {0};
    struct hr_offsets read = {0};
    bool known = false;
    struct hr_checkpoint *checkpoint = open_memory("{}");
    CU_ASSERT_EQUAL(hr_start_offsets_store(checkpoint, &none, &err), HR_OK);
    CU_ASSERT_EQUAL(hr_start_offsets_load(hr_checkpoint_identity(checkpoint), &read, &known, &err), HR_OK);
    CU_ASSERT_TRUE(known);
    CU_ASSERT_EQUAL(read.count, 0);
    hr_checkpoint_close(checkpoint);
}

static void test_survives_a_changed_query(void)
{
    struct hr_offsets offsets = {0};
    struct hr_offsets read = {0};
    bool known = false;
    struct hr_checkpoint *checkpoint = open_memory("{\"query\":\"q\",\"old\":1}");
    hr_offsets_set(&offsets, HR_STR("topic"), 0, 12);
    CU_ASSERT_EQUAL(hr_start_offsets_store(checkpoint, &offsets, &err), HR_OK);
    CU_ASSERT_EQUAL(hr_identity_update(checkpoint, HR_STR("{\"query\":\"q\",\"new\":2}"), &err), HR_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(identity_of(checkpoint), "\"new\":2"));
    CU_ASSERT_PTR_NULL(strstr(identity_of(checkpoint), "old"));
    CU_ASSERT_EQUAL(hr_start_offsets_load(hr_checkpoint_identity(checkpoint), &read, &known, &err), HR_OK);
    CU_ASSERT_TRUE(known && hr_offsets_equal(&offsets, &read));
    hr_offsets_release(&read);
    hr_offsets_release(&offsets);
    hr_checkpoint_close(checkpoint);
}

static void test_damage_is_refused(void)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{",
        "{\"startOffsets\":[{\"name\":\"t\"}]}",
        "{\"startOffsets\":[{\"position\":1}]}",
        "{\"startOffsets\":[{\"name\":\"t\",\"position\":\"1\"}]}",
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(wrong); i++) {
        struct hr_offsets read = {0};
        bool known = false;
        CU_ASSERT_EQUAL(hr_start_offsets_load(hr_str_from(wrong[i]), &read, &known, &err), HR_CORRUPT);
        hr_offsets_release(&read);
    }
}

TEST_MAIN("start_offsets", {"there and back", test_round_trip},
          {"nothing to read is known", test_nothing_to_read_is_known},
          {"survives a changed query", test_survives_a_changed_query}, {"damage is refused", test_damage_is_refused})
