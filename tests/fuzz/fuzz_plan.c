/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: a query file, as lint --offline reads it. A plan that was built must fit its own identity.
 */
#include "fuzz.h"
#include "stream/plan.h"

static void build(const char *path, enum hr_plan_purpose purpose)
{
    struct hr_plan_settings settings = {.purpose = purpose};
    struct hr_findings findings;
    struct hr_buf text;
    hr_findings_init(&findings);
    hr_buf_init(&text, (size_t)1 << 28);
    struct hr_plan *plan = hr_plan_build(path, &settings, &findings);
    FUZZ_CHECK((plan == NULL) == (findings.errors > 0));
    hr_findings_print_text(&findings, &text);
    hr_findings_print_json(&findings, &text);
    if (plan != NULL && purpose == HR_PLAN_RUN) {
        struct hr_error err;
        FUZZ_CHECK(hr_plan_check_identity(plan, hr_plan_identity(plan), &err) == HR_OK);
    }
    hr_plan_free(plan);
    hr_findings_release(&findings);
    hr_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    build(path, HR_PLAN_RUN);
    build(path, HR_PLAN_FIT);
    return 0;
}
