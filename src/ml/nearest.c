/* SPDX-License-Identifier: Apache-2.0
 *
 * See nearest.h. The estimate of ‖x − c‖² − ‖x‖² is s = ‖c‖² − 2 x·c in single precision, one multiply-add an element.
 * With u = 2^-24, d elements and R the largest ‖c‖, each term passes at most d + 5 roundings, whatever the order, so
 * |error| <= (d + 9) u (‖x‖ + R)²; what the rounding of the distances in double precision adds is far below the spare 4
 * u. A centre whose estimate is more than twice that above the smallest one is farther away, also as measured. The
 * range that is asked of (‖x‖ + R)² keeps overflow out and what underflow loses below the bound.
 */
#include "ml/nearest.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "ml/kernel.h"
#include "ml/kernel_nearest.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Centres of a block of estimates; fewer than half of that are faster measured. */
#define BLOCK 64u
#define ESTIMATE_COUNT_MIN 33u
#define ESTIMATE_DIMENSION_MAX 4096u
#define SCALE_MIN 1e-20
#define SCALE_MAX 1e30

static size_t blocks_of(const struct hr_nearest *nearest)
{
    return (nearest->count + BLOCK - 1) / BLOCK;
}

static bool can_estimate(size_t count, size_t dimension)
{
#if defined(__x86_64__)
    return count >= ESTIMATE_COUNT_MIN && dimension <= ESTIMATE_DIMENSION_MAX && __builtin_cpu_supports("avx512f");
#else
    (void)count;
    (void)dimension;
    return false;
#endif
}

void hr_nearest_open(struct hr_nearest *nearest, size_t count, size_t dimension)
{
    *nearest = (struct hr_nearest){.count = count, .dimension = dimension};
    nearest->transposed = hr_calloc(hr_nearest_size(count, dimension), sizeof(double));
    if (can_estimate(count, dimension)) {
        size_t padded = blocks_of(nearest) * BLOCK;
        nearest->narrow = hr_calloc(padded * dimension, sizeof(float));
        nearest->squares = hr_calloc(padded, sizeof(float));
        nearest->scores = hr_calloc(padded, sizeof(float));
        nearest->point = hr_calloc(dimension, sizeof(float));
    }
}

void hr_nearest_close(struct hr_nearest *nearest)
{
    hr_free(nearest->transposed);
    hr_free(nearest->narrow);
    hr_free(nearest->squares);
    hr_free(nearest->scores);
    hr_free(nearest->point);
    *nearest = (struct hr_nearest){0};
}

/* Out of range, a float would not be a number of the machine, and its conversion undefined: radius says so instead. */
static void set_estimates(struct hr_nearest *nearest)
{
    size_t dimension = nearest->dimension;
    double largest = 0.0;
    for (size_t j = 0; j < nearest->count; j++) {
        double square = hr_kernel_dot(nearest->centres + j * dimension, nearest->centres + j * dimension, dimension);
        largest = square <= largest ? largest : square;
    }
    nearest->radius = largest <= SCALE_MAX ? sqrt(largest) : HUGE_VAL;
    if (!isfinite(nearest->radius)) {
        return;
    }
    for (size_t j = 0; j < blocks_of(nearest) * BLOCK; j++) {
        const double *centre = nearest->centres + (j < nearest->count ? j * dimension : 0);
        float *narrow = nearest->narrow + j / BLOCK * BLOCK * dimension + j % BLOCK;
        nearest->squares[j] = j < nearest->count ? (float)hr_kernel_dot(centre, centre, dimension) : HUGE_VALF;
        for (size_t i = 0; i < dimension; i++) {
            narrow[i * BLOCK] = -2.0f * (float)centre[i];
        }
    }
}

void hr_nearest_set(struct hr_nearest *nearest, const double *centres)
{
    nearest->centres = centres;
    hr_nearest_transpose(centres, nearest->count, nearest->dimension, nearest->transposed);
    if (nearest->narrow != NULL) {
        set_estimates(nearest);
    }
}

#if defined(__x86_64__)
/* The point in single precision, and its length. */
__attribute__((target("avx512f"))) static double narrow_point(const double *point, size_t dimension, float *out)
{
    __m512d sums = _mm512_setzero_pd();
    for (size_t i = 0; i < dimension; i += 8) {
        __mmask8 mask = (__mmask8)(dimension - i >= 8 ? 0xffu : (1u << (dimension - i)) - 1u);
        __m512d values = _mm512_maskz_loadu_pd(mask, point + i);
        sums = _mm512_add_pd(sums, _mm512_mul_pd(values, values));
        __m512 narrow = _mm512_castps256_ps512(_mm512_cvtpd_ps(values));
        _mm512_mask_storeu_ps(out + i, mask, narrow);
    }
    return sqrt(_mm512_reduce_add_pd(sums));
}

/* All scores; the smallest of them. */
__attribute__((target("avx512f"))) static float estimate(const struct hr_nearest *nearest)
{
    __m512 smallest = _mm512_set1_ps(HUGE_VALF);
    const float *narrow = nearest->narrow;
    for (size_t first = 0; first < nearest->count; first += BLOCK) {
        __m512 sums[BLOCK / 16];
        for (size_t k = 0; k < BLOCK / 16; k++) {
            sums[k] = _mm512_loadu_ps(nearest->squares + first + 16 * k);
        }
        for (size_t i = 0; i < nearest->dimension; i++, narrow += BLOCK) {
            __m512 value = _mm512_set1_ps(nearest->point[i]);
            for (size_t k = 0; k < BLOCK / 16; k++) {
                sums[k] = _mm512_fmadd_ps(value, _mm512_loadu_ps(narrow + 16 * k), sums[k]);
            }
        }
        for (size_t k = 0; k < BLOCK / 16; k++) {
            _mm512_storeu_ps(nearest->scores + first + 16 * k, sums[k]);
            smallest = _mm512_min_ps(smallest, sums[k]);
        }
    }
    return _mm512_reduce_min_ps(smallest);
}

/* Measures the centres whose score is at most the limit. */
__attribute__((target("avx512f"))) static size_t measure(const struct hr_nearest *nearest, const double *point,
                                                         float limit, double *squared)
{
    size_t best = SIZE_MAX;
    *squared = HUGE_VAL;
    for (size_t first = 0; first < nearest->count; first += BLOCK) {
        uint64_t near = 0;
        for (size_t k = 0; k < BLOCK / 16; k++) {
            __m512 scores = _mm512_loadu_ps(nearest->scores + first + 16 * k);
            near |= (uint64_t)_mm512_cmp_ps_mask(scores, _mm512_set1_ps(limit), _CMP_LE_OQ) << 16 * k;
        }
        for (; near != 0; near &= near - 1) {
            size_t j = first + (size_t)__builtin_ctzll(near);
            double distance =
                hr_kernel_squared_distance(point, nearest->centres + j * nearest->dimension, nearest->dimension);
            if (distance < *squared) {
                *squared = distance;
                best = j;
            }
        }
    }
    return best;
}
#endif

size_t hr_nearest_find(struct hr_nearest *nearest, const double *point, double *squared)
{
#if defined(__x86_64__)
    if (nearest->narrow != NULL && isfinite(nearest->radius)) {
        double reach = narrow_point(point, nearest->dimension, nearest->point) + nearest->radius;
        double scale = reach * reach;
        if (scale >= SCALE_MIN && scale <= SCALE_MAX) {
            double error = (double)(nearest->dimension + 9) * 0x1p-24 * 1.01 * scale;
            double limit = (double)estimate(nearest) + 2.0 * error;
            return measure(nearest, point, nextafterf((float)limit, HUGE_VALF), squared);
        }
    }
#endif
    return hr_kernel_nearest(point, nearest->transposed, nearest->count, nearest->dimension, squared);
}
