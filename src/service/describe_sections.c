/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections of a query file that have keys but no type: the file itself, trigger, checkpoint, columns of a schema,
 * pipeline, evaluation, dead letters. In the order of a query file.
 */
#include <string.h>

#include "data/schema.h"
#include "ml/evaluate.h"
#include "service/describe.h"
#include "sinks/dead_letter.h"
#include "stream/plan.h"
#include "stream/trigger.h"

/* As ml/pipeline.c reads them; a section of two keys has no table there. */
struct pipeline_keys {
    struct hr_yaml *stages;
    const char *from;
};

static const struct hr_option pipeline_rows[] = {
    HR_OPTION(struct pipeline_keys, stages, "stages", NODE, .help = "list of stages, in order; may be empty"),
    HR_OPTION(struct pipeline_keys, from, "from", STRING, .help = "instead: a pipeline file, made by headrace fit"),
};

void hr_describe_sections(struct hr_component_group *group, struct hr_arena *arena)
{
    const struct hr_component sections[] = {
        {
            .name = "query",
            .summary = "the keys of a query file",
            .doc = "Keys that begin with x- are ignored everywhere. ${NAME}, ${NAME:-default} and ${NAME:?message} in "
                   "a value stand for variables of the environment. Relative paths are relative to the file.",
            .example = "apiVersion: headrace/v1\nkind: Query\nname: demo\n"
                       "source: {type: file, path: in, schema: \"id long, x double\"}\n"
                       "sinks: [{type: console}]\n",
            .options = hr_plan_options(),
        },
        {
            .name = "trigger",
            .summary = "when a batch starts: one of these keys",
            .example = "trigger: {processingTime: 10s}\n",
            .options = hr_trigger_options(),
        },
        {
            .name = "checkpoint",
            .summary = "where a query keeps positions, model and state",
            .example = "checkpoint: {location: state/demo, keep: 10}\n",
            .options = hr_plan_checkpoint_options(),
        },
        {
            .name = "schema",
            .summary = "an entry of a source's schema",
            .doc =
                "A schema is a list of these, or Spark's DDL string: \"id long NOT NULL, x double, tags "
                "array<string>, v vector\". Types: boolean, int, long, float, double, string, timestamp, binary, "
                "array<string>, array<double>, vector.\n\n"
                "Columns that need no entry, for a stage, a model or `columns` of a sink to name: `__topic` string, "
                "`__partition` int, `__offset` long (Kafka's; of other sources the number or the byte), `__timestamp` "
                "timestamp (of the record), `__key` binary (the record's key; in JSON its base64 text), `__headers` "
                "string (a JSON object of the Kafka record's headers, with includeHeaders: true), `__file` string, "
                "`__line` long (from 1). What a source does not have is null.",
            .example = "schema:\n  - {name: id, type: long, nullable: false}\n"
                       "  - {name: when, type: timestamp, path: /meta/time, format: epochMillis}\n",
            .options = hr_schema_entry_options(),
        },
        {
            .name = "pipeline",
            .summary = "from the source's columns to the model's features",
            .doc =
                "A stage is {type: NAME, id: NAME, parameters…}; an estimator takes fitted: {…} with the values that "
                "headrace fit finds. The id is the type and the stage's number by default.",
            .example = "pipeline:\n  stages:\n    - {type: Tokenizer, inputCol: text, outputCol: words}\n",
            .options = HR_OPTION_TABLE(pipeline_rows),
        },
        {
            .name = "evaluation",
            .summary = "what is measured while the model learns",
            .example = "evaluation: {metrics: [accuracy, auc], windows: {slidingRows: 1000}}\n",
            .options = hr_evaluation_options(),
        },
        {
            .name = "windows",
            .summary = "over which rows metrics are taken, in evaluation",
            .options = hr_evaluation_window_options(),
        },
        {
            .name = "deadLetter",
            .summary = "where bad records go",
            .doc = "A Kafka or file sink, with its keys, and these.",
            .example = "deadLetter: {type: file, path: bad, maxRatio: 0.05}\n",
            .options = hr_dead_letter_options(),
        },
    };
    *group = (struct hr_component_group){
        .name = "sections",
        .items = hr_arena_array(arena, HR_ARRAY_LEN(sections), struct hr_component),
        .count = HR_ARRAY_LEN(sections),
    };
    memcpy(group->items, sections, sizeof(sections));
}
