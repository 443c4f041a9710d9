/* SPDX-License-Identifier: Apache-2.0
 *
 * All registries as one list: what `headrace list` and the reference page are made of. A component that is added to its
 * kind's X-list appears here by itself.
 */
#ifndef HR_SERVICE_DESCRIBE_H
#define HR_SERVICE_DESCRIBE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json_writer.h"
#include "base/option.h"

/* Something that a query can name. */
struct hr_component {
    const char *name;
    const char *summary;
    const char *doc;                /* NULL: no more than the summary */
    const char *example;            /* YAML; NULL: none */
    const char *trait;              /* "estimator", "at least once"; NULL: none */
    struct hr_option_table options; /* the shared ones included */
};

/* Components of one kind, by name. */
struct hr_component_group {
    const char *name;  /* as in `headrace list NAME`: "sources" */
    const char *where; /* as in a query file: "source"; NULL: the file itself */
    struct hr_component *items;
    size_t count;
};

#define HR_COMPONENT_GROUPS 7

/* All groups, in the order of a query file. */
void hr_describe_all(struct hr_arena *arena, struct hr_component_group groups[HR_COMPONENT_GROUPS]);

/* The sections of a query file that are no kind of their own. */
void hr_describe_sections(struct hr_component_group *group, struct hr_arena *arena);

void hr_describe_json(const struct hr_component *component, struct hr_json *json);
void hr_describe_text(const struct hr_component *component, struct hr_buf *out);
void hr_describe_markdown(const struct hr_component *component, struct hr_buf *out);

#endif
