/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of variables in messages: where they are found, and where a word only looks like one.
 */
#include "test.h"

#include <string.h>

#include "base/redact.h"

static void check(const char *text, const char *wanted)
{
    struct hr_buf out HR_CLEANUP(hr_buf_release);
    hr_buf_init(&out, 4096);
    CU_ASSERT_STRING_EQUAL(hr_redact(text, &out), wanted);
}

static void test_redact(void)
{
    check("nothing is known: 'out'", "nothing is known: 'out'");
    hr_redact_add("");
    hr_redact_add("out");
    hr_redact_add("words");
    hr_redact_add("long-secret");
    hr_redact_add("long-secret-of-all");
    check("without a value", "without a value");
    check("2 is out of range", "2 is out of range");
    check("'out' and out/a", "'" HR_REDACTED "' and out/a");
    check("/out/a", "/" HR_REDACTED "/a");
    check("passwords, words", "passwords, " HR_REDACTED);
    check("xlong-secrety", "x" HR_REDACTED "y");
    check("long-secret-of-all long-secret", HR_REDACTED " " HR_REDACTED);
    check("cut within: long-secret-o", "cut within: " HR_REDACTED);
}

TEST_MAIN("redact", {"redact", test_redact})
