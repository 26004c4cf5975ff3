/* hnswlib's shape: AVX-512 with one sum of 16 lanes where they divide the dimension, four steps at a time for products
 * and one for differences; else AVX with one sum of 8 lanes, then 4 at a time. The answer is a distance. */
#include "similarity.h"

#ifdef __AVX__
#include <immintrin.h>

static float sum_of_four(__m128 sum) {
    float lanes[4];
    _mm_storeu_ps(lanes, sum);
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

/* Products, or squares of differences, of 8 lanes and of 4. */
#define STEP(bits, sum, a, b, differ)                                                                          \
    do {                                                                                                       \
        __m##bits x = _mm##bits##_loadu_ps(a), y = _mm##bits##_loadu_ps(b);                                    \
        __m##bits off = _mm##bits##_sub_ps(x, y);                                                              \
        sum = _mm##bits##_add_ps(sum, differ ? _mm##bits##_mul_ps(off, off) : _mm##bits##_mul_ps(x, y));       \
    } while (0)
#define _mm128_loadu_ps _mm_loadu_ps
#define _mm128_sub_ps _mm_sub_ps
#define _mm128_add_ps _mm_add_ps
#define _mm128_mul_ps _mm_mul_ps

static inline __attribute__((always_inline)) float by_eight(const float *a, const float *b, size_t dim, int differ) {
    __m256 sum = _mm256_setzero_ps();
    size_t i = 0;
    for (; i + 16 <= dim; i += 16) {
        STEP(256, sum, a + i, b + i, differ);
        STEP(256, sum, a + i + 8, b + i + 8, differ);
    }
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
    for (; i + 4 <= dim; i += 4)
        STEP(128, four, a + i, b + i, differ);
    float rest = 0;
    for (; i < dim; i++)
        rest += differ ? (a[i] - b[i]) * (a[i] - b[i]) : a[i] * b[i];
    return sum_of_four(four) + rest;
}

static float product(const float *a, const float *b, size_t dim) {
#ifdef __AVX512F__
    if (dim % 16 == 0) {
        __m512 sum = _mm512_setzero_ps();
        size_t i = 0;
        for (; i + 64 <= dim; i += 64)
            for (size_t step = 0; step < 64; step += 16)
                sum = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + step), _mm512_loadu_ps(b + i + step), sum);
        for (; i < dim; i += 16)
            sum = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), sum);
        return _mm512_reduce_add_ps(sum);
    }
#endif
    return by_eight(a, b, dim, 0);
}

static float sql2(const float *a, const float *b, size_t dim) {
#ifdef __AVX512F__
    if (dim % 16 == 0) {
        __m512 sum = _mm512_setzero_ps();
        for (size_t i = 0; i < dim; i += 16) {
            __m512 off = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
            sum = _mm512_fmadd_ps(off, off, sum);
        }
        return _mm512_reduce_add_ps(sum);
    }
#endif
    return by_eight(a, b, dim, 1);
}
#else
static float product(const float *a, const float *b, size_t dim) {
    float sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += a[i] * b[i];
    return sum;
}

static float sql2(const float *a, const float *b, size_t dim) {
    float sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}
#endif

static float one_minus_product(const float *a, const float *b, size_t dim) { return 1 - product(a, b, dim); }

OVER_ROWS(c_hnswlib_ip, one_minus_product)
OVER_ROWS(c_hnswlib_sql2, sql2)
