/* SPDX-License-Identifier: Apache-2.0
 *
 * What the schema asks of a JSON record, compiled: a tree of members that lead to columns. A record is walked once
 * beside this tree; what is not in the tree is checked and skipped. Members are found by a guess first (the member
 * that followed the last one in the record before), then by hash. Names that the schema does not know are learned, up
 * to a limit, so that they are guessed too: of wide records often few columns are wanted.
 */
#ifndef HR_DATA_JSON_PLAN_H
#define HR_DATA_JSON_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "data/schema.h"

#define HR_JSON_NONE UINT32_MAX

/* Names learned of one object, and their longest. */
enum { HR_JSON_LEARNED_MAX = 32, HR_JSON_LEARNED_KEY_MAX = 48 };

enum hr_json_member_kind {
    HR_JSON_TO_COLUMN, /* leads to one column, and to nothing below */
    HR_JSON_TO_MORE,   /* to several columns, or below */
    HR_JSON_TO_NOTHING /* learned */
};

struct hr_json_node;

struct hr_json_member {
    struct hr_str key;
    struct hr_str token; /* the key in quotes and a colon; empty when something in the key must be escaped */
    uint32_t follower;   /* guess for the next member; HR_JSON_NONE: no guess */
    uint32_t element;    /* the key as an array index, HR_JSON_NONE: it is none */
    uint32_t column;     /* first column of this value, HR_JSON_NONE: none */
    enum hr_json_member_kind kind;
    uint32_t wide_others;      /* a bit for each byte of `wide` that is not the token's; UINT32_MAX: no token fits */
    struct hr_json_node *node; /* members below, NULL: none */
    char wide[16];             /* a token of at most 16 bytes, for one comparison */
};

struct hr_json_node {
    struct hr_json_member *members; /* those of the schema, then those that were learned */
    uint32_t count;                 /* of the schema */
    uint32_t learned;
    char *learned_text;  /* their tokens */
    uint32_t first;      /* guess for the first member */
    uint32_t *table;     /* hash table of indices, HR_JSON_NONE: free */
    uint32_t table_mask; /* its size - 1 */
    uint64_t seen;       /* number of the last record that had this value */
};

struct hr_json_plan {
    const struct hr_schema *schema;
    size_t column_count; /* of the schema when it was compiled */
    struct hr_json_node root;
    uint32_t *next_column; /* another column of the same value */
};

/* Everything in arena. Columns whose origin is not a field are left out. */
void hr_json_plan_compile(struct hr_json_plan *plan, const struct hr_schema *schema, struct hr_arena *arena);
/* By hash. A name that is not there is learned when it can be, else HR_JSON_NONE. The key is UTF-8. */
uint32_t hr_json_node_find(struct hr_json_node *node, struct hr_str key);

#endif
