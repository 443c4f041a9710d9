/* SPDX-License-Identifier: Apache-2.0
 *
 * cleanSource: delete. A file goes when the batch that read its last record is committed, and then nothing is
 * remembered of it.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "stream/source_file_internal.h"

/* A file that is gone leaves nothing behind, or months of files would fill memory and every batch's record. */
static void file_forget(struct hr_file_source *source, size_t index)
{
    struct hr_file_entry *entry = source->list.items[index];
    struct hr_str name = hr_str_from(entry->name);
    if (source->cursor.entry == entry) {
        hr_file_cursor_close(&source->cursor);
    }
    hr_offsets_remove(&source->base.position, name, -1);
    hr_offsets_remove(&source->planned_end, name, -1);
    hr_file_list_remove(&source->list, index);
}

static bool file_is_as_it_was(const struct hr_file_entry *entry)
{
    struct stat status;
    return stat(entry->path, &status) == 0 && status.st_size == entry->dry_size &&
           status.st_mtim.tv_sec == entry->dry_changed.tv_sec && status.st_mtim.tv_nsec == entry->dry_changed.tv_nsec;
}

void hr_file_source_clean(struct hr_file_source *source)
{
    for (size_t i = source->list.count; i-- > 0;) {
        struct hr_file_entry *entry = source->list.items[i];
        const struct hr_offset *offset = NULL;
        if (entry->present && entry->dry && entry->dry_end >= 0) {
            offset = hr_offsets_find(&source->committed, hr_str_from(entry->name), -1);
        }
        bool ended = offset != NULL && offset->position >= entry->dry_end;
        if (ended && file_is_as_it_was(entry) && unlink(entry->path) == 0) {
            file_forget(source, i);
        }
    }
    for (size_t i = 0; i < source->committed.count; i++) {
        struct hr_str name = source->committed.items[i].name;
        if (hr_file_list_find(&source->list, name) == NULL) {
            hr_offsets_remove(&source->base.position, name, -1);
        }
    }
}

void hr_file_source_find_read(struct hr_file_source *source)
{
    for (size_t i = 0; i < source->base.position.count; i++) {
        const struct hr_offset *offset = &source->base.position.items[i];
        struct hr_file_entry *entry = hr_file_list_find(&source->list, offset->name);
        if (entry != NULL && entry->present && !entry->compressed && entry->size == offset->position) {
            hr_file_entry_set_dry(entry, offset->position);
        }
    }
    hr_offsets_copy(&source->committed, &source->base.position);
}
