// Strengths wearing off by plain loops that the compiler turns into calls of glibc's libmvec, in the width that this is
// compiled for.

#include <math.h>
#include <stddef.h>

#ifdef __AVX512F__
#define NAME(name) peers_libmvec_##name##_avx512
#else
#define NAME(name) peers_libmvec_##name##_avx2
#endif

// strengths[n] times e^(rate * age), in place.
void NAME(exponential)(float *restrict strengths, const float *restrict ages, size_t n, float rate) {
    for (size_t at = 0; at < n; at++) strengths[at] *= expf(ages[at] * rate);
}

// strengths[n] times (1 + age * per_scale)^exponent, in place.
void NAME(power)(float *restrict strengths, const float *restrict ages, size_t n, float per_scale, float exponent) {
    for (size_t at = 0; at < n; at++) strengths[at] *= powf(1 + ages[at] * per_scale, exponent);
}
