/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads `schema:` of a query: a list of {name, type, nullable, path, format}, or Spark's DDL string ("id long NOT NULL,
 * x double, tags array<string>"). Every wrong entry is a finding; reading goes on with the next one.
 */
#include "data/schema.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/option.h"
#include "base/redact.h"
#include "base/str.h"
#include "data/timestamp.h"

struct entry_options {
    const char *name;
    const char *type;
    bool nullable;
    const char *path;
    const char *format;
};

static const struct hr_option entry_rows[] = {
    HR_OPTION(struct entry_options, name, "name", STRING, .required = true, .help = "column name"),
    HR_OPTION(struct entry_options, type, "type", STRING, .required = true, .help = "column type"),
    HR_OPTION(struct entry_options, nullable, "nullable", BOOL, .fallback = "true",
              .help = "false: a row without a value is a bad record"),
    HR_OPTION(struct entry_options, path, "path", STRING,
              .help = "JSON pointer of the value; default: the member called like the column"),
    HR_OPTION(struct entry_options, format, "format", STRING,
              .help = "of a timestamp: rfc3339, epochMillis, epochSeconds, or an ICU pattern"),
};

struct hr_option_table hr_schema_entry_options(void)
{
    return HR_OPTION_TABLE(entry_rows);
}

static void schema_empty(const struct hr_yaml *node, struct hr_findings *findings)
{
    struct hr_finding *finding = hr_findings_error(findings, &node->place, "the schema is empty");
    hr_finding_hint(findings, finding, "list the columns, for example schema: \"id long, x double, y string\"");
}

static void type_finding(const char *text, const struct hr_place *place, const char *column,
                         struct hr_findings *findings)
{
    static const char *const names[] = {
#define HR_TYPE_TEXT(name, type_text, storage) type_text,
        HR_TYPES(HR_TYPE_TEXT)
#undef HR_TYPE_TEXT
            "bigint",
        "integer",
        "real",
    };
    struct hr_finding *finding =
        hr_findings_error(findings, place, "column '%s' has the unknown type '%s'", column, text);
    const char *nearest = hr_str_nearest(text, names, HR_ARRAY_LEN(names));
    if (nearest != NULL) {
        hr_finding_hint(findings, finding, "did you mean '%s'?", nearest);
    } else {
        hr_finding_hint(findings, finding,
                        "types: boolean, int, long, float, double, string, timestamp, binary, array<string>, "
                        "array<double>, vector");
    }
}

/* RFC 6901: empty, or '/' and reference tokens where '~' is followed by 0 or 1. */
static bool is_pointer(const char *text)
{
    if (*text != '/') {
        return false;
    }
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '~' && c[1] != '0' && c[1] != '1') {
            return false;
        }
    }
    return true;
}

/* Adds the column when its name is free. NULL: it is not, which is a finding. */
static struct hr_field *add_column(struct hr_schema *schema, const char *name, enum hr_type type,
                                   const struct hr_place *place, struct hr_findings *findings)
{
    if (name[0] == '\0') {
        struct hr_finding *finding = hr_findings_error(findings, place, "a column has an empty name");
        hr_finding_hint(findings, finding, "give it a name; path: says where its value is");
        return NULL;
    }
    if (strncmp(name, "__", 2) == 0) {
        struct hr_finding *finding =
            hr_findings_error(findings, place, "column '%s': names that start with '__' belong to Headrace", name);
        hr_finding_hint(findings, finding, "rename the column; `path: /%s` still reads the JSON member of that name",
                        name);
        return NULL;
    }
    size_t index = hr_schema_find(schema, name);
    if (index != SIZE_MAX) {
        const struct hr_place *first = &schema->fields[index].place;
        struct hr_finding *finding = hr_findings_error(findings, place, "column '%s' is declared twice", name);
        hr_finding_hint(findings, finding, "the first one is at line %d", first->line);
        return NULL;
    }
    struct hr_error err = {0};
    if (hr_schema_add(schema, name, type, NULL, &index, &err) != HR_OK) {
        hr_findings_add(findings, place, &err);
        return NULL;
    }
    struct hr_field *field = &schema->fields[index];
    field->origin = HR_ORIGIN_FIELD;
    field->place = *place;
    return field;
}

static void read_timestamp_format(struct hr_field *field, const char *format, const struct hr_place *place,
                                  struct hr_findings *findings)
{
    if (field->type != HR_TYPE_TIMESTAMP) {
        struct hr_finding *finding =
            hr_findings_error(findings, place, "column '%s' is %s; only a timestamp has a format", field->name,
                              hr_type_name(field->type));
        hr_finding_hint(findings, finding, "remove format, or write type: timestamp");
        return;
    }
    if (strcmp(format, "rfc3339") == 0) {
        field->timestamp_format = HR_TIMESTAMP_RFC3339;
    } else if (strcmp(format, "epochMillis") == 0) {
        field->timestamp_format = HR_TIMESTAMP_EPOCH_MILLIS;
    } else if (strcmp(format, "epochSeconds") == 0) {
        field->timestamp_format = HR_TIMESTAMP_EPOCH_SECONDS;
    } else {
        static const char *const names[] = {"rfc3339", "epochMillis", "epochSeconds"};
        struct hr_error err = {0};
        field->timestamp_format = HR_TIMESTAMP_PATTERN;
        field->timestamp_pattern = format;
        struct hr_timestamp_pattern *pattern = NULL;
        if (hr_timestamp_pattern_new(format, &pattern, &err) != HR_OK) {
            struct hr_finding *finding = hr_findings_error(findings, place, "column '%s': %s", field->name, err.text);
            const char *nearest = hr_str_nearest(format, names, HR_ARRAY_LEN(names));
            if (nearest != NULL) {
                hr_finding_hint(findings, finding, "did you mean '%s'?", nearest);
            } else {
                hr_finding_hint(findings, finding,
                                "use rfc3339, epochMillis, epochSeconds or an ICU pattern such as yyyy-MM-dd HH:mm:ss");
            }
        }
        hr_timestamp_pattern_free(pattern);
    }
}

static void read_entry(struct hr_schema *schema, const struct hr_yaml *node, struct hr_findings *findings)
{
    if (node->kind != HR_YAML_MAPPING) {
        struct hr_finding *finding = hr_findings_error(findings, &node->place, "a column must be {name, type, …}");
        hr_finding_hint(findings, finding,
                        "write `- {name: x, type: double}`, or the whole schema as one string "
                        "\"x double, y long\"");
        return;
    }
    struct entry_options options = {0};
    hr_options_read(HR_OPTION_TABLE(entry_rows), node, NULL, &options, schema->arena, findings);
    enum hr_type type = HR_TYPE_STRING;
    const struct hr_yaml *type_node = hr_yaml_get(node, "type");
    bool known = true;
    if (options.type != NULL && !hr_type_parse(options.type, &type)) {
        type_finding(options.type, &type_node->place, options.name != NULL ? options.name : "", findings);
        known = false;
    }
    const struct hr_yaml *path_node = hr_yaml_get(node, "path");
    if (options.path != NULL && !is_pointer(options.path)) {
        struct hr_finding *finding =
            hr_findings_error(findings, &path_node->place, "'%s' is not a JSON pointer", options.path);
        hr_finding_hint(findings, finding, "a pointer starts with '/', as in /user/id");
    }
    if (options.name == NULL || options.type == NULL) {
        return;
    }
    const struct hr_yaml *name_node = hr_yaml_get(node, "name");
    struct hr_field *field = add_column(schema, options.name, type, &name_node->place, findings);
    if (field == NULL) {
        return;
    }
    field->nullable = options.nullable;
    field->pointer = options.path;
    if (options.format != NULL && known) {
        read_timestamp_format(field, options.format, &hr_yaml_get(node, "format")->place, findings);
    }
}

/* The DDL string, one column at a time. */
struct ddl {
    const char *at;
    struct hr_schema *schema;
    const struct hr_place *place;
    struct hr_findings *findings;
    bool secret; /* the string came from a variable: so did its parts */
};

static void skip_blanks(struct ddl *ddl)
{
    while (isspace((unsigned char)*ddl->at)) {
        ddl->at++;
    }
}

/* A name: plain up to a blank, ':' or ',', or in back quotes, where two of them stand for one. NULL: none. */
static char *ddl_name(struct ddl *ddl)
{
    skip_blanks(ddl);
    if (*ddl->at != '`') {
        size_t length = strcspn(ddl->at, " \t\r\n:,");
        char *name = hr_arena_strndup(ddl->schema->arena, ddl->at, length);
        ddl->at += length;
        return name;
    }
    char *name = hr_arena_alloc(ddl->schema->arena, strlen(ddl->at) + 1);
    size_t length = 0;
    for (ddl->at++; *ddl->at != '\0'; ddl->at++) {
        if (*ddl->at == '`') {
            if (ddl->at[1] != '`') {
                ddl->at++;
                break;
            }
            ddl->at++;
        }
        name[length++] = *ddl->at;
    }
    name[length] = '\0';
    return name;
}

/* Takes a word of letters when it is the next one. */
static bool ddl_word(struct ddl *ddl, const char *word)
{
    skip_blanks(ddl);
    size_t length = strlen(word);
    if (strncasecmp(ddl->at, word, length) != 0 || isalnum((unsigned char)ddl->at[length])) {
        return false;
    }
    ddl->at += length;
    return true;
}

/* The type's text: up to a blank or comma outside <>, blanks inside <> dropped. */
static char *ddl_type(struct ddl *ddl)
{
    skip_blanks(ddl);
    const char *start = ddl->at;
    int depth = 0;
    for (; *ddl->at != '\0'; ddl->at++) {
        if (*ddl->at == '<') {
            depth++;
        } else if (*ddl->at == '>') {
            depth--;
        } else if (depth <= 0 && (*ddl->at == ',' || isspace((unsigned char)*ddl->at))) {
            const char *next = ddl->at;
            while (isspace((unsigned char)*next)) {
                next++;
            }
            if (*next != '<') { /* "array <string>" */
                break;
            }
        }
    }
    return hr_arena_strndup(ddl->schema->arena, start, (size_t)(ddl->at - start));
}

static void ddl_column(struct ddl *ddl)
{
    char *name = ddl_name(ddl);
    skip_blanks(ddl);
    if (*ddl->at == ':') {
        ddl->at++;
    }
    char *text = ddl_type(ddl);
    bool nullable = true;
    if (ddl_word(ddl, "not")) {
        nullable = false;
        if (!ddl_word(ddl, "null")) {
            struct hr_finding *finding =
                hr_findings_error(ddl->findings, ddl->place, "column '%s': NOT must be followed by NULL", name);
            hr_finding_hint(ddl->findings, finding, "write \"%s long NOT NULL\"", name);
        }
    }
    enum hr_type type = HR_TYPE_STRING;
    bool known = hr_type_parse(text, &type);
    if (ddl->secret) {
        hr_redact_add(name);
        hr_redact_add(known ? "" : text);
    }
    skip_blanks(ddl);
    if (*ddl->at != ',' && *ddl->at != '\0') {
        size_t length = strcspn(ddl->at, ",");
        if (ddl->secret) {
            hr_redact_add(hr_arena_strndup(ddl->schema->arena, ddl->at, length));
            hr_redact_add(hr_arena_strndup(ddl->schema->arena, ddl->at, length > 40 ? 40 : length));
        }
        struct hr_finding *finding =
            hr_findings_error(ddl->findings, ddl->place, "column '%s': '%.*s' after the type is not understood", name,
                              (int)(length > 40 ? 40 : length), ddl->at);
        hr_finding_hint(ddl->findings, finding, "after the type may stand NOT NULL, then a comma");
        ddl->at += length;
    }
    if (*name == '\0' || *text == '\0') {
        struct hr_finding *finding = hr_findings_error(ddl->findings, ddl->place, "the schema has a column without %s",
                                                       *name == '\0' ? "a name" : "a type");
        hr_finding_hint(ddl->findings, finding, "write \"name type, name type\", as in \"id long, x double\"");
        return;
    }
    if (!known) {
        type_finding(text, ddl->place, name, ddl->findings);
    }
    struct hr_field *field = add_column(ddl->schema, name, type, ddl->place, ddl->findings);
    if (field != NULL) {
        field->nullable = nullable;
    }
}

static void read_ddl(struct hr_schema *schema, const struct hr_yaml *node, struct hr_findings *findings)
{
    struct ddl ddl = {node->text, schema, &node->place, findings, node->secret};
    skip_blanks(&ddl);
    if (*ddl.at == '\0') {
        schema_empty(node, findings);
        return;
    }
    for (;;) {
        ddl_column(&ddl);
        skip_blanks(&ddl);
        if (*ddl.at != ',') {
            return;
        }
        ddl.at++;
    }
}

void hr_schema_read(struct hr_schema *schema, const struct hr_yaml *node, struct hr_findings *findings)
{
    switch (node->kind) {
    case HR_YAML_SCALAR:
        read_ddl(schema, node, findings);
        break;
    case HR_YAML_SEQUENCE:
        if (node->count == 0) {
            schema_empty(node, findings);
        }
        for (size_t i = 0; i < node->count; i++) {
            read_entry(schema, node->items[i], findings);
        }
        break;
    case HR_YAML_MAPPING:
        hr_finding_hint(findings,
                        hr_findings_error(findings, &node->place, "schema must be a list of columns or a string"),
                        "write `- {name: x, type: double}` lines, or \"x double, y long\"");
        break;
    }
}
