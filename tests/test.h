/* SPDX-License-Identifier: Apache-2.0
 *
 * The main() of a CUnit program: one suite, a list of named tests, exit status 1 when one failed or none ran.
 *
 *     static void test_splits_on_newline(void) { CU_ASSERT_EQUAL(…); }
 *     TEST_MAIN("format_csv", {"splits on newline", test_splits_on_newline}, …)
 */
#ifndef HR_TEST_H
#define HR_TEST_H

#include <CUnit/Basic.h>
#include <stddef.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

static inline int test_main(const char *suite_name, const struct test_case *cases, size_t count)
{
    if (CU_initialize_registry() != CUE_SUCCESS) {
        return 1;
    }
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; suite != NULL && i < count; i++) {
        CU_add_test(suite, cases[i].name, cases[i].run);
    }
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() > 0 || CU_get_number_of_tests_run() == 0;
    CU_cleanup_registry();
    return failed;
}

#define TEST_MAIN(suite_name, ...) \
    int main(void) \
    { \
        static const struct test_case test_cases[] = {__VA_ARGS__}; \
        return test_main(suite_name, test_cases, sizeof(test_cases) / sizeof(test_cases[0])); \
    }

/* Compares text and shows both on failure. */
#define TEST_TEXT_EQUAL(actual, expected) \
    do { \
        const char *test_actual = (actual); \
        const char *test_expected = (expected); \
        if (strcmp(test_actual, test_expected) != 0) { \
            printf("\n%s:%d:\n  expected: %s\n  actual:   %s\n", __FILE__, __LINE__, test_expected, test_actual); \
        } \
        CU_ASSERT_STRING_EQUAL(test_actual, test_expected); \
    } while (0)

#endif
