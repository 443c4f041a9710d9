/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: JSON lines. Three schemas see the same bytes: one with every type, whose rows are written and read back,
 * one of pointers into nested values, columns that are not nullable, and time stamps in other forms, and one of plain
 * members, for which the short and the general way must give the same rows and rejects.
 */
#include "data/simd.h"
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

static const char plain_schema[] = "schema: \"b boolean, i int, l long, f float, d double, s string, t timestamp\"";

/* Rows, then what is said of rejects. */
static void decoded_text(struct fuzz_records *records, struct hr_str text, enum hr_simd simd, struct hr_buf *out)
{
    hr_simd_limit(simd);
    fuzz_records_decode(records, text.data, text.length);
    hr_simd_limit(HR_SIMD_AVX512);
    fuzz_records_encode(records, out);
    for (size_t i = 0; i < records->rejects.count; i++) {
        hr_buf_printf(out, "%u %s\n", records->rejects.items[i].record, records->rejects.items[i].message);
    }
}

/* The bytes several times over, so that records come again after those that a shape was learned from. */
static void check_ways(struct fuzz_records *records, const char *data, size_t size)
{
    struct hr_buf text HR_CLEANUP(hr_buf_release);
    struct hr_buf expected HR_CLEANUP(hr_buf_release);
    struct hr_buf out HR_CLEANUP(hr_buf_release);
    hr_buf_init(&text, (size_t)1 << 28);
    hr_buf_init(&expected, (size_t)1 << 28);
    for (int i = 0; i < 12; i++) {
        hr_buf_append(&text, data, size);
        hr_buf_append_char(&text, '\n');
    }
    decoded_text(records, hr_buf_str(&text), HR_SIMD_NONE, &expected);
    hr_buf_init(&out, (size_t)1 << 28);
    decoded_text(records, hr_buf_str(&text), HR_SIMD_AVX512, &out);
    FUZZ_CHECK(hr_str_equal(hr_buf_str(&out), hr_buf_str(&expected)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_records flat;
    static struct fuzz_records nested;
    static struct fuzz_records plain;
    if (flat.format == NULL) {
        fuzz_records_open(&flat, flat_schema, "{type: json}");
        fuzz_records_open(&nested, nested_schema, "{type: json}");
        fuzz_records_open(&plain, plain_schema, "{type: json}");
    }
    check_ways(&plain, (const char *)data, size);
    fuzz_records_decode(&nested, (const char *)data, size);
    fuzz_records_decode(&flat, (const char *)data, size);
    fuzz_records_check_round_trip(&flat);
    return 0;
}
