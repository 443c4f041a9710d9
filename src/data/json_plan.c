/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiles JSON pointers of a schema into a tree. Built once a query; sizes are small, so members are found by a plain
 * loop while building, and the hash tables are made at the end.
 */
#include "data/json_plan.h"

#include <string.h>

/* Eight bytes a step. */
static uint32_t hash_key(struct hr_str key)
{
    const uint64_t factor = 0x9e3779b97f4a7c15u;
    uint64_t hash = key.length * factor;
    size_t i = 0;
    for (; i + 8 <= key.length; i += 8) {
        uint64_t word;
        memcpy(&word, key.data + i, 8);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    }
    uint64_t rest = 0;
    if (key.length >= 8) {
        memcpy(&rest, key.data + key.length - 8, 8);
    } else {
        for (; i < key.length; i++) {
            rest = rest << 8 | (unsigned char)key.data[i];
        }
    }
    hash = (hash ^ rest) * factor;
    return (uint32_t)(hash >> 32);
}

static bool is_plain_key(struct hr_str key)
{
    for (size_t i = 0; i < key.length; i++) {
        if (key.data[i] == '"' || key.data[i] == '\\' || (unsigned char)key.data[i] < 0x20) {
            return false;
        }
    }
    return hr_str_is_utf8(key);
}

/* RFC 6901: digits without a leading zero. */
static uint32_t array_index(struct hr_str key)
{
    if (key.length == 0 || key.length > 9 || (key.data[0] == '0' && key.length > 1)) {
        return HR_JSON_NONE;
    }
    uint32_t value = 0;
    for (size_t i = 0; i < key.length; i++) {
        if (key.data[i] < '0' || key.data[i] > '9') {
            return HR_JSON_NONE;
        }
        value = value * 10 + (uint32_t)(key.data[i] - '0');
    }
    return value;
}

/* What stands in the text for this key, as producers without blanks write it. token: room for 3 bytes more than it. */
static struct hr_str write_token(struct hr_str key, char *token)
{
    token[0] = '"';
    if (key.length > 0) {
        memcpy(token + 1, key.data, key.length);
    }
    memcpy(token + 1 + key.length, "\":", 2);
    return (struct hr_str){token, key.length + 3};
}

/* After the token is there. */
static void widen_token(struct hr_json_member *member)
{
    size_t length = member->token.length;
    member->wide_others = UINT32_MAX; /* more bits than a comparison of 16 bytes gives */
    if (length > 0 && length <= sizeof(member->wide)) {
        memcpy(member->wide, member->token.data, length);
        member->wide_others = 0xffffu & ~((1u << length) - 1);
    }
}

static struct hr_str token_of(struct hr_str key, struct hr_arena *arena)
{
    return is_plain_key(key) ? write_token(key, hr_arena_alloc(arena, key.length + 3)) : (struct hr_str){NULL, 0};
}

static struct hr_json_member *need_member(struct hr_json_node *node, struct hr_str key, struct hr_arena *arena)
{
    for (uint32_t i = 0; i < node->count; i++) {
        if (hr_str_equal(node->members[i].key, key)) {
            return &node->members[i];
        }
    }
    /* Full when the count is a power of two. */
    if ((node->count & (node->count - 1)) == 0) {
        uint32_t capacity = node->count == 0 ? 1 : node->count * 2;
        struct hr_json_member *members = hr_arena_array(arena, capacity, struct hr_json_member);
        if (node->count > 0) {
            memcpy(members, node->members, node->count * sizeof(*members));
        }
        node->members = members;
    }
    struct hr_json_member *member = &node->members[node->count++];
    *member = (struct hr_json_member){
        .key = key,
        .token = token_of(key, arena),
        .follower = HR_JSON_NONE,
        .element = array_index(key),
        .column = HR_JSON_NONE,
    };
    widen_token(member);
    return member;
}

/* The next reference token of a pointer that stands at '/': decoded, in arena. */
static struct hr_str next_token(const char **pointer, struct hr_arena *arena)
{
    const char *from = *pointer + 1;
    size_t length = strcspn(from, "/");
    char *token = hr_arena_alloc(arena, length + 1);
    size_t to = 0;
    for (size_t i = 0; i < length; i++) {
        if (from[i] == '~' && i + 1 < length) {
            i++;
            token[to++] = from[i] == '1' ? '/' : '~';
        } else {
            token[to++] = from[i];
        }
    }
    *pointer = from + length;
    return (struct hr_str){token, to};
}

static void add_column(struct hr_json_plan *plan, uint32_t column, struct hr_arena *arena)
{
    const struct hr_field *field = &plan->schema->fields[column];
    struct hr_json_node *node = &plan->root;
    struct hr_json_member *member;
    if (field->pointer == NULL || field->pointer[0] != '/') {
        member = need_member(node, hr_str_from(field->name), arena);
    } else {
        const char *pointer = field->pointer;
        member = need_member(node, next_token(&pointer, arena), arena);
        while (*pointer == '/') {
            if (member->node == NULL) {
                member->node = hr_arena_new(arena, struct hr_json_node);
            }
            node = member->node;
            member = need_member(node, next_token(&pointer, arena), arena);
        }
    }
    plan->next_column[column] = member->column;
    member->column = column;
}

static void enter_table(struct hr_json_node *node, uint32_t index)
{
    uint32_t slot = hash_key(node->members[index].key) & node->table_mask;
    while (node->table[slot] != HR_JSON_NONE) {
        slot = (slot + 1) & node->table_mask;
    }
    node->table[slot] = index;
}

/* Room for what will be learned. */
static void make_room(struct hr_json_node *node, struct hr_arena *arena)
{
    struct hr_json_member *members = hr_arena_array(arena, node->count + HR_JSON_LEARNED_MAX, struct hr_json_member);
    if (node->count > 0) {
        memcpy(members, node->members, node->count * sizeof(*members));
    }
    node->members = members;
    node->learned_text = hr_arena_alloc(arena, (size_t)HR_JSON_LEARNED_MAX * (HR_JSON_LEARNED_KEY_MAX + 3));
    uint32_t size = 4;
    while (size < (node->count + HR_JSON_LEARNED_MAX) * 2) {
        size *= 2;
    }
    node->table_mask = size - 1;
    node->table = hr_arena_array(arena, size, uint32_t);
    memset(node->table, 0xff, size * sizeof(uint32_t));
}

static void finish_node(struct hr_json_node *node, const uint32_t *next_column, struct hr_arena *arena)
{
    make_room(node, arena);
    for (uint32_t i = 0; i < node->count; i++) {
        struct hr_json_member *member = &node->members[i];
        enter_table(node, i);
        /* Until records teach better, members are expected in the schema's order. */
        member->follower = i + 1 < node->count ? i + 1 : HR_JSON_NONE;
        bool one = member->column != HR_JSON_NONE && next_column[member->column] == HR_JSON_NONE;
        member->kind = one && member->node == NULL ? HR_JSON_TO_COLUMN : HR_JSON_TO_MORE;
        if (member->node != NULL) {
            finish_node(member->node, next_column, arena);
        }
    }
    node->first = node->count > 0 ? 0 : HR_JSON_NONE;
}

void hr_json_plan_compile(struct hr_json_plan *plan, const struct hr_schema *schema, struct hr_arena *arena)
{
    *plan = (struct hr_json_plan){.schema = schema, .column_count = schema->count};
    plan->next_column = hr_arena_array(arena, schema->count, uint32_t);
    for (size_t i = 0; i < schema->count; i++) {
        plan->next_column[i] = HR_JSON_NONE;
        if (schema->fields[i].origin == HR_ORIGIN_FIELD) {
            add_column(plan, (uint32_t)i, arena);
        }
    }
    finish_node(&plan->root, plan->next_column, arena);
}

/* HR_JSON_NONE when there is no room, or the name is long or written with escapes. */
static uint32_t learn(struct hr_json_node *node, struct hr_str key)
{
    if (node->learned == HR_JSON_LEARNED_MAX || key.length > HR_JSON_LEARNED_KEY_MAX || !is_plain_key(key)) {
        return HR_JSON_NONE;
    }
    char *text = node->learned_text + (size_t)node->learned * (HR_JSON_LEARNED_KEY_MAX + 3);
    struct hr_str token = write_token(key, text);
    uint32_t index = node->count + node->learned++;
    node->members[index] = (struct hr_json_member){
        .key = {token.data + 1, key.length},
        .token = token,
        .follower = HR_JSON_NONE,
        .element = HR_JSON_NONE,
        .column = HR_JSON_NONE,
        .kind = HR_JSON_TO_NOTHING,
    };
    widen_token(&node->members[index]);
    enter_table(node, index);
    return index;
}

uint32_t hr_json_node_find(struct hr_json_node *node, struct hr_str key)
{
    for (uint32_t slot = hash_key(key) & node->table_mask;; slot = (slot + 1) & node->table_mask) {
        uint32_t index = node->table[slot];
        if (index == HR_JSON_NONE) {
            return learn(node, key);
        }
        if (hr_str_equal(node->members[index].key, key)) {
            return index;
        }
    }
}
