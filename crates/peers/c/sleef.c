// Strengths wearing off by SLEEF's vector functions of at most 1 ulp, in the width that this is compiled for.

#include <immintrin.h>
#include <sleef.h>
#include <stddef.h>
#include <string.h>

#ifdef __AVX512F__
#define NAME(name) peers_sleef_##name##_avx512
#define LANES 16
#define VECTOR __m512
#define LOAD _mm512_loadu_ps
#define STORE _mm512_storeu_ps
#define ALL _mm512_set1_ps
#define MULTIPLY _mm512_mul_ps
#define MULTIPLY_ADD _mm512_fmadd_ps
#define EXP2 Sleef_exp2f16_u10avx512f
#define POW Sleef_powf16_u10avx512f
#else
#define NAME(name) peers_sleef_##name##_avx2
#define LANES 8
#define VECTOR __m256
#define LOAD _mm256_loadu_ps
#define STORE _mm256_storeu_ps
#define ALL _mm256_set1_ps
#define MULTIPLY _mm256_mul_ps
#define MULTIPLY_ADD _mm256_fmadd_ps
#define EXP2 Sleef_exp2f8_u10avx2
#define POW Sleef_powf8_u10avx2
#endif

// The rest of n elements that does not fill a vector goes through one of its own.
#define FOR_ALL(retained)                                                            \
    size_t at = 0;                                                                   \
    for (; at + LANES <= n; at += LANES) {                                           \
        VECTOR age = LOAD(ages + at);                                                \
        STORE(strengths + at, MULTIPLY(LOAD(strengths + at), retained));             \
    }                                                                                \
    if (at < n) {                                                                    \
        float rest[2][LANES] = {{0}};                                                \
        memcpy(rest[0], ages + at, (n - at) * sizeof(float));                        \
        memcpy(rest[1], strengths + at, (n - at) * sizeof(float));                   \
        VECTOR age = LOAD(rest[0]);                                                  \
        STORE(rest[1], MULTIPLY(LOAD(rest[1]), retained));                           \
        memcpy(strengths + at, rest[1], (n - at) * sizeof(float));                   \
    }

// strengths[n] times 2^(rate * age), in place.
void NAME(exponential)(float *strengths, const float *ages, size_t n, float rate) {
    VECTOR rates = ALL(rate);
    FOR_ALL(EXP2(MULTIPLY(age, rates)))
}

// strengths[n] times (1 + age * per_scale)^exponent, in place.
void NAME(power)(float *strengths, const float *ages, size_t n, float per_scale, float exponent) {
    VECTOR per_scales = ALL(per_scale), ones = ALL(1), exponents = ALL(exponent);
    FOR_ALL(POW(MULTIPLY_ADD(age, per_scales, ones), exponents))
}
