/* SPDX-License-Identifier: Apache-2.0
 *
 * VectorAssembler: numbers, booleans and vectors side by side in one vector, in the shorter of the two forms. Zeros,
 * also −0.0 and the explicit ones of a sparse vector, are left out, so a dense result has 0.0 for them. A null, or a
 * NaN in a scalar column (one inside a vector is a value like any other): error, skip, or, with keep, NaN for each
 * element that the column stands for, which asks for the size of vector columns at plan time.
 *
 * Where all columns have one width for the whole chunk (scalars and dense vectors), they are copied into one row-major
 * matrix, in blocks of rows that stay in the first-level cache; otherwise row by row.
 * Source: org.apache.spark.ml.feature.VectorAssembler.
 */
#include <math.h>
#include <string.h>

#include "ml/stage.h"
#include "ml/vectors.h"

#define BLOCK_DOUBLES 2048u
#define POOL_ELEMENTS 65536u
#define DENSE_POOL_MAX ((size_t)1 << 20)

enum assembler_invalid { ASSEMBLER_ERROR, ASSEMBLER_SKIP, ASSEMBLER_KEEP };

struct assembler_options {
    struct hr_string_list input_cols;
    const char *output_col;
    int handle_invalid;
};

struct part {
    const char *name;
    size_t input;
    enum hr_type type;
    size_t known_size; /* 1 for scalars; 0: not known */
};

struct assembler {
    struct hr_stage base;
    struct part *parts;
    size_t part_count;
    size_t output;
};

static void assembler_check(struct hr_stage *stage, struct hr_findings *findings)
{
    const struct assembler_options *options = stage->options;
    if (options->input_cols.count == 0) {
        hr_findings_error(findings, &stage->place, "%s: inputCols is empty; name at least one column",
                          stage->type->kind.name);
    }
}

static enum hr_status find_parts(struct assembler *assembler, const struct hr_schema *schema, struct hr_error *err)
{
    const struct hr_stage *stage = &assembler->base;
    const struct assembler_options *options = stage->options;
    const unsigned mask = HR_TYPE_MASK_NUMERIC | HR_TYPE_MASK(BOOLEAN) | HR_TYPE_MASK(VECTOR);
    assembler->part_count = options->input_cols.count;
    assembler->parts = hr_arena_calloc(stage->arena, assembler->part_count, sizeof(struct part));
    for (size_t i = 0; i < assembler->part_count; i++) {
        struct part *part = &assembler->parts[i];
        part->name = options->input_cols.items[i];
        HR_TRY(hr_schema_need_type(schema, part->name, mask, "a number, a boolean or a vector", &part->input, err));
        const struct hr_field *field = &schema->fields[part->input];
        part->type = field->type;
        part->known_size = part->type == HR_TYPE_VECTOR ? hr_vector_known_size(field) : 1;
        if (part->known_size == 0 && options->handle_invalid == ASSEMBLER_KEEP) {
            hr_stage_fail(stage, err, "the size of vector column '%s' is not known, and handleInvalid: keep needs it",
                          part->name);
            return hr_fail_hint(err, "put { type: VectorSizeHint, inputCol: %s, size: … } before this stage",
                                part->name);
        }
    }
    return HR_OK;
}

/* The attributes of one column's elements, each named after the column. */
static void name_elements(const struct part *part, const struct hr_attribute *known, struct hr_attribute *out,
                          struct hr_arena *arena)
{
    if (part->type != HR_TYPE_VECTOR) {
        /* Spark looks at the attributes of double columns only. */
        bool told = part->type == HR_TYPE_DOUBLE && known != NULL && known->kind != HR_ATTRIBUTE_NONE;
        *out = told ? *known : (struct hr_attribute){.kind = HR_ATTRIBUTE_NUMERIC};
        out->name = part->name;
        return;
    }
    for (size_t i = 0; i < part->known_size; i++) {
        const struct hr_attribute *element = known->elements != NULL ? &known->elements[i] : NULL;
        out[i] = element != NULL ? *element : (struct hr_attribute){.kind = HR_ATTRIBUTE_NUMERIC};
        out[i].name = element != NULL && element->name != NULL
                          ? hr_arena_printf(arena, "%s_%s", part->name, element->name)
                          : hr_arena_printf(arena, "%s_%zu", part->name, i);
    }
}

static struct hr_attribute *group_attribute(const struct assembler *assembler, const struct hr_schema *schema)
{
    struct hr_arena *arena = assembler->base.arena;
    const struct assembler_options *options = assembler->base.options;
    size_t size = 0;
    for (size_t i = 0; i < assembler->part_count; i++) {
        if (assembler->parts[i].known_size == 0) {
            return NULL;
        }
        size += assembler->parts[i].known_size;
    }
    struct hr_attribute *group = hr_vector_size_attribute(size, arena);
    group->name = options->output_col;
    if (size > HR_NAMED_ELEMENTS_MAX) {
        return group;
    }
    group->elements = hr_arena_calloc(arena, size, sizeof(*group->elements));
    size_t offset = 0;
    for (size_t i = 0; i < assembler->part_count; i++) {
        const struct part *part = &assembler->parts[i];
        name_elements(part, schema->fields[part->input].attribute, group->elements + offset, arena);
        offset += part->known_size;
    }
    return group;
}

static enum hr_status assembler_bind(struct hr_stage *stage, struct hr_schema *schema, struct hr_error *err)
{
    struct assembler *assembler = (struct assembler *)stage;
    const struct assembler_options *options = stage->options;
    HR_TRY(find_parts(assembler, schema, err));
    return hr_schema_add(schema, options->output_col, HR_TYPE_VECTOR, group_attribute(assembler, schema),
                         &assembler->output, err);
}

static bool has_nan(const struct hr_column *column, size_t rows)
{
    if (column->type != HR_TYPE_DOUBLE && column->type != HR_TYPE_FLOAT) {
        return false;
    }
    int found = 0;
    for (size_t row = 0; row < rows; row++) {
        found |= isnan(column->doubles[row]) != 0;
    }
    return found != 0;
}

static void refuse_row(const struct hr_stage *stage, struct hr_chunk *chunk, size_t row, const char *column,
                       const char *value)
{
    const struct assembler_options *options = stage->options;
    if (options->handle_invalid == ASSEMBLER_SKIP) {
        hr_chunk_drop(chunk, row);
        return;
    }
    hr_stage_reject(stage, chunk, row, column,
                    "%s cannot be assembled; handleInvalid: keep takes it as NaN, skip leaves such rows out", value);
}

static void refuse_invalid(const struct assembler *assembler, struct hr_chunk *chunk)
{
    for (size_t i = 0; i < assembler->part_count; i++) {
        const struct part *part = &assembler->parts[i];
        const struct hr_column *column = &chunk->columns[part->input];
        bool nan = has_nan(column, chunk->rows);
        if (!nan && column->valid == NULL) {
            continue;
        }
        for (size_t row = 0; row < chunk->rows; row++) {
            if (hr_column_is_null(column, row)) {
                refuse_row(&assembler->base, chunk, row, part->name, "null");
            } else if (nan && isnan(column->doubles[row])) {
                refuse_row(&assembler->base, chunk, row, part->name, "NaN");
            }
        }
    }
}

/* Elements a row has, where that is so for all rows of the chunk; 0 otherwise. */
static size_t common_width(const struct assembler *assembler, const struct hr_chunk *chunk)
{
    size_t width = 0;
    for (size_t i = 0; i < assembler->part_count; i++) {
        const struct part *part = &assembler->parts[i];
        const struct hr_column *column = &chunk->columns[part->input];
        if (part->type != HR_TYPE_VECTOR) {
            width++;
        } else if (column->dense != NULL) {
            width += column->dense_size;
        } else {
            return 0;
        }
    }
    return width <= INT32_MAX ? width : 0;
}

/* Adding 0.0 turns −0.0 into 0.0 and changes nothing else. */
static void copy_scalars(const struct hr_column *column, size_t first, size_t count, double *out, size_t stride)
{
    switch (column->type) {
    case HR_TYPE_BOOLEAN:
        for (size_t i = 0; i < count; i++) {
            out[i * stride] = column->bytes[first + i];
        }
        break;
    case HR_TYPE_INT:
    case HR_TYPE_LONG:
        for (size_t i = 0; i < count; i++) {
            out[i * stride] = (double)column->longs[first + i];
        }
        break;
    default:
        for (size_t i = 0; i < count; i++) {
            out[i * stride] = column->doubles[first + i] + 0.0;
        }
    }
    for (size_t i = 0; column->valid != NULL && i < count; i++) {
        if (hr_column_is_null(column, first + i)) {
            out[i * stride] = (double)NAN;
        }
    }
}

static void copy_dense(const struct hr_column *column, size_t first, size_t count, double *out, size_t stride)
{
    size_t width = column->dense_size;
    for (size_t row = 0; row < count; row++) {
        const double *from = column->dense + (first + row) * width;
        for (size_t i = 0; i < width; i++) {
            out[row * stride + i] = from[i] + 0.0;
        }
    }
}

static void fill_matrix(const struct assembler *assembler, const struct hr_chunk *chunk, size_t width, double *matrix)
{
    size_t block = width < BLOCK_DOUBLES / 8 ? BLOCK_DOUBLES / width : 8;
    for (size_t first = 0; first < chunk->rows; first += block) {
        size_t count = chunk->rows - first < block ? chunk->rows - first : block;
        double *out = matrix + first * width;
        for (size_t i = 0; i < assembler->part_count; i++) {
            const struct hr_column *column = &chunk->columns[assembler->parts[i].input];
            if (column->type == HR_TYPE_VECTOR) {
                copy_dense(column, first, count, out, width);
                out += column->dense_size;
            } else {
                copy_scalars(column, first, count, out, width);
                out++;
            }
        }
    }
}

static void assemble_matrix(const struct assembler *assembler, struct hr_chunk *chunk, size_t width)
{
    struct hr_column *output = &chunk->columns[assembler->output];
    double *matrix = hr_column_init_dense(output, chunk->rows, (uint32_t)width, chunk->arena);
    fill_matrix(assembler, chunk, width, matrix);
    if (!hr_vector_prefers_sparse(0, width)) {
        return;
    }
    for (size_t row = 0; row < chunk->rows; row++) {
        output->vectors[row] = hr_vector_from_dense((uint32_t)width, matrix + row * width, chunk->arena);
        if (output->vectors[row].indices != NULL) {
            output->dense = NULL;
            output->dense_size = 0;
        }
    }
}

/* Room for the elements of many rows, so that a row costs no allocation of its own. */
struct pool {
    double *values;
    uint32_t *indices;
    size_t left; /* of both */
    double *dense;
    size_t dense_left;
};

static void pool_reserve(struct pool *pool, size_t count, struct hr_arena *arena)
{
    if (pool->left >= count && pool->values != NULL) {
        return;
    }
    pool->left = count > POOL_ELEMENTS ? count : POOL_ELEMENTS;
    pool->values = hr_arena_array(arena, pool->left, double);
    pool->indices = hr_arena_array(arena, pool->left, uint32_t);
}

/* Dense rows that follow each other are back to back as long as a block reaches. */
static double *pool_take_dense(struct pool *pool, size_t size, size_t rows_left, struct hr_arena *arena)
{
    if (pool->dense_left < size || pool->dense == NULL) {
        pool->dense_left = size * rows_left <= DENSE_POOL_MAX ? size * rows_left : size;
        pool->dense = hr_arena_array(arena, pool->dense_left, double);
    }
    double *taken = pool->dense;
    pool->dense += size;
    pool->dense_left -= size;
    return taken;
}

/* At most so many elements of the row are not zero. */
static size_t row_bound(const struct assembler *assembler, const struct hr_chunk *chunk, size_t row, size_t *size)
{
    size_t bound = 0;
    *size = 0;
    for (size_t i = 0; i < assembler->part_count; i++) {
        const struct part *part = &assembler->parts[i];
        const struct hr_column *column = &chunk->columns[part->input];
        bool vector = part->type == HR_TYPE_VECTOR && !hr_column_is_null(column, row);
        bound += vector ? column->vectors[row].count : part->known_size;
        *size += vector ? column->vectors[row].size : part->known_size;
    }
    return bound;
}

/* Appends one column's elements that are not zero; the new count. */
static uint32_t gather(const struct part *part, const struct hr_column *column, size_t row, uint32_t offset,
                       struct pool *pool, uint32_t count)
{
    if (hr_column_is_null(column, row)) {
        for (uint32_t i = 0; i < part->known_size; i++) {
            pool->indices[count] = offset + i;
            pool->values[count++] = (double)NAN;
        }
        return count;
    }
    if (part->type != HR_TYPE_VECTOR) {
        double value = hr_column_number(column, row);
        pool->indices[count] = offset;
        pool->values[count] = value;
        return count + (value != 0.0);
    }
    const struct hr_vector *vector = &column->vectors[row];
    for (uint32_t i = 0; i < vector->count; i++) {
        pool->indices[count] = offset + (vector->indices != NULL ? vector->indices[i] : i);
        pool->values[count] = vector->values[i];
        count += vector->values[i] != 0.0;
    }
    return count;
}

static struct hr_vector assemble_row(const struct assembler *assembler, const struct hr_chunk *chunk, size_t row,
                                     uint32_t size, struct pool *pool)
{
    uint32_t count = 0;
    uint32_t offset = 0;
    for (size_t i = 0; i < assembler->part_count; i++) {
        const struct part *part = &assembler->parts[i];
        const struct hr_column *column = &chunk->columns[part->input];
        bool vector = part->type == HR_TYPE_VECTOR && !hr_column_is_null(column, row);
        count = gather(part, column, row, offset, pool, count);
        offset += vector ? column->vectors[row].size : (uint32_t)part->known_size;
    }
    struct hr_vector sparse = {pool->values, pool->indices, size, count};
    if (!hr_vector_prefers_sparse(count, size)) {
        double *dense = pool_take_dense(pool, size, chunk->rows - row, chunk->arena);
        hr_vector_expand(&sparse, dense);
        return (struct hr_vector){dense, NULL, size, size};
    }
    pool->values += count;
    pool->indices += count;
    pool->left -= count;
    return sparse;
}

static void assemble_rows(const struct assembler *assembler, struct hr_chunk *chunk)
{
    const struct assembler_options *options = assembler->base.options;
    struct hr_column *output = &chunk->columns[assembler->output];
    struct pool pool = {0};
    hr_column_init(output, HR_TYPE_VECTOR, chunk->rows, chunk->arena);
    for (size_t row = 0; row < chunk->rows; row++) {
        if (chunk->dropped[row]) {
            continue;
        }
        size_t size;
        size_t bound = row_bound(assembler, chunk, row, &size);
        if (size > INT32_MAX) {
            hr_stage_reject(&assembler->base, chunk, row, options->output_col,
                            "%zu elements are more than a vector holds", size);
            continue;
        }
        /* One more, because gather writes an element before it knows that it is zero. */
        pool_reserve(&pool, bound + 1, chunk->arena);
        output->vectors[row] = assemble_row(assembler, chunk, row, (uint32_t)size, &pool);
    }
    hr_column_find_dense(output, chunk->rows);
}

static void assembler_transform(struct hr_stage *stage, struct hr_chunk *chunk)
{
    const struct assembler *assembler = (const struct assembler *)stage;
    const struct assembler_options *options = stage->options;
    if (options->handle_invalid != ASSEMBLER_KEEP) {
        refuse_invalid(assembler, chunk);
    }
    size_t width = common_width(assembler, chunk);
    if (width > 0) {
        assemble_matrix(assembler, chunk, width);
    } else {
        assemble_rows(assembler, chunk);
    }
}

static const char *const invalid_choices[] = {"error", "skip", "keep", NULL};

static const struct hr_option assembler_rows[] = {
    HR_OPTION(struct assembler_options, input_cols, "inputCols", STRINGS, .required = true,
              .help = "numeric, boolean and vector columns, in the order of the elements"),
    HR_OPTION(struct assembler_options, output_col, "outputCol", STRING, .required = true,
              .help = "vector column to make"),
    HR_OPTION(struct assembler_options, handle_invalid, "handleInvalid", CHOICE, .fallback = "error",
              .choices = invalid_choices,
              .help = "what to do with null, and with NaN in scalar columns; keep makes NaN of both"),
};

const struct hr_stage_type hr_stage_vector_assembler = {
    .kind =
        {
            .name = "VectorAssembler",
            .summary = "puts columns side by side into one vector",
            .doc = "Numbers, booleans (0 and 1) and vectors become the elements of one vector, dense or sparse, "
                   "whichever is shorter. handleInvalid: keep needs the sizes of vector columns: VectorSizeHint gives "
                   "them. Spark: org.apache.spark.ml.feature.VectorAssembler.",
            .example = "{ type: VectorAssembler, inputCols: [amount, age, cityVector], outputCol: features }",
            .options = {assembler_rows, HR_ARRAY_LEN(assembler_rows)},
            .options_size = sizeof(struct assembler_options),
            .instance_size = sizeof(struct assembler),
        },
    .check = assembler_check,
    .bind = assembler_bind,
    .transform = assembler_transform,
};
