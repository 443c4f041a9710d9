/* SPDX-License-Identifier: Apache-2.0
 *
 * Plan: a query file, read, checked, typed and resolved. Built once; what it says does not change while the query runs
 * (the run's state is in the components' paged memory and in stream/query.c). Building touches nothing outside;
 * preflight does.
 *
 * plan.c is the only place that compares what sinks and sources can keep with the guarantee that is asked for.
 */
#ifndef HR_STREAM_PLAN_H
#define HR_STREAM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/finding.h"
#include "base/option.h"
#include "base/yaml.h"
#include "ml/evaluate.h"
#include "ml/model.h"
#include "ml/pipeline.h"
#include "sinks/dead_letter.h"
#include "sinks/sink.h"
#include "stream/source.h"
#include "stream/trigger.h"

/* What the plan is for: decides which sections are needed. */
enum hr_plan_purpose {
    HR_PLAN_RUN,
    HR_PLAN_FIT,   /* estimators need no fitted values; no sinks needed */
    HR_PLAN_EVAL,  /* no sinks, no checkpoint */
    HR_PLAN_SCORE, /* rows come from standard input */
};

struct hr_plan {
    struct hr_arena arena; /* of the query: everything below lives here */
    const char *file;
    const char *directory; /* of the file */
    const char *name;
    enum hr_guarantee guarantee; /* asked for; BEST when not written */
    struct hr_trigger trigger;
    const char *checkpoint_location;
    int64_t checkpoint_keep;
    struct hr_source *source;
    struct hr_format *format;
    struct hr_schema schema; /* source columns, then stages', then the model's */
    size_t source_columns;   /* how many of them come from the source (fields and metadata) */
    struct hr_pipeline pipeline;
    struct hr_model *model;           /* NULL: none */
    struct hr_evaluation *evaluation; /* NULL: none */
    struct hr_sink **sinks;
    size_t sink_count;
    struct hr_dead_letter *dead_letter; /* NULL: none */
    struct hr_yaml *root;
};

/* Options of the command line that a plan depends on. */
struct hr_plan_settings {
    enum hr_plan_purpose purpose;
    const char *data_dir;   /* default checkpoints go below it */
    const char *const *set; /* --set assignments */
    size_t set_count;
    bool once; /* --once */
};

/* Builds a plan; NULL when there are errors (findings have all of them; warnings alone do not stop). */
struct hr_plan *hr_plan_build(const char *file, const struct hr_plan_settings *settings, struct hr_findings *findings);
/* Looks at brokers, topics and directories. */
void hr_plan_preflight(struct hr_plan *plan, struct hr_findings *findings);
/* The identity that a checkpoint stores: JSON of what must fit at a restart and what `checkpoint inspect` shows; keys
 * and rules in plan_identity.c: {"query", "source": {"id", "type", "params"}, "stages": [{"type", "id", "params",
 * "fitted"}], "models": [{"id", "type", "params"}], "evaluation", "sinks": [{"id", "type", "guarantee"}]}. In the
 * plan's arena. */
struct hr_str hr_plan_identity(struct hr_plan *plan);
/* Compares a stored identity with the plan's: HR_MISMATCH lists all that differs and may not, and says what may. Keys
 * that others put beside ours are ignored. */
enum hr_status hr_plan_check_identity(struct hr_plan *plan, struct hr_str stored, struct hr_error *err);
/* As hr_plan_check_identity, for scoring: only what was learned must fit, that is pipeline and model. */
enum hr_status hr_plan_check_learned(struct hr_plan *plan, struct hr_str stored, struct hr_error *err);
/* The directory that a section of the file (source, a sink, deadLetter) names, without "." parts and doubled or final
 * slashes; NULL: it has none. */
const char *hr_plan_section_directory(struct hr_plan *plan, const struct hr_yaml *node);
/* Keys of a query file, and of its sections `trigger` and `checkpoint`. */
struct hr_option_table hr_plan_options(void);
struct hr_option_table hr_plan_checkpoint_options(void);
void hr_plan_free(struct hr_plan *plan);

#endif
