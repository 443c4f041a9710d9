/* SPDX-License-Identifier: Apache-2.0
 *
 * Prediction columns of a chunk: what all models of a task write, in one place.
 */
#include <math.h>

#include "ml/kernel.h"
#include "ml/model.h"

static double *begin_doubles(struct hr_chunk *chunk, size_t index)
{
    if (index == SIZE_MAX) {
        return NULL;
    }
    hr_column_init(&chunk->columns[index], HR_TYPE_DOUBLE, chunk->rows, chunk->arena);
    return chunk->columns[index].doubles;
}

/* A column of vectors of two elements, back to back. */
static double *begin_pairs(struct hr_chunk *chunk, size_t index)
{
    if (index == SIZE_MAX) {
        return NULL;
    }
    struct hr_column *column = &chunk->columns[index];
    hr_column_init(column, HR_TYPE_VECTOR, chunk->rows, chunk->arena);
    double *pairs = hr_arena_calloc(chunk->arena, 2 * chunk->rows + 2, sizeof(double));
    for (size_t row = 0; row < chunk->rows; row++) {
        column->vectors[row] = (struct hr_vector){.values = pairs + 2 * row, .size = 2, .count = 2};
    }
    column->dense = pairs;
    column->dense_size = 2;
    return pairs;
}

void hr_model_output_begin(const struct hr_model *model, struct hr_chunk *chunk, struct hr_model_output *output)
{
    *output = (struct hr_model_output){0};
    if (model->type->task != HR_TASK_CLUSTERING) {
        output->prediction = begin_doubles(chunk, model->prediction);
    } else if (model->prediction != SIZE_MAX) {
        hr_column_init(&chunk->columns[model->prediction], HR_TYPE_INT, chunk->rows, chunk->arena);
        output->cluster = chunk->columns[model->prediction].longs;
    }
    output->raw = begin_pairs(chunk, model->raw_prediction);
    output->probability = begin_pairs(chunk, model->probability);
    output->distance = begin_doubles(chunk, model->distance);
}

void hr_model_output_margin(const struct hr_model_output *output, size_t row, double margin, double probability,
                            double threshold)
{
    if (output->prediction != NULL) {
        output->prediction[row] = isnan(probability) ? (double)NAN : (double)(probability > threshold);
    }
    if (output->raw != NULL) {
        output->raw[2 * row] = -margin;
        output->raw[2 * row + 1] = margin;
    }
    if (output->probability != NULL) {
        output->probability[2 * row] = 1.0 - probability;
        output->probability[2 * row + 1] = probability;
    }
}

double hr_model_output_binary(const struct hr_model_output *output, size_t row, double margin, double threshold)
{
    double probability = hr_kernel_sigmoid(margin);
    hr_model_output_margin(output, row, margin, probability, threshold);
    return probability;
}
