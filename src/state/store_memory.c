/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory store, for tests, simulation and runs that keep nothing: a sorted array of entries. Writes that were not
 * synced are remembered with what they replaced, so that a power loss can be played: it undoes the youngest of them, as
 * many as the seed says, and never one that a later sync made durable.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "state/store.h"

/* Key and value in one piece of memory. */
struct memory_entry {
    size_t key_length;
    size_t value_length;
    char bytes[];
};

/* What one unsynced change replaced. */
struct memory_undo {
    struct memory_entry *before; /* NULL: the key was absent */
    struct hr_str key;           /* owned */
    size_t write;                /* number of the write it belongs to */
};

struct memory_store {
    struct hr_store store;
    struct memory_entry **entries;
    size_t count;
    size_t capacity;
    struct memory_undo *undo;
    size_t undo_count;
    size_t undo_capacity;
    size_t unsynced_writes;
};

static struct hr_str entry_key(const struct memory_entry *entry)
{
    return (struct hr_str){entry->bytes, entry->key_length};
}

static struct hr_str entry_value(const struct memory_entry *entry)
{
    return (struct hr_str){entry->bytes + entry->key_length, entry->value_length};
}

static struct memory_entry *entry_new(const struct hr_store_change *change)
{
    struct hr_str key = change->key;
    struct hr_str value = change->value;
    struct memory_entry *entry = hr_alloc(sizeof(*entry) + key.length + value.length + change->tail_length);
    entry->key_length = key.length;
    entry->value_length = value.length + change->tail_length;
    if (key.length > 0) {
        memcpy(entry->bytes, key.data, key.length);
    }
    if (value.length > 0) {
        memcpy(entry->bytes + key.length, value.data, value.length);
    }
    memcpy(entry->bytes + key.length + value.length, &change->tail, change->tail_length);
    return entry;
}

/* The first entry whose key is not less. */
static size_t memory_find(const struct memory_store *memory, struct hr_str key, bool *found)
{
    size_t low = 0;
    size_t high = memory->count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = hr_str_compare(entry_key(memory->entries[middle]), key);
        if (order < 0) {
            low = middle + 1;
        } else {
            *found = *found || order == 0;
            high = middle;
        }
    }
    return low;
}

/* Puts entry (NULL: nothing) in the key's place and returns what was there. */
static struct memory_entry *memory_exchange(struct memory_store *memory, struct hr_str key, struct memory_entry *entry)
{
    bool found;
    size_t position = memory_find(memory, key, &found);
    struct memory_entry *before = found ? memory->entries[position] : NULL;
    struct memory_entry **place = memory->entries + position;
    if (found && entry != NULL) {
        *place = entry;
    } else if (found) {
        memmove(place, place + 1, (memory->count - position - 1) * sizeof(struct memory_entry *));
        memory->count--;
    } else if (entry != NULL) {
        if (memory->count == memory->capacity) {
            memory->capacity = memory->capacity == 0 ? 64 : memory->capacity * 2;
            memory->entries = hr_realloc_array(memory->entries, memory->capacity, sizeof(struct memory_entry *));
            place = memory->entries + position;
        }
        memmove(place + 1, place, (memory->count - position) * sizeof(struct memory_entry *));
        *place = entry;
        memory->count++;
    }
    return before;
}

static void memory_remember(struct memory_store *memory, struct hr_str key, struct memory_entry *before)
{
    if (memory->undo_count == memory->undo_capacity) {
        memory->undo_capacity = memory->undo_capacity == 0 ? 64 : memory->undo_capacity * 2;
        memory->undo = hr_realloc_array(memory->undo, memory->undo_capacity, sizeof(*memory->undo));
    }
    memory->undo[memory->undo_count++] = (struct memory_undo){
        .before = before,
        .key = {hr_strndup(key.data, key.length), key.length},
        .write = memory->unsynced_writes,
    };
}

static void memory_forget_undo(struct memory_store *memory)
{
    for (size_t i = 0; i < memory->undo_count; i++) {
        hr_free(memory->undo[i].before);
        hr_free((char *)memory->undo[i].key.data);
    }
    memory->undo_count = 0;
    memory->unsynced_writes = 0;
}

static enum hr_status memory_write(struct hr_store *store, const struct hr_store_batch *batch, bool sync,
                                   struct hr_error *err)
{
    (void)err;
    struct memory_store *memory = (struct memory_store *)store;
    for (size_t i = 0; i < batch->count; i++) {
        const struct hr_store_change *change = &batch->changes[i];
        struct memory_entry *entry = change->remove ? NULL : entry_new(change);
        struct memory_entry *before = memory_exchange(memory, change->key, entry);
        if (sync) {
            hr_free(before);
        } else {
            memory_remember(memory, change->key, before);
        }
    }
    if (sync) {
        memory_forget_undo(memory);
    } else {
        memory->unsynced_writes++;
    }
    return HR_OK;
}

static enum hr_status memory_get(struct hr_store *store, struct hr_str key, struct hr_buf *out, struct hr_error *err)
{
    struct memory_store *memory = (struct memory_store *)store;
    bool found;
    size_t position = memory_find(memory, key, &found);
    if (!found) {
        return hr_fail(err, HR_END, "no such key in the store");
    }
    hr_buf_append_str(out, entry_value(memory->entries[position]));
    return HR_OK;
}

static enum hr_status memory_get_all(struct hr_store *store, const struct hr_str *keys, size_t count,
                                     hr_store_visit_fn *visit, void *context, struct hr_error *err)
{
    struct memory_store *memory = (struct memory_store *)store;
    for (size_t i = 0; i < count; i++) {
        bool found;
        size_t position = memory_find(memory, keys[i], &found);
        struct hr_str value = found ? entry_value(memory->entries[position]) : (struct hr_str){NULL, 0};
        HR_TRY(visit(context, keys[i], value, err));
    }
    return HR_OK;
}

static enum hr_status memory_scan(struct hr_store *store, struct hr_str from, struct hr_str to,
                                  hr_store_visit_fn *visit, void *context, struct hr_error *err)
{
    struct memory_store *memory = (struct memory_store *)store;
    bool found;
    for (size_t i = memory_find(memory, from, &found); i < memory->count; i++) {
        struct hr_str key = entry_key(memory->entries[i]);
        if (to.length > 0 && hr_str_compare(key, to) >= 0) {
            break;
        }
        HR_TRY(visit(context, key, entry_value(memory->entries[i]), err));
    }
    return HR_OK;
}

static void memory_close(struct hr_store *store)
{
    struct memory_store *memory = (struct memory_store *)store;
    memory_forget_undo(memory);
    for (size_t i = 0; i < memory->count; i++) {
        hr_free(memory->entries[i]);
    }
    hr_free(memory->entries);
    hr_free(memory->undo);
    hr_free(memory);
}

static const struct hr_store_type store_memory = {
    .name = "memory",
    .write = memory_write,
    .get = memory_get,
    .get_all = memory_get_all,
    .scan = memory_scan,
    .close = memory_close,
};

struct hr_store *hr_store_open_memory(void)
{
    struct memory_store *memory = hr_calloc(1, sizeof(*memory));
    memory->store.type = &store_memory;
    return &memory->store;
}

void hr_store_memory_crash(struct hr_store *store, uint64_t seed)
{
    HR_ASSERT(store->type == &store_memory);
    struct memory_store *memory = (struct memory_store *)store;
    size_t survivors = (size_t)(hr_random_splitmix(&seed) % (memory->unsynced_writes + 1));
    while (memory->undo_count > 0 && memory->undo[memory->undo_count - 1].write >= survivors) {
        struct memory_undo *undo = &memory->undo[--memory->undo_count];
        hr_free(memory_exchange(memory, undo->key, undo->before));
        hr_free((char *)undo->key.data);
    }
    memory_forget_undo(memory);
}
