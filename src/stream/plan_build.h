/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files that build a plan share, and nobody else: the builder, and one function a section of the query file.
 *
 * Each section is read even when others are wrong, so that one run shows all errors. What depends on a section that is
 * wrong (columns of a schema that could not be read, outputs of a stage that does not exist) is not complained about.
 */
#ifndef HR_STREAM_PLAN_BUILD_H
#define HR_STREAM_PLAN_BUILD_H

#include "stream/plan.h"

/* Sections as nodes; NULL: not written. */
struct hr_plan_sections {
    const char *api_version;
    const char *kind;
    const char *name;
    int guarantee;
    struct hr_yaml *trigger;
    struct hr_yaml *checkpoint;
    struct hr_yaml *source;
    struct hr_yaml *pipeline;
    struct hr_yaml *model;
    struct hr_yaml *evaluation;
    struct hr_yaml *sinks;
    struct hr_yaml *dead_letter;
};

struct hr_plan_builder {
    struct hr_plan *plan;
    const struct hr_plan_settings *settings;
    struct hr_findings *findings;
    struct hr_plan_sections sections;
    size_t declared_columns; /* of plan->schema: those that the user declared */
    size_t model_columns;    /* first column that the model added */
    bool names_known;        /* each column of the source has its name, though its type may be wrong */
    bool schema_good;        /* columns of the source are known */
    bool bound;              /* all columns are known */
};

void hr_plan_build_source(struct hr_plan_builder *builder);
/* Metadata columns that a sink, a stage or the model names. After pipeline and model are read, before they are bound.
 */
void hr_plan_add_metadata(struct hr_plan_builder *builder);
void hr_plan_bind(struct hr_plan_builder *builder);
void hr_plan_build_sinks(struct hr_plan_builder *builder);
/* Resolves what each sink promises, or refuses. */
void hr_plan_check_guarantee(struct hr_plan_builder *builder);

/* The place of the scalar `text` below node, else of node itself. */
const struct hr_place *hr_plan_place_of(const struct hr_yaml *node, const char *text);
/* False: nothing in the file, not even a section that is wrong, makes a column of this name. */
bool hr_plan_may_exist(const struct hr_plan_builder *builder, const char *column);
/* True when some stage of the query file says that it writes this column. */
bool hr_plan_stage_writes(const struct hr_plan_builder *builder, const char *column);

#endif
