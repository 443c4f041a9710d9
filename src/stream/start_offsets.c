/* SPDX-License-Identifier: Apache-2.0
 *
 * "startOffsets": [{"name", "partition", "position", "line"}] beside the other keys of the identity document.
 */
#include "stream/start_offsets.h"

#include <jansson.h>
#include <string.h>

#include "base/alloc.h"

static void json_release(json_t **json)
{
    json_decref(*json);
}

static enum hr_status identity_parse(struct hr_str identity, json_t **out, struct hr_error *err)
{
    json_error_t error;
    *out = json_loadb(identity.data, identity.length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(*out)) {
        return hr_fail(err, HR_CORRUPT, "the checkpoint's identity is no JSON object: %s", error.text);
    }
    return HR_OK;
}

static enum hr_status identity_store(struct hr_checkpoint *checkpoint, const json_t *root, struct hr_error *err)
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    HR_ASSERT(text != NULL);
    enum hr_status status = hr_checkpoint_set_identity(checkpoint, hr_str_from(text), err);
    hr_free(text);
    return status;
}

enum hr_status hr_start_offsets_load(struct hr_str identity, struct hr_offsets *out, bool *known, struct hr_error *err)
{
    HR_CLEANUP(json_release) json_t *root = NULL;
    HR_TRY(identity_parse(identity, &root, err));
    json_t *list = json_object_get(root, "startOffsets");
    *known = json_is_array(list);
    size_t index;
    json_t *item;
    json_array_foreach(list, index, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        json_t *position = json_object_get(item, "position");
        if (name == NULL || !json_is_integer(position)) {
            return hr_fail(err, HR_CORRUPT, "the checkpoint's identity: startOffsets[%zu] is not {name, position}",
                           index);
        }
        int32_t partition = (int32_t)json_integer_value(json_object_get(item, "partition"));
        struct hr_offset *offset = hr_offsets_set(out, hr_str_from(name), partition, json_integer_value(position));
        offset->line = json_integer_value(json_object_get(item, "line"));
    }
    return HR_OK;
}

enum hr_status hr_start_offsets_store(struct hr_checkpoint *checkpoint, const struct hr_offsets *offsets,
                                      struct hr_error *err)
{
    HR_CLEANUP(json_release) json_t *root = NULL;
    HR_TRY(identity_parse(hr_checkpoint_identity(checkpoint), &root, err));
    json_t *list = json_array();
    for (size_t i = 0; i < offsets->count; i++) {
        const struct hr_offset *offset = &offsets->items[i];
        json_array_append_new(list, json_pack("{s:s%, s:i, s:I, s:I}", "name", offset->name.data, offset->name.length,
                                              "partition", (int)offset->partition, "position",
                                              (json_int_t)offset->position, "line", (json_int_t)offset->line));
    }
    json_object_set_new(root, "startOffsets", list);
    return identity_store(checkpoint, root, err);
}

enum hr_status hr_identity_update(struct hr_checkpoint *checkpoint, struct hr_str identity, struct hr_error *err)
{
    HR_CLEANUP(json_release) json_t *stored = NULL;
    HR_CLEANUP(json_release) json_t *wanted = NULL;
    HR_TRY(identity_parse(hr_checkpoint_identity(checkpoint), &stored, err));
    HR_TRY(identity_parse(identity, &wanted, err));
    json_t *start = json_object_get(stored, "startOffsets");
    if (start != NULL) {
        json_object_set(wanted, "startOffsets", start);
    }
    return json_equal(stored, wanted) ? HR_OK : identity_store(checkpoint, wanted, err);
}
