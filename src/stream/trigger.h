/* SPDX-License-Identifier: Apache-2.0
 *
 * When the next batch starts: as soon as there is data (processingTime 0), on a grid of the wall clock (Spark:
 * floor(now / interval) · interval + interval; a late batch starts at once), once over what is there (once), or in
 * batches until what was there at the start is read (availableNow).
 */
#ifndef HR_STREAM_TRIGGER_H
#define HR_STREAM_TRIGGER_H

#include <stdint.h>

#include "base/finding.h"
#include "base/option.h"
#include "base/yaml.h"

enum hr_trigger_kind { HR_TRIGGER_PROCESSING_TIME, HR_TRIGGER_AVAILABLE_NOW, HR_TRIGGER_ONCE };

struct hr_trigger {
    enum hr_trigger_kind kind;
    int64_t interval_us;
};

/* Keys of `trigger:`, of which one may be given. */
struct hr_option_table hr_trigger_options(void);
/* NULL: processingTime 0. */
void hr_trigger_read(struct hr_trigger *trigger, const struct hr_yaml *node, struct hr_findings *findings);
/* µs from wall-clock time now_us to the next start on the grid. Ask at the start of a batch: the next one starts that
 * much later, or at once when the batch took longer. */
int64_t hr_trigger_wait_us(const struct hr_trigger *trigger, int64_t now_us);

#endif
