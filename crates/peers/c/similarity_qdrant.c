/* qdrant's shape: AVX with fused multiply-add, four sums of 8 lanes, 32 elements a step; the rest one by one. */
#include "similarity.h"

#if defined(__AVX__) && defined(__FMA__)
#include <immintrin.h>

static float sum_of_all(__m256 one, __m256 two, __m256 three, __m256 four) {
    __m256 sum = _mm256_add_ps(_mm256_add_ps(one, two), _mm256_add_ps(three, four));
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_shuffle_ps(half, half, 1)));
}

static inline __m256 multiplied(const float *a, const float *b, __m256 sum) {
    return _mm256_fmadd_ps(_mm256_loadu_ps(a), _mm256_loadu_ps(b), sum);
}

static inline __m256 differed(const float *a, const float *b, __m256 sum) {
    __m256 off = _mm256_sub_ps(_mm256_loadu_ps(a), _mm256_loadu_ps(b));
    return _mm256_fmadd_ps(off, off, sum);
}

#define FOUR_SUMS(step)                                                                                        \
    __m256 one = _mm256_setzero_ps(), two = one, three = one, four = one;                                      \
    size_t i = 0;                                                                                              \
    for (; i + 32 <= dim; i += 32) {                                                                           \
        one = step(a + i, b + i, one);                                                                         \
        two = step(a + i + 8, b + i + 8, two);                                                                 \
        three = step(a + i + 16, b + i + 16, three);                                                           \
        four = step(a + i + 24, b + i + 24, four);                                                             \
    }                                                                                                          \
    float sum = sum_of_all(one, two, three, four);
#else
#define FOUR_SUMS(step)                                                                                        \
    float sum = 0;                                                                                             \
    size_t i = 0;
#endif

static float dot(const float *a, const float *b, size_t dim) {
    FOUR_SUMS(multiplied)
    for (; i < dim; i++)
        sum += a[i] * b[i];
    return sum;
}

static float sql2(const float *a, const float *b, size_t dim) {
    FOUR_SUMS(differed)
    for (; i < dim; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

OVER_ROWS(c_qdrant_dot, dot)
OVER_ROWS(c_qdrant_sql2, sql2)
