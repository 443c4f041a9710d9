/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing and checking slices; edit distance for "did you mean".
 */
#include "base/str.h"

#include <ctype.h>
#include <stdint.h>

int hr_str_compare(struct hr_str a, struct hr_str b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    if (order != 0) {
        return order;
    }
    return a.length < b.length ? -1 : a.length > b.length;
}

/* Unicode 15, table 3-7. */
size_t hr_str_utf8_length(const char *data, size_t left)
{
    const uint8_t *s = (const uint8_t *)data;
    if (s[0] < 0x80) {
        return 1;
    }
    if (s[0] < 0xc2) {
        return 0;
    }
    if (s[0] < 0xe0) {
        return left >= 2 && (s[1] & 0xc0) == 0x80 ? 2 : 0;
    }
    if (s[0] < 0xf0) {
        uint8_t low = s[0] == 0xe0 ? 0xa0 : 0x80;
        uint8_t high = s[0] == 0xed ? 0x9f : 0xbf;
        return left >= 3 && s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    if (s[0] < 0xf5) {
        uint8_t low = s[0] == 0xf0 ? 0x90 : 0x80;
        uint8_t high = s[0] == 0xf4 ? 0x8f : 0xbf;
        return left >= 4 && s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 && (s[3] & 0xc0) == 0x80 ? 4 : 0;
    }
    return 0;
}

bool hr_str_is_utf8(struct hr_str slice)
{
    size_t i = 0;
    while (i < slice.length) {
        uint64_t word;
        if (slice.length - i >= sizeof(word)) {
            memcpy(&word, slice.data + i, sizeof(word));
            if ((word & 0x8080808080808080u) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        size_t length = hr_str_utf8_length(slice.data + i, slice.length - i);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

#define DISTANCE_LENGTH_MAX 64u

/* Lower case, without '_', '-' and '.', cut at the maximum. */
static size_t distance_fold(const char *text, char *out)
{
    size_t length = 0;
    for (; *text != '\0' && length < DISTANCE_LENGTH_MAX; text++) {
        if (*text != '_' && *text != '-' && *text != '.') {
            out[length++] = (char)tolower((unsigned char)*text);
        }
    }
    return length;
}

size_t hr_str_distance(const char *a, const char *b)
{
    char folded_a[DISTANCE_LENGTH_MAX];
    char folded_b[DISTANCE_LENGTH_MAX];
    size_t length_a = distance_fold(a, folded_a);
    size_t length_b = distance_fold(b, folded_b);
    /* Optimal string alignment: two neighbours that changed places are one slip. Row i + 1 needs the two before it. */
    size_t rows[3][DISTANCE_LENGTH_MAX + 1];
    for (size_t j = 0; j <= length_b; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 0; i < length_a; i++) {
        const size_t *before = rows[(i + 2) % 3];
        const size_t *above = rows[i % 3];
        size_t *row = rows[(i + 1) % 3];
        row[0] = i + 1;
        for (size_t j = 0; j < length_b; j++) {
            size_t substituted = above[j] + (folded_a[i] != folded_b[j]);
            size_t shorter = (row[j] < above[j + 1] ? row[j] : above[j + 1]) + 1;
            row[j + 1] = substituted < shorter ? substituted : shorter;
            bool swapped = i > 0 && j > 0 && folded_a[i] == folded_b[j - 1] && folded_a[i - 1] == folded_b[j];
            if (swapped && before[j - 1] + 1 < row[j + 1]) {
                row[j + 1] = before[j - 1] + 1;
            }
        }
    }
    return rows[length_a % 3][length_b];
}

/* The shortest name that holds the word: "KMeans" means "StreamingKMeans". */
static const char *shortest_with(const char *word, const char *const *names, size_t count)
{
    char folded[DISTANCE_LENGTH_MAX];
    size_t length = distance_fold(word, folded);
    const char *best = NULL;
    for (size_t i = 0; length >= 4 && i < count; i++) {
        char name[DISTANCE_LENGTH_MAX];
        size_t name_length = names[i] != NULL ? distance_fold(names[i], name) : 0;
        bool holds = name_length > 0 && memmem(name, name_length, folded, length) != NULL;
        if (holds && (best == NULL || strlen(names[i]) < strlen(best))) {
            best = names[i];
        }
    }
    return best;
}

const char *hr_str_nearest(const char *word, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        if (names[i] == NULL) {
            continue;
        }
        size_t distance = hr_str_distance(word, names[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = names[i];
        }
    }
    size_t length = strlen(word);
    size_t allowed = length <= 4 ? length > 1 : length / 3;
    return best_distance <= allowed ? best : shortest_with(word, names, count);
}
