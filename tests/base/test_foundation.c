/* Status, arena, buffer, string slice. */
#include "test.h"

#include <stdint.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

static void test_status_has_sysexits_codes(void)
{
    CU_ASSERT_EQUAL(hr_status_exit_code(HR_BAD_CONFIG), 78);
    CU_ASSERT_EQUAL(hr_status_exit_code(HR_LOCKED), 75);
    CU_ASSERT_EQUAL(hr_status_exit_code(HR_OK), 0);
    CU_ASSERT_STRING_EQUAL(hr_status_name(HR_CORRUPT), "CORRUPT");
}

static void test_error_gains_context(void)
{
    struct hr_error err;
    CU_ASSERT_EQUAL(hr_fail(&err, HR_IO, "disk %d", 3), HR_IO);
    CU_ASSERT_EQUAL(hr_fail_hint(&err, "buy a disk"), HR_IO);
    CU_ASSERT_EQUAL(hr_fail_context(&err, "query '%s'", "q"), HR_IO);
    CU_ASSERT_STRING_EQUAL(err.text, "query 'q': disk 3");
    CU_ASSERT_STRING_EQUAL(err.hint, "buy a disk");
}

static void test_arena_reset_allocates_nothing(void)
{
    struct hr_arena arena;
    hr_arena_init(&arena, 4096);
    uint64_t before = 0;
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 20000; size = size * 3 + 1) {
            char *memory = hr_arena_alloc(&arena, size);
            CU_ASSERT_EQUAL((uintptr_t)memory % (size >= 64 ? 64 : 16), 0);
            memset(memory, 1, size);
        }
        if (round == 0) {
            before = hr_alloc_count();
        }
        hr_arena_reset(&arena);
    }
    CU_ASSERT_EQUAL(hr_alloc_count(), before);
    CU_ASSERT_STRING_EQUAL(hr_arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    hr_arena_release(&arena);
}

static void test_buf_stops_at_maximum(void)
{
    struct hr_buf buf;
    hr_buf_init(&buf, 10);
    hr_buf_append_text(&buf, "12345");
    hr_buf_append_text(&buf, "678901");
    CU_ASSERT_TRUE(buf.overflow);
    CU_ASSERT_STRING_EQUAL(hr_buf_text(&buf), "12345");
    hr_buf_clear(&buf);
    hr_buf_append_text(&buf, "1234567890");
    CU_ASSERT_FALSE(buf.overflow);
    CU_ASSERT_STRING_EQUAL(hr_buf_text(&buf), "1234567890");
    hr_buf_release(&buf);
}

static void test_utf8(void)
{
    CU_ASSERT_TRUE(hr_str_is_utf8(HR_STR("plain text longer than a word, Z\xc3\xbcrich \xf0\x9f\x98\x80")));
    CU_ASSERT_FALSE(hr_str_is_utf8(HR_STR("\xc0\x80")));
    CU_ASSERT_FALSE(hr_str_is_utf8(HR_STR("\xed\xa0\x80")));
    CU_ASSERT_FALSE(hr_str_is_utf8(HR_STR("\xf4\x90\x80\x80")));
    CU_ASSERT_FALSE(hr_str_is_utf8(HR_STR("abc\xe2\x82")));
    CU_ASSERT_TRUE(hr_str_is_utf8((struct hr_str){NULL, 0}));
}

static void test_nearest_name(void)
{
    static const char *const names[] = {"topic", "maxOffsetsPerTrigger", "path", NULL};
    CU_ASSERT_STRING_EQUAL(hr_str_nearest("topc", names, 4), "topic");
    CU_ASSERT_STRING_EQUAL(hr_str_nearest("max_offsets_per_trigger", names, 4), "maxOffsetsPerTrigger");
    CU_ASSERT_PTR_NULL(hr_str_nearest("banana", names, 4));
}

TEST_MAIN("foundation", {"status has sysexits codes", test_status_has_sysexits_codes},
          {"error gains context", test_error_gains_context},
          {"arena reset allocates nothing", test_arena_reset_allocates_nothing},
          {"buf stops at maximum", test_buf_stops_at_maximum}, {"utf8", test_utf8}, {"nearest name", test_nearest_name})
