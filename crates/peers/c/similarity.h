/* Loops of the shapes that vector stores use, written for this comparison. Each shape is a function of two vectors;
 * OVER_ROWS makes of it one to call from elsewhere, and one that scores rows: all of them, or those of `ids`. */
#include <stddef.h>
#include <stdint.h>

#define OVER_ROWS(name, pair)                                                                                  \
    float name(const float *a, const float *b, size_t dim) { return pair(a, b, dim); }                         \
    void name##_rows(const float *restrict query, const float *restrict rows, const uint32_t *restrict ids,    \
                     size_t n, size_t dim, float *restrict scores) {                                           \
        for (size_t i = 0; i < n; i++)                                                                         \
            scores[i] = pair(query, rows + dim * (ids ? ids[i] : i), dim);                                     \
    }
