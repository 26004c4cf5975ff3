/* pgvector's shape: plain loops that the compiler turns into vectors, for which it may reorder sums. */
#include "similarity.h"

#include <math.h>

static float dot(const float *a, const float *b, size_t dim) {
    float sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += a[i] * b[i];
    return sum;
}

static float sql2(const float *a, const float *b, size_t dim) {
    float sum = 0;
    for (size_t i = 0; i < dim; i++) {
        float off = a[i] - b[i];
        sum += off * off;
    }
    return sum;
}

/* Both norms anew for each row. */
static float cosine(const float *a, const float *b, size_t dim) {
    float ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < dim; i++) {
        ab += a[i] * b[i];
        aa += a[i] * a[i];
        bb += b[i] * b[i];
    }
    return (float)(ab / sqrt((double)aa * (double)bb));
}

OVER_ROWS(c_pgvector_dot, dot)
OVER_ROWS(c_pgvector_sql2, sql2)
OVER_ROWS(c_pgvector_cosine, cosine)
