/* SPDX-License-Identifier: Apache-2.0
 *
 * Which column each field of a CSV record leads to.
 */
#ifndef HR_DATA_CSV_HEADER_H
#define HR_DATA_CSV_HEADER_H

#include "data/csv_decode.h"

/* Field i is the i-th column that is decoded. */
void hr_csv_header_none(struct hr_csv_decoder *decoder);
/* A header record: from now on fields lead to the columns of these names. What is wrong with it is in the decoder's
 * header_error. */
void hr_csv_header_take(struct hr_csv_decoder *decoder, const struct hr_record *record, struct hr_arena *arena);

#endif
