/* SPDX-License-Identifier: Apache-2.0
 *
 * The head that formats, sources, stages, models and sinks have in common: enough for `headrace list`, the reference
 * page, the JSON schema and the option check to walk every registry with one loop.
 */
#ifndef HR_BASE_KIND_H
#define HR_BASE_KIND_H

#include <stddef.h>

#include "base/option.h"

struct hr_kind {
    const char *name;    /* as in `type:` */
    const char *summary; /* one line */
    const char *doc;     /* a paragraph or more; source of the algorithm (paper, Spark class) */
    const char *example; /* YAML that a test parses; the value of one list element or section */
    struct hr_option_table options;
    size_t options_size;  /* of the component's options struct */
    size_t instance_size; /* of its instance struct, which starts with the kind's instance head */
};

#endif
