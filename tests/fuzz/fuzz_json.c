/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: JSON lines. Two schemas see the same bytes: one with every type, whose rows are written and read back,
 * and one of pointers into nested values, columns that are not nullable, and time stamps in other forms.
 */
#include "fuzz.h"
#include "fuzz_records.h"

static const char flat_schema[] = "schema: \"b boolean, i int, l long, f float, d double, s string, t timestamp, "
                                  "x binary, S array<string>, D array<double>, v vector\"";
static const char nested_schema[] = "schema:\n"
                                    "- {name: id, type: long, path: /user/id, nullable: false}\n"
                                    "- {name: name, type: string, path: /user/name}\n"
                                    "- {name: again, type: string, path: /user/name}\n"
                                    "- {name: v, type: vector}\n"
                                    "- {name: v_size, type: long, path: /v/size}\n"
                                    "- {name: first, type: double, path: /S/0}\n"
                                    "- {name: third, type: float, path: /S/2/x}\n"
                                    "- {name: 'q\"t~', type: int}\n"
                                    "- {name: empty, type: boolean, path: /}\n"
                                    "- {name: millis, type: timestamp, format: epochMillis, path: /l}\n"
                                    "- {name: seconds, type: timestamp, format: epochSeconds, path: /d}\n"
                                    "- {name: day, type: timestamp, format: yyyy-MM-dd, path: /s}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_records flat;
    static struct fuzz_records nested;
    if (flat.format == NULL) {
        fuzz_records_open(&flat, flat_schema, "{type: json}");
        fuzz_records_open(&nested, nested_schema, "{type: json}");
    }
    fuzz_records_decode(&nested, (const char *)data, size);
    fuzz_records_decode(&flat, (const char *)data, size);
    fuzz_records_check_round_trip(&flat);
    return 0;
}
