/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: a CSV file under four dialects. Rows are written and read back.
 */
#include "fuzz.h"
#include "fuzz_records.h"

static const char schema[] = "schema: \"s string, i int, d double, f float, b boolean, t timestamp, x binary, "
                             "S array<string>, v vector, l long\"";
static const char *const dialects[] = {
    "{type: csv}",
    "{type: csv, header: false}",
    "{type: csv, header: false, delimiter: ';', quote: \"'\", nullValue: NULL}",
    "{type: csv, header: false, delimiter: \"\\t\", nullValue: \"'\"}",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_records records[HR_ARRAY_LEN(dialects)];
    for (size_t i = 0; i < HR_ARRAY_LEN(dialects); i++) {
        if (records[i].format == NULL) {
            fuzz_records_open(&records[i], schema, dialects[i]);
        }
        fuzz_records_decode(&records[i], (const char *)data, size);
        fuzz_records_check_round_trip(&records[i]);
    }
    return 0;
}
