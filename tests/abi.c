/* Every function of ecphory.h from C, with good arguments and bad ones. A line for each check that fails. */

#include "ecphory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define FIELD(type, field, at, type_of_field)                                    \
    _Static_assert(offsetof(type, field) == (at), "offset of " #type "." #field); \
    _Static_assert(sizeof(((type *)0)->field) == sizeof(type_of_field), "size of " #type "." #field)
#define NUMBER(name, value) _Static_assert(name == (value), #name)

/* Offsets below are those of 64-bit machines, the only ones there are tiers for. */
SIZE(void *, 8);
SIZE(size_t, 8);
SIZE(ecp_status, 4);

SIZE(ecp_scratch, 48);
FIELD(ecp_scratch, lent, 0, void *);
FIELD(ecp_scratch, lent_size, 8, size_t);
FIELD(ecp_scratch, on_overflow, 16, uint32_t);
FIELD(ecp_scratch, need, 24, size_t);
FIELD(ecp_scratch, needed, 32, size_t);
FIELD(ecp_scratch, capacity, 40, size_t);

SIZE(ecp_arena_stats, 88);
FIELD(ecp_arena_stats, capacity, 0, size_t);
FIELD(ecp_arena_stats, current_usage, 8, size_t);
FIELD(ecp_arena_stats, high_water_mark, 16, size_t);
FIELD(ecp_arena_stats, capacity_per_thread, 24, size_t);
FIELD(ecp_arena_stats, overflow_count, 32, uint64_t);
FIELD(ecp_arena_stats, rewind_count, 40, uint64_t);
FIELD(ecp_arena_stats, allocation_count, 48, uint64_t);
FIELD(ecp_arena_stats, heap_loan_count, 56, uint64_t);
FIELD(ecp_arena_stats, heap_loan_bytes, 64, uint64_t);
FIELD(ecp_arena_stats, live_arenas, 72, uint64_t);
FIELD(ecp_arena_stats, nesting_max, 80, size_t);

SIZE(ecp_arena, 40);
FIELD(ecp_arena, base, 0, unsigned char *);
FIELD(ecp_arena, capacity, 8, size_t);
FIELD(ecp_arena, cursor, 16, size_t);
FIELD(ecp_arena, open, 24, size_t);
FIELD(ecp_arena, allocation_count, 32, uint64_t);

SIZE(ecp_kernel_stats, 8 * 7 + 8 * 369);
FIELD(ecp_kernel_stats, high_water_mark, 0, size_t);
FIELD(ecp_kernel_stats, overflow_counts, 8, uint64_t[4]);
FIELD(ecp_kernel_stats, heap_loan_count, 40, uint64_t);
FIELD(ecp_kernel_stats, heap_loan_bytes, 48, uint64_t);
FIELD(ecp_kernel_stats, need_counts, 56, uint64_t[369]);

SIZE(ecp_search, 16);
FIELD(ecp_search, metric, 0, uint32_t);
FIELD(ecp_search, precision, 4, uint32_t);
FIELD(ecp_search, packing, 8, uint32_t);
FIELD(ecp_search, threshold, 12, float);

SIZE(ecp_companion, 32);
FIELD(ecp_companion, elements, 0, int8_t *);
FIELD(ecp_companion, scales, 8, float *);
FIELD(ecp_companion, residuals, 16, float *);
FIELD(ecp_companion, lengths, 24, float *);

SIZE(ecp_rows, 72);
FIELD(ecp_rows, elements, 0, void *);
FIELD(ecp_rows, type, 8, uint32_t);
FIELD(ecp_rows, beyond, 12, uint32_t);
FIELD(ecp_rows, row_count, 16, size_t);
FIELD(ecp_rows, dim, 24, size_t);
FIELD(ecp_rows, stride, 32, size_t);
FIELD(ecp_rows, scales, 40, float *);
FIELD(ecp_rows, norms, 48, float *);
FIELD(ecp_rows, filter, 56, uint64_t *);
FIELD(ecp_rows, companion, 64, ecp_companion *);

SIZE(ecp_hit, 16);
FIELD(ecp_hit, row, 0, uint64_t);
FIELD(ecp_hit, score, 8, float);
FIELD(ecp_hit, reserved, 12, uint32_t);

SIZE(ecp_top_k_result, 24);
FIELD(ecp_top_k_result, hit_count, 0, size_t);
FIELD(ecp_top_k_result, nan_rows, 8, size_t);
FIELD(ecp_top_k_result, rescored_rows, 16, size_t);

SIZE(ecp_graph, 48);
FIELD(ecp_graph, offsets, 0, uint32_t *);
FIELD(ecp_graph, targets, 8, uint32_t *);
FIELD(ecp_graph, weights, 16, float *);
FIELD(ecp_graph, out_strengths, 24, float *);
FIELD(ecp_graph, relations, 32, uint8_t *);
FIELD(ecp_graph, node_count, 40, size_t);

SIZE(ecp_seed, 8);
FIELD(ecp_seed, node, 0, uint32_t);
FIELD(ecp_seed, activation, 4, float);

SIZE(ecp_spread_options, 80);
FIELD(ecp_spread_options, hops, 0, uint32_t);
FIELD(ecp_spread_options, fire, 4, uint32_t);
FIELD(ecp_spread_options, weighting, 8, uint32_t);
FIELD(ecp_spread_options, aggregate, 12, uint32_t);
FIELD(ecp_spread_options, budget, 16, uint32_t);
FIELD(ecp_spread_options, fan_out_most, 20, uint32_t);
FIELD(ecp_spread_options, threshold, 24, float);
FIELD(ecp_spread_options, retain, 28, float);
FIELD(ecp_spread_options, transmission, 32, float);
FIELD(ecp_spread_options, fan_strength, 36, float);
FIELD(ecp_spread_options, competitors, 40, uint32_t);
FIELD(ecp_spread_options, inhibition, 44, float);
FIELD(ecp_spread_options, steepness, 48, float);
FIELD(ecp_spread_options, midpoint, 52, float);
FIELD(ecp_spread_options, edges_most, 56, uint64_t);
FIELD(ecp_spread_options, pause_after, 64, uint64_t);
FIELD(ecp_spread_options, relation_factors, 72, const float *);
SIZE(ecp_spread_result, 32);
FIELD(ecp_spread_result, reached_count, 0, size_t);
FIELD(ecp_spread_result, edges, 8, uint64_t);
FIELD(ecp_spread_result, fired, 16, uint64_t);
FIELD(ecp_spread_result, stopped, 24, uint32_t);
FIELD(ecp_spread_result, reserved, 28, uint32_t);

SIZE(ecp_push_options, 40);
FIELD(ecp_push_options, alpha, 0, double);
FIELD(ecp_push_options, epsilon, 8, double);
FIELD(ecp_push_options, edges_most, 16, uint64_t);
FIELD(ecp_push_options, pause_after, 24, uint64_t);
FIELD(ecp_push_options, dangling, 32, uint32_t);
FIELD(ecp_push_options, reserved, 36, uint32_t);

SIZE(ecp_push_past, 64);
FIELD(ecp_push_past, estimates, 0, double *);
FIELD(ecp_push_past, residuals, 8, double *);
FIELD(ecp_push_past, waiting, 16, uint32_t *);
FIELD(ecp_push_past, reached_count, 24, size_t);
FIELD(ecp_push_past, waiting_count, 32, size_t);
FIELD(ecp_push_past, edges, 40, uint64_t);
FIELD(ecp_push_past, leading, 48, uint64_t);
FIELD(ecp_push_past, evenly, 56, double);

SIZE(ecp_push_result, 40);
FIELD(ecp_push_result, reached_count, 0, size_t);
FIELD(ecp_push_result, edges, 8, uint64_t);
FIELD(ecp_push_result, residual, 16, double);
FIELD(ecp_push_result, evenly, 24, double);
FIELD(ecp_push_result, stopped, 32, uint32_t);
FIELD(ecp_push_result, reserved, 36, uint32_t);

SIZE(ecp_incoming, 32);
FIELD(ecp_incoming, offsets, 0, uint32_t *);
FIELD(ecp_incoming, sources, 8, uint32_t *);
FIELD(ecp_incoming, shares, 16, float *);
FIELD(ecp_incoming, node_count, 24, size_t);

SIZE(ecp_law, 32);
FIELD(ecp_law, kind, 0, uint32_t);
FIELD(ecp_law, floor, 4, float);
FIELD(ecp_law, first, 8, float *);
FIELD(ecp_law, second, 16, float *);
FIELD(ecp_law, parameter_count, 24, size_t);

SIZE(ecp_ages, 32);
FIELD(ecp_ages, seconds, 0, float *);
FIELD(ecp_ages, unix_milliseconds, 8, int64_t *);
FIELD(ecp_ages, now, 16, int64_t);
FIELD(ecp_ages, uniform, 24, float *);

SIZE(ecp_selection, 32);
FIELD(ecp_selection, threshold, 0, float);
FIELD(ecp_selection, above, 4, uint32_t);
FIELD(ecp_selection, first_id, 8, uint32_t);
FIELD(ecp_selection, ids, 16, uint32_t *);
FIELD(ecp_selection, id_count, 24, size_t);

SIZE(ecp_decay_report, 16);
FIELD(ecp_decay_report, negative_ages, 0, size_t);
FIELD(ecp_decay_report, nan_ages, 8, size_t);

NUMBER(ECP_ABI_VERSION, 5);
NUMBER(ECP_OK, 0);
NUMBER(ECP_OUT_OF_MEMORY, 1);
NUMBER(ECP_INVALID_ARGUMENT, 2);
NUMBER(ECP_UNKNOWN_TIER, 3);
NUMBER(ECP_ALREADY_IN_USE, 4);
NUMBER(ECP_ON_OVERFLOW_ERROR, 0);
NUMBER(ECP_ON_OVERFLOW_HEAP, 1);
NUMBER(ECP_ON_OVERFLOW_PANIC, 2);
NUMBER(ECP_ON_OVERFLOW_GROW, 3);
NUMBER(ECP_KERNEL_SIMILARITY, 0);
NUMBER(ECP_KERNEL_SPREADING, 1);
NUMBER(ECP_KERNEL_DECAY, 2);
NUMBER(ECP_KERNEL_CALLER, 3);
NUMBER(ECP_KERNELS, 4);
NUMBER(ECP_NEED_BUCKETS, 369);
NUMBER(ECP_TYPE_F32, 0);
NUMBER(ECP_TYPE_F16, 1);
NUMBER(ECP_TYPE_BF16, 2);
NUMBER(ECP_TYPE_I8, 3);
NUMBER(ECP_TYPE_BITS, 4);
NUMBER(ECP_PACKING_IN_PLACE, 0);
NUMBER(ECP_PACKING_WHOLE, 1);
NUMBER(ECP_PACKING_TILED, 2);
NUMBER(ECP_PRECISION_FAST, 0);
NUMBER(ECP_PRECISION_PRECISE, 1);
NUMBER(ECP_METRIC_COSINE, 0);
NUMBER(ECP_METRIC_DOT, 1);
NUMBER(ECP_METRIC_SQUARED_EUCLIDEAN, 2);
NUMBER(ECP_METRIC_HAMMING, 3);
NUMBER(ECP_METRIC_JACCARD, 4);
NUMBER(ECP_FIRE_ONCE, 0);
NUMBER(ECP_FIRE_EVERY_HOP, 1);
NUMBER(ECP_WEIGHTING_AS_GIVEN, 0);
NUMBER(ECP_WEIGHTING_BY_OUT_STRENGTH, 1);
NUMBER(ECP_FIRE_BEST_FIRST, 2);
NUMBER(ECP_WEIGHTING_BY_FAN, 2);
NUMBER(ECP_AGGREGATE_SUM, 0);
NUMBER(ECP_AGGREGATE_MAX, 1);
NUMBER(ECP_STOPPED_NO, 0);
NUMBER(ECP_STOPPED_WORK, 1);
NUMBER(ECP_STOPPED_BUDGET, 2);
NUMBER(ECP_COMPETITORS_MAX, 64);
NUMBER(ECP_DANGLING_TO_SEEDS, 0);
NUMBER(ECP_DANGLING_EVENLY, 1);
NUMBER(ECP_SWEEP_CUES, 16);
NUMBER(ECP_HOPS_MAX, 1024);
NUMBER(ECP_LAW_EXPONENTIAL, 0);
NUMBER(ECP_LAW_POWER, 1);
NUMBER(ECP_LAW_HYPERBOLIC, 2);
NUMBER(ECP_LAW_STRETCHED, 3);
NUMBER(ECP_LAW_SAVINGS, 4);
NUMBER(ECP_LAW_STABILITY, 5);

static int failures = 0;

static void check(int holds, int line, const char *what) {
    if (holds) return;
    failures++;
    printf("abi.c:%d: %s (tier %s)\n", line, what, ecp_tier_in_use());
}

#define CHECK(condition) check((condition) != 0, __LINE__, #condition)
#define INVALID(call) CHECK((call) == ECP_INVALID_ARGUMENT)

#define CAPACITY ((size_t)1 << 16)
#define HUGE_SIZE (SIZE_MAX / 2)

static size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }

/* Rows one after the other, and those that begin stride apart. */
#define APART(of, elements, count, dim, stride) {elements, of, 0, count, dim, stride, NULL, NULL, NULL, NULL}
#define ROWS(of, elements, count, dim) APART(of, elements, count, dim, dim)
#define F32(elements, count, dim) ROWS(ECP_TYPE_F32, elements, count, dim)

/* Searches to which every score is a hit, by metric; and those that pack. */
#define METRICS 5
static const ecp_search by[METRICS] = {
    {ECP_METRIC_COSINE, ECP_PRECISION_FAST, ECP_PACKING_IN_PLACE, -INFINITY},
    {ECP_METRIC_DOT, ECP_PRECISION_FAST, ECP_PACKING_IN_PLACE, -INFINITY},
    {ECP_METRIC_SQUARED_EUCLIDEAN, ECP_PRECISION_FAST, ECP_PACKING_IN_PLACE, INFINITY},
    {ECP_METRIC_HAMMING, ECP_PRECISION_FAST, ECP_PACKING_IN_PLACE, INFINITY},
    {ECP_METRIC_JACCARD, ECP_PRECISION_FAST, ECP_PACKING_IN_PLACE, -INFINITY},
};
static const ecp_search whole = {ECP_METRIC_DOT, ECP_PRECISION_FAST, ECP_PACKING_WHOLE, -INFINITY};
static const ecp_search tiled = {ECP_METRIC_DOT, ECP_PRECISION_FAST, ECP_PACKING_TILED, -INFINITY};
static const ecp_search precise = {ECP_METRIC_DOT, ECP_PRECISION_PRECISE, ECP_PACKING_IN_PLACE, -INFINITY};
#define COSINE (&by[ECP_METRIC_COSINE])
#define DOT (&by[ECP_METRIC_DOT])
#define DISTANCE (&by[ECP_METRIC_SQUARED_EUCLIDEAN])
#define HAMMING (&by[ECP_METRIC_HAMMING])
#define JACCARD (&by[ECP_METRIC_JACCARD])

/* Searches that are none. */
static const ecp_search unsound[5] = {
    {METRICS, 0, 0, 0}, {UINT32_MAX, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 3, 0}, {0, 0, 0, NAN},
};

static void check_library(void) {
    CHECK(ecp_abi_version() == ECP_ABI_VERSION);
    CHECK(ecp_zig_version() != NULL && strncmp(ecp_zig_version(), "0.", 2) == 0);
}

static void check_tiers(void) {
    size_t count = ecp_tier_count(), best = 0;
    CHECK(count > 0);
    for (size_t i = 0; i < count; i++) {
        CHECK(ecp_tier_name(i) != NULL && strlen(ecp_tier_name(i)) > 0);
        if (ecp_tier_supported(i)) best = i;
    }
    CHECK(ecp_tier_supported(0) == 1);
    CHECK(strcmp(ecp_tier_in_use(), ecp_tier_name(best)) == 0);
    CHECK(ecp_tier_name(count) == NULL && ecp_tier_name(SIZE_MAX) == NULL);
    CHECK(ecp_tier_supported(count) == 0 && ecp_tier_supported(SIZE_MAX) == 0);
    CHECK(ecp_tier_force("v", 1) == ECP_UNKNOWN_TIER);
    CHECK(ecp_tier_force("no tier", 7) == ECP_UNKNOWN_TIER);
    CHECK(ecp_tier_force("", 0) == ECP_UNKNOWN_TIER && ecp_tier_force(NULL, 0) == ECP_UNKNOWN_TIER);
    CHECK(ecp_tier_force(NULL, 2) == ECP_UNKNOWN_TIER);
    CHECK(strcmp(ecp_tier_in_use(), ecp_tier_name(best)) == 0);
}

static void check_configuration(void) {
    CHECK(ecp_arena_capacity() == (size_t)2 << 20);
    INVALID(ecp_arena_configure(0));
    INVALID(ecp_arena_configure(63));
    INVALID(ecp_arena_configure(((size_t)1 << 46) + 1));
    INVALID(ecp_arena_configure(SIZE_MAX));
    CHECK(ecp_arena_configure(100) == ECP_OK && ecp_arena_capacity() == 128);
    CHECK(ecp_arena_configure(CAPACITY) == ECP_OK && ecp_arena_capacity() == CAPACITY);
    ecp_arena_stats stats;
    memset(&stats, 0xFF, sizeof stats);
    ecp_arena_thread_stats(&stats);
    CHECK(stats.capacity == 0 && stats.live_arenas == 0 && stats.capacity_per_thread == 0);
    size_t bytes = 7, mark;
    CHECK(ecp_arena_trim(&bytes) == ECP_OK && bytes == 0);
    static unsigned char block[3 << 20];
    memset(block, 7, sizeof block);
    ecp_prefer_huge_pages(block, sizeof block);
    ecp_prefer_huge_pages(block + 1, 10);
    ecp_prefer_huge_pages(NULL, 10);
    CHECK(block[0] == 7 && memcmp(block, block + 1, sizeof block - 1) == 0);
    ecp_arena_release();
    CHECK(ecp_arena_mark(&mark, NULL) == ECP_OK && mark == 0);
    CHECK(ecp_arena_configure(CAPACITY) == ECP_ALREADY_IN_USE);
    CHECK(ecp_arena_rewind(mark) == ECP_OK);
}

static void check_arena(void) {
    size_t outer, inner, bytes;
    void *first = NULL, *second = NULL, *none = &bytes;
    ecp_scratch told = {0};
    ecp_arena *head = NULL;
    CHECK(ecp_arena_mark(&outer, &head) == ECP_OK);
    CHECK(ecp_arena_alloc(100, &first, &told) == ECP_OK && first != NULL && (uintptr_t)first % 64 == 0);
    memset(first, 1, 100);
    if (head != NULL) CHECK(head->base == first && head->cursor == 128 && head->open == 1);
    if (head != NULL) CHECK(head->capacity == CAPACITY && head->allocation_count >= 1);
    CHECK(ecp_arena_mark(&inner, NULL) == ECP_OK && inner == outer + 128);
    CHECK(ecp_arena_alloc(1, &second, NULL) == ECP_OK && (char *)second == (char *)first + 128);
    CHECK(ecp_arena_trim(&bytes) == ECP_ALREADY_IN_USE);
    CHECK(ecp_arena_alloc(SIZE_MAX, &none, &told) == ECP_OUT_OF_MEMORY && none == &bytes);
    CHECK(told.needed == SIZE_MAX && told.need == SIZE_MAX - 192 && told.capacity == CAPACITY);
    CHECK(ecp_arena_alloc(CAPACITY, &none, NULL) == ECP_OUT_OF_MEMORY && none == &bytes);
    CHECK(ecp_arena_admit(ECP_KERNEL_CALLER, CAPACITY - 192, &told) == ECP_OK && ecp_arena_admit(ECP_KERNEL_DECAY, 0, NULL) == ECP_OK);
    CHECK(ecp_arena_admit(ECP_KERNEL_CALLER, CAPACITY - 191, &told) == ECP_OUT_OF_MEMORY);
    CHECK(told.need == CAPACITY - 128 && told.needed == CAPACITY + 64 && told.capacity == CAPACITY);
    CHECK(ecp_arena_admit(ECP_KERNEL_SPREADING, SIZE_MAX, NULL) == ECP_OUT_OF_MEMORY);
    INVALID(ecp_arena_admit(ECP_KERNELS, 0, NULL));
    INVALID(ecp_arena_alloc(1, NULL, &told));
    INVALID(ecp_arena_mark(NULL, &head));
    INVALID(ecp_arena_trim(NULL));
    INVALID(ecp_arena_rewind(inner + 128));
    INVALID(ecp_arena_rewind(inner + 1));
    INVALID(ecp_arena_rewind(SIZE_MAX));
    CHECK(ecp_arena_rewind(inner) == ECP_OK);
    INVALID(ecp_arena_rewind(inner + 64));
    CHECK(((char *)first)[99] == 1);
    CHECK(ecp_arena_rewind(outer) == ECP_OK);
}

static void check_figures(void) {
    ecp_arena_stats before, after, all;
    ecp_arena_thread_stats(&before);
    size_t mark, bytes = 7;
    void *block = NULL;
    CHECK(ecp_arena_mark(&mark, NULL) == ECP_OK && ecp_arena_alloc(1000, &block, NULL) == ECP_OK);
    ecp_arena_total_stats(&all);
    CHECK(all.current_usage == 1024 && all.live_arenas == 1 && all.capacity == CAPACITY);
    CHECK(ecp_arena_alloc(CAPACITY, &block, NULL) == ECP_OUT_OF_MEMORY && ecp_arena_rewind(mark) == ECP_OK);
    ecp_arena_thread_stats(&after);
    CHECK(after.capacity == CAPACITY && after.capacity_per_thread == CAPACITY && after.live_arenas == 1);
    CHECK(after.current_usage == 0 && after.high_water_mark >= 1024);
    CHECK(after.overflow_count == before.overflow_count + 1 && after.rewind_count == before.rewind_count + 1);
    CHECK(after.allocation_count == before.allocation_count + 1);
    ecp_arena_thread_stats(NULL);
    ecp_arena_total_stats(NULL);
    CHECK(ecp_arena_trim(&bytes) == ECP_OK && bytes % 64 == 0);
    ecp_arena_release();
    ecp_arena_release();
    ecp_arena_thread_stats(&before);
    CHECK(before.live_arenas == 0 && before.capacity == 0 && before.overflow_count == 0);
    ecp_arena_total_stats(&all);
    CHECK(all.live_arenas == 0 && all.current_usage == 0 && all.capacity_per_thread == CAPACITY);
    CHECK(all.overflow_count == after.overflow_count && all.rewind_count == after.rewind_count);
    CHECK(all.high_water_mark == after.high_water_mark);
}

/* What is counted by kernel: needs, refused ones too, what became of overflows, and loans. */
static void check_kernel_stats(void) {
    static ecp_kernel_stats before, after, caller;
    ecp_arena_stats each[2];
    CHECK(ecp_need_edge(0) == 64 && ecp_need_edge(1) == 128 && ecp_need_edge(31) == 2048);
    CHECK(ecp_need_edge(32) == 2048 + 128 && ecp_need_edge(ECP_NEED_BUCKETS - 2) == (uint64_t)1 << 32);
    CHECK(ecp_need_edge(ECP_NEED_BUCKETS - 1) == UINT64_MAX && ecp_need_edge(SIZE_MAX) == UINT64_MAX);
    INVALID(ecp_arena_kernel_stats(ECP_KERNELS, &after));
    INVALID(ecp_arena_kernel_stats(ECP_KERNEL_DECAY, NULL));
    CHECK(ecp_arena_kernel_stats(ECP_KERNEL_SIMILARITY, &before) == ECP_OK);
    float q[32] = {1}, out[2];
    uint32_t twice[2] = {0, 0};
    ecp_scratch scratch = {.on_overflow = ECP_ON_OVERFLOW_PANIC};
    const ecp_rows one = F32(q, 1, 32);
    CHECK(ecp_gather(&whole, &one, &one, twice, 2, out, &scratch) == ECP_OK);
    CHECK(ecp_arena_admit(ECP_KERNEL_SIMILARITY, CAPACITY + 1, &scratch) == ECP_OUT_OF_MEMORY);
    size_t mark;
    CHECK(ecp_arena_mark(&mark, NULL) == ECP_OK);
    CHECK(ecp_gather(&tiled, &one, &one, twice, 2, out, NULL) == ECP_OK);
    CHECK(ecp_arena_rewind(mark) == ECP_OK);
    CHECK(ecp_arena_kernel_stats(ECP_KERNEL_SIMILARITY, &after) == ECP_OK);
    CHECK(ecp_arena_kernel_stats(ECP_KERNEL_CALLER, &caller) == ECP_OK);
    CHECK(after.need_counts[5] == before.need_counts[5] + 1); /* 384 bytes; the one inside a scope is the caller's */
    CHECK(after.high_water_mark >= 384 && caller.need_counts[5] >= 1 && caller.high_water_mark >= 384);
    CHECK(after.overflow_counts[ECP_ON_OVERFLOW_PANIC] == before.overflow_counts[ECP_ON_OVERFLOW_PANIC] + 1);
    size_t refused = 0;
    while (ecp_need_edge(refused) < CAPACITY + 64) refused++;
    CHECK(after.need_counts[refused] == before.need_counts[refused] + 1);
    CHECK(ecp_arena_each_stats(each, 2) == 1 && each[0].live_arenas == 1 && each[0].capacity == CAPACITY);
    CHECK(ecp_arena_each_stats(NULL, 0) == 1);
}

static void check_growth(void) {
    ecp_arena_stats stats;
    size_t mark;
    void *block;
    ecp_arena_release();
    ecp_arena_freeze();
    CHECK(ecp_arena_mark(&mark, NULL) == ECP_OUT_OF_MEMORY && ecp_arena_grow(CAPACITY) == ECP_OUT_OF_MEMORY);
    ecp_arena_thaw();
    INVALID(ecp_arena_grow(((size_t)1 << 46) + 1));
    CHECK(ecp_arena_mark(&mark, NULL) == ECP_OK && ecp_arena_grow(4 * CAPACITY) == ECP_ALREADY_IN_USE);
    CHECK(ecp_arena_rewind(mark) == ECP_OK && ecp_arena_grow(4 * CAPACITY) == ECP_OK);
    CHECK(ecp_arena_grow(CAPACITY) == ECP_OK);
    ecp_arena_thread_stats(&stats);
    CHECK(stats.capacity == 4 * CAPACITY);
    CHECK(ecp_arena_mark(&mark, NULL) == ECP_OK && ecp_arena_alloc(4 * CAPACITY, &block, NULL) == ECP_OK);
    memset(block, 1, 4 * CAPACITY);
    CHECK(ecp_arena_rewind(mark) == ECP_OK);
    ecp_arena_release();
}

/* Needs look at types, counts and dims alone. */
static size_t scores_need(const ecp_search *search, size_t dim, size_t query_count) {
    const ecp_rows queries = F32(NULL, query_count, dim), rows = F32(NULL, 3, dim);
    return ecp_scores_need(search, &queries, &rows);
}

static size_t gather_need(const ecp_search *search, size_t dim, size_t id_count) {
    const ecp_rows query = F32(NULL, 1, dim), rows = F32(NULL, 3, dim);
    return ecp_gather_need(search, &query, &rows, id_count);
}

static size_t top_k_need(const ecp_search *search, size_t dim, size_t query_count, size_t row_count, size_t k) {
    const ecp_rows queries = F32(NULL, query_count, dim), rows = F32(NULL, row_count, dim);
    return ecp_top_k_need(search, &queries, &rows, k);
}

static void check_needs(void) {
    CHECK(scores_need(DOT, 50, 1) == rounded(200) && scores_need(DOT, 0, 1) == 0);
    CHECK(gather_need(&whole, 50, 3) == rounded(200) + rounded(600));
    CHECK(gather_need(&tiled, 50, 3) == rounded(200) + rounded(600));
    CHECK(gather_need(DOT, 50, 3) == rounded(200) && gather_need(DOT, 0, 3) == 0);
    CHECK(top_k_need(DOT, 50, 1, 1000, 10) == rounded(200) + 1024 + rounded(160));
    CHECK(top_k_need(DOT, 50, 1, 3, SIZE_MAX) == rounded(200) + 1024 + rounded(48) && top_k_need(DOT, 0, 1, 3, 1) == 0);
    CHECK(scores_need(DOT, 768, 64) == (64 + 1) * 768 * 4 + (16 << 10));
    CHECK(scores_need(DOT, 768, 64) == scores_need(COSINE, 768, 1000));
    CHECK(top_k_need(DOT, 768, 64, 1000, 10) == scores_need(DOT, 768, 64) + 64 * 40 + 64 * 160);
    CHECK(scores_need(DOT, SIZE_MAX, 1) == SIZE_MAX && scores_need(DOT, SIZE_MAX / 2, 64) == SIZE_MAX);
    CHECK(gather_need(&whole, HUGE_SIZE, 3) == SIZE_MAX && gather_need(&whole, 1, SIZE_MAX) == SIZE_MAX);
    CHECK(top_k_need(DOT, 1, 1, SIZE_MAX, SIZE_MAX) == SIZE_MAX);
    CHECK(top_k_need(DOT, 1, 64, SIZE_MAX, SIZE_MAX) == SIZE_MAX);
    for (int i = 0; i < 5; i++) {
        CHECK(scores_need(&unsound[i], 50, 1) == 0 && gather_need(&unsound[i], 50, 1) == 0);
        CHECK(top_k_need(&unsound[i], 50, 1, 3, 3) == 0);
    }
    CHECK(scores_need(NULL, 50, 1) == 0 && gather_need(NULL, 50, 1) == 0 && top_k_need(NULL, 50, 1, 3, 3) == 0);
    const ecp_rows some = F32(NULL, 3, 50), others = F32(NULL, 1, 49);
    CHECK(ecp_scores_need(DOT, NULL, &some) == 0 && ecp_scores_need(DOT, &some, NULL) == 0);
    CHECK(ecp_gather_need(DOT, NULL, &some, 1) == 0 && ecp_gather_need(DOT, &some, NULL, 1) == 0);
    CHECK(ecp_top_k_need(DOT, NULL, &some, 1) == 0 && ecp_top_k_need(DOT, &some, NULL, 1) == 0);
    CHECK(ecp_scores_need(DOT, &others, &some) == 0 && ecp_gather_need(DOT, &others, &some, 1) == 0);
    CHECK(ecp_top_k_need(DOT, &others, &some, 1) == 0);
}

/* Whether a query of one type meets rows of another, and both the metric. */
static int meets(uint32_t query, uint32_t rows, uint32_t metric) {
    const int reduced = rows == ECP_TYPE_F16 || rows == ECP_TYPE_BF16 || rows == ECP_TYPE_I8;
    const int of_bits = metric == ECP_METRIC_HAMMING || metric == ECP_METRIC_JACCARD;
    return rows <= ECP_TYPE_BITS && (query == rows || (query == ECP_TYPE_F32 && reduced)) && metric < METRICS &&
           of_bits == (rows == ECP_TYPE_BITS);
}

enum { DIM = 100, SOME = 3, MOST = 70 };

/* In a block of what the calls are said to need they run, and in one of less they do not. */
static void check_need_of(const ecp_search *search, const ecp_rows *queries, const ecp_rows *rows) {
    static float out[MOST * SOME];
    static ecp_hit hits[MOST * SOME];
    static ecp_top_k_result results[MOST];
    const uint32_t twice[2] = {2, 0};
    for (int call = 0; call < 3; call++) {
        if (call == 1 && queries->row_count > 1) continue;
        const size_t need = call == 0   ? ecp_scores_need(search, queries, rows)
                            : call == 1 ? ecp_gather_need(search, queries, rows, 2)
                                        : ecp_top_k_need(search, queries, rows, 2);
        CHECK(need % 64 == 0);
        for (size_t short_by = 0; short_by <= 64 && short_by <= need; short_by += 64) {
            ecp_scratch scratch = {.lent = aligned_alloc(64, need + 64), .lent_size = need - short_by};
            const ecp_status status = call == 0   ? ecp_scores(search, queries, rows, out, SOME, &scratch)
                                      : call == 1 ? ecp_gather(search, queries, rows, twice, 2, out, &scratch)
                                                  : ecp_top_k(search, queries, rows, 2, hits, results, &scratch);
            CHECK(status == (short_by ? ECP_OUT_OF_MEMORY : ECP_OK));
            CHECK(!short_by || scratch.need == need);
            free(scratch.lent);
        }
    }
}

/* Whoever lends what a call is said to need gets its answer, in every tier. */
static void check_needs_in_every_tier(void) {
    static const float zeros[MOST * DIM];
    const char *in_use = ecp_tier_in_use();
    for (size_t tier = 0; tier < ecp_tier_count(); tier++) {
        const char *name = ecp_tier_name(tier);
        if (!ecp_tier_supported(tier)) continue;
        CHECK(ecp_tier_force(name, strlen(name)) == ECP_OK);
        for (uint32_t pair = 0; pair < 25 * METRICS * 2; pair++) {
            const uint32_t of_queries = pair % 5, of_rows = pair / 5 % 5, metric = pair / 25 % METRICS;
            if (!meets(of_queries, of_rows, metric)) continue;
            const ecp_search search = {metric, pair / (25 * METRICS), ECP_PACKING_WHOLE, by[metric].threshold};
            const ecp_rows rows = ROWS(of_rows, zeros, SOME, DIM), none = ROWS(of_queries, NULL, 0, DIM);
            CHECK(ecp_scores(&search, &none, &rows, NULL, 0, NULL) == ECP_OK);
            for (size_t count = 1; count <= MOST; count += count < 18 ? 1 : 13) {
                const ecp_rows queries = ROWS(of_queries, zeros, count, DIM);
                check_need_of(&search, &queries, &rows);
            }
        }
    }
    CHECK(ecp_tier_force(in_use, strlen(in_use)) == ECP_OK);
}

static const float cue[2] = {3, 4};
static const float elements[8] = {3, 4, -4, 3, 0, 0, 6, 8};
static const ecp_rows query = F32(cue, 1, 2);
static const ecp_rows four = F32(elements, 4, 2);
static const ecp_rows no_rows = F32(NULL, 0, 2);
static const uint32_t ids[3] = {3, 1, 3};

/* Rows that are none, or that no array could hold; as queries neither. */
static const float ones[4] = {1, 1, 1, 1};
static const ecp_rows bad_rows[] = {
    F32(NULL, 4, 2), F32(elements, 4, 0), APART(ECP_TYPE_F32, elements, 4, 2, 1),
    APART(ECP_TYPE_F32, elements, 4, 2, 0), F32(elements, 1, HUGE_SIZE), F32(elements, 4, HUGE_SIZE),
    F32(elements, HUGE_SIZE + 1, 2), APART(ECP_TYPE_F32, elements, 4, 2, HUGE_SIZE),
    APART(ECP_TYPE_F32, elements, 4, 2, SIZE_MAX), F32(elements, SIZE_MAX, SIZE_MAX),
    ROWS(ECP_TYPE_BITS + 1, elements, 4, 2), ROWS(UINT32_MAX, elements, 4, 2),
    {elements, ECP_TYPE_F32, 2, 4, 2, 2, NULL, NULL, NULL, NULL},
    {elements, ECP_TYPE_F32, UINT32_MAX, 4, 2, 2, NULL, NULL, NULL, NULL},
    {elements, ECP_TYPE_F32, 0, 4, 2, 2, ones, NULL, NULL, NULL},
};
#define BAD_ROWS (sizeof bad_rows / sizeof *bad_rows)

/* Rows that are, but no queries of `four`. */
static const ecp_rows bad_queries[] = {
    F32(cue, 1, 1), F32(elements, 1, 3), ROWS(ECP_TYPE_F16, elements, 1, 2), ROWS(ECP_TYPE_BF16, elements, 1, 2),
    ROWS(ECP_TYPE_I8, elements, 1, 2), ROWS(ECP_TYPE_BITS, elements, 1, 2),
};
#define BAD_QUERIES (sizeof bad_queries / sizeof *bad_queries)

/* Copies beside rows: the same hits, and a part of the rows scored; NULLs and rows of other types are refused. */
static void check_companion(void) {
    static const int8_t copies[4 * 64] = {[0] = 95, [1] = 127, [64] = -127, [65] = 95, [192] = 95, [193] = 127};
    static const float scales[4] = {4 / 127.0f, 4 / 127.0f, 1, 8 / 127.0f};
    static const float residuals[4] = {.05f, .05f, 0, .1f}, lengths[4] = {5.1f, 5.1f, 0, 10.1f};
    const ecp_companion good = {copies, scales, residuals, lengths};
    const ecp_rows beside = {elements, ECP_TYPE_F32, 0, 4, 2, 2, NULL, NULL, NULL, &good};
    ecp_hit hits[2][2];
    ecp_top_k_result found[2];
    const ecp_search search = {ECP_METRIC_DOT, ECP_PRECISION_FAST, ECP_PACKING_IN_PLACE, -INFINITY};
    CHECK(ecp_top_k(&search, &query, &four, 2, hits[0], &found[0], NULL) == ECP_OK);
    CHECK(ecp_top_k(&search, &query, &beside, 2, hits[1], &found[1], NULL) == ECP_OK);
    CHECK(memcmp(hits[0], hits[1], sizeof hits[0]) == 0 && found[1].hit_count == 2 && found[0].rescored_rows == 0);
    CHECK(found[1].rescored_rows >= 2 && found[1].rescored_rows <= 4);
    CHECK(ecp_top_k_need(&search, &query, &beside, 2) == ecp_top_k_need(&search, &query, &four, 2) + 2 * 64 + 1024);
    const ecp_companion bad[] = {{NULL, scales, residuals, lengths}, {copies, NULL, residuals, lengths},
                                 {copies, scales, NULL, lengths}, {copies, scales, residuals, NULL}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ecp_rows rows = beside;
        rows.companion = &bad[i];
        INVALID(ecp_top_k(&search, &query, &rows, 2, hits[1], &found[1], NULL));
    }
    ecp_rows halves = beside, halved = query;
    halves.type = halved.type = ECP_TYPE_F16;
    INVALID(ecp_top_k(&search, &halved, &halves, 2, hits[1], &found[1], NULL));
}

static void check_scores(void) {
    float out[5] = {9, 9, 9, 9, 9};
    CHECK(ecp_scores(COSINE, &query, &four, out, 4, NULL) == ECP_OK);
    CHECK(fabsf(out[0] - 1) < 1e-6f && out[1] == 0 && out[2] == 0 && fabsf(out[3] - 1) < 1e-6f && out[4] == 9);
    CHECK(ecp_scores(DOT, &query, &four, out, 4, NULL) == ECP_OK);
    CHECK(out[0] == 25 && out[1] == 0 && out[2] == 0 && out[3] == 50 && out[4] == 9);
    CHECK(ecp_scores(DISTANCE, &query, &four, out, 4, NULL) == ECP_OK);
    CHECK(out[0] == 0 && out[1] == 50 && out[2] == 25 && out[3] == 25 && out[4] == 9);
    CHECK(ecp_scores(&precise, &query, &four, out, 0, NULL) == ECP_OK && out[0] == 25 && out[3] == 50);
    CHECK(ecp_scores(DOT, &query, &no_rows, NULL, 0, NULL) == ECP_OK);
    for (int i = 0; i < 5; i++) out[i] = 9;
    INVALID(ecp_scores(NULL, &query, &four, out, 4, NULL));
    for (int i = 0; i < 5; i++) INVALID(ecp_scores(&unsound[i], &query, &four, out, 4, NULL));
    INVALID(ecp_scores(DOT, NULL, &four, out, 4, NULL));
    INVALID(ecp_scores(DOT, &query, NULL, out, 4, NULL));
    for (size_t i = 0; i < BAD_ROWS; i++) INVALID(ecp_scores(DOT, &query, &bad_rows[i], out, 4, NULL));
    for (size_t i = 0; i < BAD_ROWS; i++) INVALID(ecp_scores(DOT, &bad_rows[i], &four, out, 4, NULL));
    for (size_t i = 0; i < BAD_QUERIES; i++) INVALID(ecp_scores(DOT, &bad_queries[i], &four, out, 4, NULL));
    INVALID(ecp_scores(DOT, &query, &four, NULL, 4, NULL));
    INVALID(ecp_scores(HAMMING, &query, &four, out, 4, NULL));
    INVALID(ecp_scores(JACCARD, &query, &four, out, 4, NULL));
    CHECK(out[0] == 9 && out[3] == 9);
}

/* Seven queries, so that they are turned over where scores are not precise, against rows of a larger stride. */
static void check_matrix(void) {
    const float spaced[11] = {3, 4, NAN, -4, 3, NAN, 0, 0, NAN, 6, 8};
    const ecp_rows apart = APART(ECP_TYPE_F32, spaced, 4, 2, 3);
    const float all[14] = {3, 4, 1, 0, 0, 1, 3, 4, -3, -4, 0, 0, 2, 2};
    float wide[7 * 3] = {0};
    for (int q = 0; q < 7; q++) memcpy(&wide[3 * q], &all[2 * q], 2 * sizeof *all);
    const ecp_search *searches[2] = {DOT, &precise};
    for (int s = 0; s < 2; s++) {
        for (size_t count = 0; count <= 7; count++) {
            float out[7 * 5];
            for (int i = 0; i < 35; i++) out[i] = 9;
            /* Queries may stand apart too; norms and a filter of theirs mean nothing. */
            const uint64_t none[1] = {0};
            const ecp_rows dense = F32(all, count, 2);
            const ecp_rows others = {wide, ECP_TYPE_F32, 0, count, 2, 3, NULL, ones, none, NULL};
            const ecp_rows *queries = count % 2 ? &dense : &others;
            CHECK(ecp_scores(searches[s], queries, &apart, out, 5, NULL) == ECP_OK);
            for (size_t q = 0; q < 7; q++) {
                const float *mine = &all[2 * q];
                for (size_t i = 0; i < 4 && q < count; i++) {
                    CHECK(out[5 * q + i] == mine[0] * elements[2 * i] + mine[1] * elements[2 * i + 1]);
                }
                CHECK(out[5 * q + 4] == 9 && (q < count || out[5 * q] == 9));
            }
            CHECK(ecp_scores(searches[s], queries, &no_rows, NULL, 0, NULL) == ECP_OK);
        }
    }
    float out[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    const ecp_rows two = F32(all, 2, 2), many = F32(all, HUGE_SIZE, 2), most = F32(all, SIZE_MAX, 2);
    INVALID(ecp_scores(DOT, &two, &four, out, 3, NULL));
    INVALID(ecp_scores(DOT, &two, &four, out, 0, NULL));
    INVALID(ecp_scores(DOT, &two, &four, out, HUGE_SIZE, NULL));
    INVALID(ecp_scores(DOT, &many, &four, out, 4, NULL));
    INVALID(ecp_scores(DOT, &most, &four, out, 4, NULL));
    INVALID(ecp_scores(DOT, NULL, &four, out, 4, NULL));
    INVALID(ecp_scores(DOT, &two, &four, NULL, 4, NULL));
    for (size_t i = 0; i < BAD_ROWS; i++) INVALID(ecp_scores(DOT, &two, &bad_rows[i], out, 4, NULL));
    CHECK(out[0] == 9 && out[7] == 9);
}

static void check_filter_and_norms(void) {
    float norms[5] = {9, 9, 9, 9, 9}, plain[8], out[8];
    CHECK(ecp_norms(&four, norms) == ECP_OK);
    CHECK(norms[0] == 5 && norms[1] == 5 && norms[2] == 0 && norms[3] == 10 && norms[4] == 9);
    CHECK(ecp_norms(&no_rows, NULL) == ECP_OK);
    INVALID(ecp_norms(NULL, norms));
    INVALID(ecp_norms(&four, NULL));
    for (size_t i = 0; i < BAD_ROWS; i++) INVALID(ecp_norms(&bad_rows[i], norms));
    CHECK(norms[0] == 5 && norms[4] == 9);
    /* Bits behind the last row mean nothing. */
    const uint64_t words[1] = {~(uint64_t)2};
    const ecp_rows prepared = {elements, ECP_TYPE_F32, 0, 4, 2, 2, NULL, norms, NULL, NULL};
    const ecp_rows some = {elements, ECP_TYPE_F32, 0, 4, 2, 2, NULL, norms, words, NULL};
    CHECK(ecp_scores(COSINE, &query, &four, plain, 4, NULL) == ECP_OK);
    CHECK(ecp_scores(COSINE, &query, &prepared, out, 4, NULL) == ECP_OK);
    CHECK(memcmp(out, plain, 4 * sizeof *out) == 0);
    CHECK(ecp_scores(COSINE, &query, &some, out, 4, NULL) == ECP_OK);
    CHECK(out[0] == plain[0] && isnan(out[1]) && out[2] == 0 && out[3] == plain[3]);
    const float both[4] = {3, 4, 3, 4};
    const ecp_rows queries = F32(both, 2, 2);
    CHECK(ecp_scores(COSINE, &queries, &some, out, 4, NULL) == ECP_OK);
    CHECK(out[4] == plain[0] && isnan(out[5]) && out[6] == 0 && out[7] == plain[3]);
    CHECK(ecp_gather(COSINE, &query, &some, ids, 3, out, NULL) == ECP_OK);
    CHECK(out[0] == plain[3] && isnan(out[1]) && out[2] == plain[3]);
    ecp_hit hits[8];
    ecp_top_k_result results[2];
    CHECK(ecp_top_k(DOT, &queries, &some, SIZE_MAX, hits, results, NULL) == ECP_OK);
    CHECK(results[1].hit_count == 3 && results[1].nan_rows == 0);
    CHECK(hits[4].row == 3 && hits[5].row == 0 && hits[6].row == 2);
}

static void check_gather(void) {
    float out[4] = {9, 9, 9, 9};
    const ecp_search *packings[3] = {DOT, &whole, &tiled};
    for (int p = 0; p < 3; p++) {
        for (int i = 0; i < 3; i++) out[i] = 9;
        CHECK(ecp_gather(packings[p], &query, &four, ids, 3, out, NULL) == ECP_OK);
        CHECK(out[0] == 50 && out[1] == 0 && out[2] == 50 && out[3] == 9);
        CHECK(ecp_gather(packings[p], &query, &four, NULL, 0, NULL, NULL) == ECP_OK);
    }
    for (int i = 0; i < 3; i++) out[i] = 9;
    INVALID(ecp_gather(NULL, &query, &four, ids, 3, out, NULL));
    for (int i = 0; i < 5; i++) INVALID(ecp_gather(&unsound[i], &query, &four, ids, 3, out, NULL));
    INVALID(ecp_gather(DOT, NULL, &four, ids, 3, out, NULL));
    INVALID(ecp_gather(DOT, &query, NULL, ids, 3, out, NULL));
    for (size_t i = 0; i < BAD_ROWS; i++) INVALID(ecp_gather(&whole, &query, &bad_rows[i], ids, 3, out, NULL));
    const ecp_rows none = F32(cue, 0, 2), two = F32(elements, 2, 2);
    INVALID(ecp_gather(DOT, &none, &four, ids, 3, out, NULL));
    INVALID(ecp_gather(DOT, &two, &four, ids, 3, out, NULL));
    for (size_t i = 0; i < BAD_ROWS; i++) INVALID(ecp_gather(DOT, &bad_rows[i], &four, ids, 3, out, NULL));
    for (size_t i = 0; i < BAD_QUERIES; i++) INVALID(ecp_gather(DOT, &bad_queries[i], &four, ids, 3, out, NULL));
    INVALID(ecp_gather(HAMMING, &query, &four, ids, 3, out, NULL));
    INVALID(ecp_gather(DOT, &query, &four, NULL, 3, out, NULL));
    INVALID(ecp_gather(DOT, &query, &four, ids, 3, NULL, NULL));
    ecp_scratch told = {0};
    CHECK(ecp_gather(&whole, &query, &four, ids, SIZE_MAX / 4, out, &told) == ECP_OUT_OF_MEMORY);
    CHECK(told.need == SIZE_MAX && told.capacity == CAPACITY);
    CHECK(out[0] == 9 && out[2] == 9);
}

static void check_top_k(void) {
    ecp_hit hits[4];
    ecp_top_k_result result = {77, 77, 77};
    memset(hits, 0xFF, sizeof hits);
    CHECK(ecp_top_k(DOT, &query, &four, 3, hits, &result, NULL) == ECP_OK);
    CHECK(result.hit_count == 3 && result.nan_rows == 0);
    CHECK(hits[0].row == 3 && hits[0].score == 50 && hits[0].reserved == 0);
    CHECK(hits[1].row == 0 && hits[1].score == 25 && hits[2].row == 1 && hits[3].row == UINT64_MAX);
    CHECK(ecp_top_k(DISTANCE, &query, &four, SIZE_MAX, hits, &result, NULL) == ECP_OK);
    CHECK(result.hit_count == 4 && hits[0].row == 0 && hits[1].row == 2 && hits[2].row == 3 && hits[3].row == 1);
    ecp_search near = by[ECP_METRIC_DOT];
    near.threshold = 25;
    CHECK(ecp_top_k(&near, &query, &four, 4, hits, &result, NULL) == ECP_OK);
    CHECK(result.hit_count == 2 && hits[0].row == 3 && hits[1].row == 0);
    const float nan_and_one[2] = {NAN, 1};
    const ecp_rows bad = F32(nan_and_one, 1, 2);
    CHECK(ecp_top_k(COSINE, &bad, &four, 4, hits, &result, NULL) == ECP_OK);
    CHECK(result.hit_count == 0 && result.nan_rows == 4);
    CHECK(ecp_top_k(DOT, &query, &four, 0, NULL, &result, NULL) == ECP_OK && result.hit_count == 0);
    CHECK(ecp_top_k(DOT, &query, &no_rows, 5, NULL, &result, NULL) == ECP_OK && result.hit_count == 0);
    result.hit_count = result.nan_rows = 77;
    hits[0].row = 77;
    INVALID(ecp_top_k(NULL, &query, &four, 3, hits, &result, NULL));
    for (int i = 0; i < 5; i++) INVALID(ecp_top_k(&unsound[i], &query, &four, 3, hits, &result, NULL));
    INVALID(ecp_top_k(DOT, NULL, &four, 3, hits, &result, NULL));
    const ecp_rows none = F32(cue, 0, 2), many = F32(cue, HUGE_SIZE, 2), most = F32(cue, SIZE_MAX / 16, 2);
    INVALID(ecp_top_k(DOT, &none, &four, 3, hits, &result, NULL));
    INVALID(ecp_top_k(DOT, &many, &four, 3, hits, &result, NULL));
    INVALID(ecp_top_k(DOT, &most, &four, 3, hits, &result, NULL));
    for (size_t i = 0; i < BAD_ROWS; i++) INVALID(ecp_top_k(DOT, &bad_rows[i], &four, 3, hits, &result, NULL));
    for (size_t i = 0; i < BAD_QUERIES; i++) INVALID(ecp_top_k(DOT, &bad_queries[i], &four, 3, hits, &result, NULL));
    INVALID(ecp_top_k(JACCARD, &query, &four, 3, hits, &result, NULL));
    INVALID(ecp_top_k(DOT, &query, NULL, 3, hits, &result, NULL));
    for (size_t i = 0; i < BAD_ROWS; i++) INVALID(ecp_top_k(DOT, &query, &bad_rows[i], 3, hits, &result, NULL));
    INVALID(ecp_top_k(DOT, &query, &four, 3, NULL, &result, NULL));
    INVALID(ecp_top_k(DOT, &query, &four, 3, hits, NULL, NULL));
    CHECK(result.hit_count == 77 && result.nan_rows == 77 && hits[0].row == 77);
}

/* The numbers of `cue` and `elements` in every type of them; those of bits are bits. */
static const uint16_t f16_cue[2] = {0x4200, 0x4400};
static const uint16_t f16_elements[8] = {0x4200, 0x4400, 0xC400, 0x4200, 0, 0, 0x4600, 0x4800};
static const uint16_t bf16_cue[2] = {0x4040, 0x4080};
static const uint16_t bf16_elements[8] = {0x4040, 0x4080, 0xC080, 0x4040, 0, 0, 0x40C0, 0x4100};
static const int8_t i8_cue[2] = {3, 4};
static const int8_t i8_elements[8] = {3, 4, -4, 3, 0, 0, 6, 8};
static const uint8_t bit_cue[2] = {0x0B, 0x80};
static const uint8_t bit_elements[8] = {0x0B, 0x80, 0x0B, 0x00, 0, 0, 0xFF, 0xFF};
static const void *const cues[5] = {cue, f16_cue, bf16_cue, i8_cue, bit_cue};
static const void *const elements_of[5] = {elements, f16_elements, bf16_elements, i8_elements, bit_elements};

/* Every type of query and row with every metric: what meets is scored by every call, what does not is refused. */
static void check_types(void) {
    static const float expected[METRICS][4] = {
        {1, 0, 0, 1}, {25, 0, 0, 50}, {0, 50, 25, 25}, {0, 1, 4, 12}, {1, 0.75f, 0, 0.25f},
    };
    for (uint32_t pair = 0; pair < 36 * (METRICS + 1); pair++) {
        const uint32_t of_queries = pair % 6, of_rows = pair / 6 % 6, metric = pair / 36;
        const ecp_search search = {metric, ECP_PRECISION_FAST, ECP_PACKING_TILED, 0};
        const ecp_rows one = ROWS(of_queries, cues[of_queries % 5], 1, 2);
        const ecp_rows rows = ROWS(of_rows, elements_of[of_rows % 5], 4, 2);
        const int meet = meets(of_queries, of_rows, metric);
        const ecp_status status = meet ? ECP_OK : ECP_INVALID_ARGUMENT;
        float out[4] = {9, 9, 9, 9}, gathered[3] = {9, 9, 9};
        ecp_hit hits[4] = {{77, 9, 9}};
        ecp_top_k_result result = {77, 77, 77};
        CHECK(ecp_scores(&search, &one, &rows, out, 4, NULL) == status);
        CHECK(ecp_gather(&search, &one, &rows, ids, 3, gathered, NULL) == status);
        CHECK(ecp_top_k(&search, &one, &rows, 1, hits, &result, NULL) == status);
        CHECK((ecp_scores_need(&search, &one, &rows) == 0) || meet);
        CHECK((ecp_gather_need(&search, &one, &rows, 3) == 0) || meet);
        CHECK((ecp_top_k_need(&search, &one, &rows, 1) > 0) == meet);
        for (int i = 0; i < 4; i++) CHECK(meet ? fabsf(out[i] - expected[metric][i]) < 1e-6f : out[i] == 9);
        for (int i = 0; i < 3; i++) CHECK(meet ? gathered[i] == out[ids[i]] : gathered[i] == 9);
        CHECK(meet ? result.nan_rows == 0 : result.hit_count == 77 && hits[0].row == 77);
        CHECK(!meet || (result.hit_count == 1 && hits[0].row == (metric <= ECP_METRIC_DOT && out[3] > out[0] ? 3 : 0)));
    }
    for (uint32_t type = 0; type < 5; type++) {
        float norms[4] = {9, 9, 9, 9};
        ecp_rows rows = ROWS(type, elements_of[type], 4, 2);
        CHECK(ecp_norms(&rows, norms) == (type == ECP_TYPE_BITS ? ECP_INVALID_ARGUMENT : ECP_OK));
        if (type == ECP_TYPE_BITS) CHECK(norms[0] == 9 && norms[3] == 9);
        else CHECK(norms[0] == 5 && norms[1] == 5 && norms[2] == 0 && norms[3] == 10);
    }
}

/* Rows stand for their scales times their elements, in queries too; cosines and norms are those of the elements. */
static void check_scales(void) {
    static const float scales[4] = {0.5f, 2, 1, 0.25f}, twice[1] = {2};
    const ecp_rows rows = {i8_elements, ECP_TYPE_I8, 0, 4, 2, 2, scales, NULL, NULL, NULL};
    const ecp_rows scaled = {i8_cue, ECP_TYPE_I8, 0, 1, 2, 2, twice, NULL, NULL, NULL};
    const ecp_rows plain = ROWS(ECP_TYPE_I8, i8_cue, 1, 2);
    float out[4], norms[4];
    CHECK(ecp_scores(DOT, &query, &rows, out, 4, NULL) == ECP_OK && out[0] == 12.5f && out[3] == 12.5f);
    CHECK(ecp_scores(DOT, &plain, &rows, out, 4, NULL) == ECP_OK && out[0] == 12.5f && out[3] == 12.5f);
    CHECK(ecp_scores(DOT, &scaled, &rows, out, 4, NULL) == ECP_OK && out[0] == 25 && out[3] == 25);
    CHECK(ecp_scores(DISTANCE, &query, &rows, out, 4, NULL) == ECP_OK && out[1] == 125 && out[2] == 25);
    CHECK(ecp_scores(DISTANCE, &scaled, &rows, out, 4, NULL) == ECP_OK && out[1] == 200 && out[2] == 100);
    CHECK(ecp_scores(COSINE, &scaled, &rows, out, 4, NULL) == ECP_OK && out[1] == 0 && out[2] == 0);
    CHECK(fabsf(out[0] - 1) < 1e-6f && fabsf(out[3] - 1) < 1e-6f);
    CHECK(ecp_norms(&rows, norms) == ECP_OK && norms[0] == 5 && norms[2] == 0 && norms[3] == 10);
    CHECK(ecp_gather(DOT, &scaled, &rows, ids, 3, out, NULL) == ECP_OK && out[0] == 25 && out[1] == 0 && out[2] == 25);
    for (uint32_t type = 0; type < 5; type++) {
        if (type == ECP_TYPE_I8) continue;
        ecp_rows odd = ROWS(type, elements_of[type], 4, 2), one = ROWS(type, cues[type], 1, 2);
        const ecp_search *search = type == ECP_TYPE_BITS ? HAMMING : DOT;
        CHECK(ecp_scores(search, &one, &odd, out, 4, NULL) == ECP_OK);
        odd.scales = scales;
        INVALID(ecp_scores(search, &one, &odd, out, 4, NULL));
        INVALID(ecp_norms(&odd, norms));
        odd.scales = NULL;
        one.scales = twice;
        INVALID(ecp_scores(search, &one, &odd, out, 4, NULL));
        INVALID(ecp_gather(search, &one, &odd, ids, 3, out, NULL));
    }
}

/* Two queries are refused with their own need, and write nothing; in a block that is lent they run. */
static void check_loans_of_queries(void) {
    const float both[4] = {3, 4, 0, 1};
    const ecp_rows queries = F32(both, 2, 2);
    float out[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    ecp_hit hits[2] = {{9, 9, 9}, {9, 9, 9}};
    ecp_top_k_result results[2] = {{77, 77, 77}, {77, 77, 77}};
    size_t mark;
    void *held = NULL;
    char *lent = malloc(CAPACITY);
    ecp_scratch told[2] = {{0}, {0}};
    CHECK(lent != NULL && ecp_arena_mark(&mark, NULL) == ECP_OK && ecp_arena_alloc(CAPACITY, &held, NULL) == ECP_OK);
    CHECK(ecp_scores(DOT, &queries, &four, out, 4, &told[0]) == ECP_OUT_OF_MEMORY);
    CHECK(ecp_top_k(DOT, &queries, &four, 1, hits, results, &told[1]) == ECP_OUT_OF_MEMORY);
    CHECK(told[0].need == scores_need(DOT, 2, 2) && told[0].needed == CAPACITY + told[0].need);
    CHECK(told[1].need == top_k_need(DOT, 2, 2, 4, 1) && told[1].capacity == CAPACITY);
    CHECK(out[0] == 9 && out[7] == 9 && hits[0].row == 9 && results[0].hit_count == 77 && results[1].nan_rows == 77);
    for (int i = 0; i < 2; i++) told[i] = (ecp_scratch){lent, CAPACITY, 0, 7, 7, 7};
    CHECK(ecp_scores(DOT, &queries, &four, out, 4, &told[0]) == ECP_OK && out[3] == 50 && out[7] == 8);
    CHECK(ecp_top_k(DOT, &queries, &four, 1, hits, results, &told[1]) == ECP_OK);
    CHECK(results[0].hit_count == 1 && results[1].hit_count == 1 && hits[0].row == 3 && hits[1].row == 3);
    CHECK(ecp_arena_rewind(mark) == ECP_OK);
    free(lent);
}

/* 0 -> 1 (3), 0 -> 2 (1), 2 -> 0 (0.5) */
static const uint32_t offsets[4] = {0, 2, 2, 3};
static const uint32_t targets[3] = {1, 2, 0};
static const float weights[3] = {3, 1, 0.5f};
static const float out_strengths[3] = {4, 0, 0.5f};
static const ecp_graph graph = {offsets, targets, weights, out_strengths, NULL, 3};
static const ecp_seed seeds[2] = {{0, 6}, {0, 2}};
static const ecp_spread_options good = {
    .hops = 2,
    .fire = ECP_FIRE_ONCE,
    .weighting = ECP_WEIGHTING_BY_OUT_STRENGTH,
    .aggregate = ECP_AGGREGATE_SUM,
    .fan_out_most = UINT32_MAX,
    .retain = 1,
    .transmission = 1,
    .edges_most = UINT64_MAX,
};

static void check_spread(void) {
    uint32_t reached[3] = {9, 9, 9};
    float found[3] = {9, 9, 9};
    ecp_spread_result result;
    ecp_spread_options options = good;
    options.threshold = 0.01f;
    options.transmission = 0.5f;
    CHECK(ecp_spread(&graph, seeds, 2, &options, NULL, NULL, reached, found, &result, NULL) == ECP_OK);
    CHECK(reached[0] == 0 && reached[1] == 1 && reached[2] == 2);
    CHECK(found[0] == 8.5f && found[1] == 3 && found[2] == 1);
    CHECK(result.reached_count == 3 && result.edges == 3 && result.fired == 3 && result.stopped == ECP_STOPPED_NO);
    options.weighting = ECP_WEIGHTING_AS_GIVEN;
    options.fire = ECP_FIRE_EVERY_HOP;
    ecp_graph plain = graph;
    plain.out_strengths = NULL;
    CHECK(ecp_spread(&plain, seeds, 1, &options, NULL, NULL, reached, found, &result, NULL) == ECP_OK);
    CHECK(result.reached_count == 3 && found[0] == 6.75f && found[1] == 18 && found[2] == 6);
    options.hops = 0;
    CHECK(ecp_spread(&plain, seeds, 2, &options, NULL, NULL, reached, found, &result, NULL) == ECP_OK);
    CHECK(result.reached_count == 1 && reached[0] == 0 && found[0] == 8);
    CHECK(ecp_spread(&plain, NULL, 0, &options, NULL, NULL, reached, found, &result, NULL) == ECP_OK);
    CHECK(result.reached_count == 0);
    const uint32_t no_edges[2] = {0, 0};
    const ecp_graph lone = {no_edges, NULL, NULL, NULL, NULL, 1};
    options.hops = ECP_HOPS_MAX;
    CHECK(ecp_spread(&lone, seeds, 1, &options, NULL, NULL, reached, found, &result, NULL) == ECP_OK);
    CHECK(result.reached_count == 1 && found[0] == 6);
    CHECK(ecp_spread_need(&graph, seeds, 2, &good) == 2 * rounded(12) + rounded(4));
    CHECK(ecp_spread_need(NULL, seeds, 2, &good) == 0 && ecp_spread_need(&graph, seeds, 2, NULL) == 0);
    CHECK(ecp_spread_most(&graph, seeds, 2, &good) == 3 && ecp_spread_most(&graph, seeds, 0, &options) == 0);
    CHECK(ecp_spread_most(NULL, seeds, 2, &good) == 0 && ecp_spread_most(&graph, seeds, 2, NULL) == 0);
    options.edges_most = 0;
    CHECK(ecp_spread_most(&graph, seeds, 1, &options) == 1);
}

static void check_spread_options(void) {
    uint32_t reached[3], fired[1] = {0};
    float found[3];
    const uint8_t kinds[3] = {0, 9, 0};
    float factors[256] = {0};
    factors[9] = 2;
    ecp_graph typed = graph;
    typed.relations = kinds;
    ecp_spread_result result;
    ecp_spread_options options = good;
    options.relation_factors = factors;
    CHECK(ecp_spread(&typed, seeds, 2, &options, fired, NULL, reached, found, &result, NULL) == ECP_OK);
    CHECK(result.reached_count == 2 && reached[1] == 2 && found[1] == 4 && fired[0] == 3);
    options = good;
    options.fire = ECP_FIRE_BEST_FIRST;
    options.budget = 1;
    CHECK(ecp_spread(&graph, seeds, 2, &options, NULL, NULL, reached, found, &result, NULL) == ECP_OK);
    CHECK(result.stopped == ECP_STOPPED_BUDGET && result.fired == 1 && found[1] == 6 && found[2] == 2);
    uint16_t distances[3] = {0};
    const ecp_seed eight = {0, 8};
    fired[0] = 0, options.budget = UINT32_MAX, options.pause_after = 2;
    CHECK(ecp_spread(&graph, &eight, 1, &options, fired, distances, reached, found, &result, NULL) == ECP_OK);
    CHECK(result.stopped == ECP_STOPPED_PAUSED && result.fired == 1 && fired[0] == 1);
    CHECK(distances[0] == 0 && distances[1] == 1 && distances[2] == 1);
    const ecp_seed rest[3] = {{0, found[0]}, {1, found[1]}, {2, found[2]}};
    CHECK(ecp_spread(&graph, rest, 3, &options, fired, distances, reached, found, &result, NULL) == ECP_OK);
    CHECK(result.stopped == ECP_STOPPED_NO && result.fired == 2 && fired[0] == 7 && found[0] == 10);
    INVALID(ecp_spread(&graph, rest, 3, &options, fired, NULL, reached, found, &result, NULL));
    INVALID(ecp_spread(&graph, rest, 3, &options, NULL, distances, reached, found, &result, NULL));
    options.fire = ECP_FIRE_ONCE;
    INVALID(ecp_spread(&graph, rest, 3, &options, fired, distances, reached, found, &result, NULL));
    options = good;
    options.edges_most = 1;
    CHECK(ecp_spread(&graph, seeds, 2, &options, NULL, NULL, reached, found, &result, NULL) == ECP_OK);
    CHECK(result.stopped == ECP_STOPPED_WORK && result.edges == 0 && result.reached_count == 1 && found[0] == 8);
}

static void check_fan_activation(void) {
    uint32_t reached[3] = {9, 9, 9};
    float found[3] = {9, 9, 9};
    size_t count = 77;
    CHECK(ecp_fan_activation(&graph, seeds, 2, 2, reached, found, &count, NULL) == ECP_OK && count == 2);
    CHECK(reached[0] == 1 && reached[1] == 2 && fabsf(found[0] - 8 * (2 - logf(3))) < 1e-5f && found[1] == found[0]);
    CHECK(ecp_fan_activation_need(&graph, seeds, 2) == 3 * rounded(12) && ecp_fan_activation_need(NULL, seeds, 2) == 0);
    CHECK(ecp_fan_activation_most(&graph, seeds, 1) == 2 && ecp_fan_activation_most(&graph, seeds, 2) == 3);
    CHECK(ecp_fan_activation_most(NULL, seeds, 2) == 0);
    count = 77;
    INVALID(ecp_fan_activation(NULL, seeds, 2, 2, reached, found, &count, NULL));
    INVALID(ecp_fan_activation(&graph, NULL, 2, 2, reached, found, &count, NULL));
    INVALID(ecp_fan_activation(&graph, seeds, 2, -1, reached, found, &count, NULL));
    INVALID(ecp_fan_activation(&graph, seeds, 2, NAN, reached, found, &count, NULL));
    INVALID(ecp_fan_activation(&graph, seeds, 2, 2, NULL, found, &count, NULL));
    INVALID(ecp_fan_activation(&graph, seeds, 2, 2, reached, NULL, &count, NULL));
    INVALID(ecp_fan_activation(&graph, seeds, 2, 2, reached, found, NULL, NULL));
    CHECK(count == 77);
}

/* One node's push at a time, and what is refused of how far it has come. */
static void check_push_in_parts(const ecp_push_options *options) {
    uint32_t reached[2][3], waiting[3];
    float p[2][3], r[2][3];
    double estimates[3], residuals[3];
    ecp_push_result whole, result;
    ecp_push_options part = *options;
    part.pause_after = 1;
    CHECK(ecp_push(&graph, seeds, 2, options, NULL, reached[0], p[0], r[0], &whole, NULL) == ECP_OK);
    ecp_push_past past = {estimates, residuals, waiting, 0, 0, 0, 0, 0};
    int parts = 0;
    do {
        CHECK(ecp_push(&graph, seeds, 2, &part, &past, reached[1], p[1], r[1], &result, NULL) == ECP_OK);
        CHECK(past.reached_count == result.reached_count && past.edges == result.edges);
        parts++;
    } while (result.stopped == ECP_STOPPED_PAUSED);
    CHECK(parts > 5 && past.waiting_count == 0 && past.evenly == 0 && past.leading <= past.edges);
    CHECK(result.edges == whole.edges && result.residual == whole.residual && result.stopped == ECP_STOPPED_NO);
    for (int i = 0; i < 3; i++) CHECK(reached[0][i] == reached[1][i] && p[0][i] == p[1][i] && r[0][i] == r[1][i]);
    ecp_push_past bad[5] = {past, past, past, past, past};
    bad[0].estimates = NULL, bad[1].residuals = NULL, bad[2].waiting = NULL, bad[3].reached_count = 4;
    bad[4].waiting_count = 4;
    for (int i = 0; i < 5; i++)
        INVALID(ecp_push(&graph, seeds, 2, &part, &bad[i], reached[1], p[1], r[1], &result, NULL));
}

static void check_push(void) {
    uint32_t reached[3] = {9, 9, 9};
    float p[3], r[3];
    ecp_push_result result = {77, 77, 77, 77, 77, 77};
    const ecp_push_options options = {0.5, 1e-6, UINT64_MAX, 0, ECP_DANGLING_TO_SEEDS, 0};
    CHECK(ecp_push(&graph, seeds, 2, &options, NULL, reached, p, r, &result, NULL) == ECP_OK && result.reached_count == 3);
    double sum = result.residual + result.evenly;
    for (int i = 0; i < 3; i++) sum += p[i];
    CHECK(fabs(sum - 1) < 1e-5 && result.residual < 1e-5 && result.stopped == ECP_STOPPED_NO && reached[0] == 0);
    CHECK(ecp_push_need(&graph, seeds, 2, &options) == 2 * rounded(12) + rounded(48) + rounded(24));
    CHECK(ecp_push_most(&graph, seeds, 2, &options) == 3 && ecp_push_most(&graph, seeds, 2, NULL) == 0);
    CHECK(ecp_push_most(&graph, seeds, 1, &(ecp_push_options){0.5, 1e-6, 1, 0, 0, 0}) == 2);
    ecp_push_options bad[7] = {options, options, options, options, options, options, options};
    bad[0].alpha = 1e-4, bad[1].alpha = 1.5, bad[2].alpha = NAN, bad[3].epsilon = 1e-13, bad[4].epsilon = NAN;
    bad[5].dangling = 2, bad[6].reserved = 1;
    result.reached_count = 77;
    for (int i = 0; i < 7; i++) INVALID(ecp_push(&graph, seeds, 2, &bad[i], NULL, reached, p, r, &result, NULL));
    const ecp_seed nothing = {0, 0};
    ecp_graph without = graph;
    without.out_strengths = NULL;
    INVALID(ecp_push(NULL, seeds, 2, &options, NULL, reached, p, r, &result, NULL));
    INVALID(ecp_push(&without, seeds, 2, &options, NULL, reached, p, r, &result, NULL));
    INVALID(ecp_push(&graph, seeds, 2, NULL, NULL, reached, p, r, &result, NULL));
    INVALID(ecp_push(&graph, seeds, 2, &options, NULL, NULL, p, r, &result, NULL));
    INVALID(ecp_push(&graph, seeds, 2, &options, NULL, reached, NULL, r, &result, NULL));
    INVALID(ecp_push(&graph, seeds, 2, &options, NULL, reached, p, NULL, &result, NULL));
    INVALID(ecp_push(&graph, seeds, 2, &options, NULL, reached, p, r, NULL, NULL));
    CHECK(result.reached_count == 77);
    for (int i = 0; i < 7; i++) CHECK(ecp_push_need(&graph, seeds, 2, &bad[i]) == 0);
    CHECK(ecp_push_need(NULL, seeds, 2, &options) == 0 && ecp_push_need(&without, seeds, 2, &options) == 0);
    CHECK(ecp_push_need(&graph, seeds, 2, NULL) == 0);
    CHECK(ecp_push(&graph, &nothing, 1, &options, NULL, reached, p, r, &result, NULL) == ECP_OK);
    CHECK(result.reached_count == 0 && result.residual == 0 && result.edges == 0);
    CHECK(ecp_push(&graph, seeds, 0, &options, NULL, reached, p, r, &result, NULL) == ECP_OK);
    check_push_in_parts(&options);
}

static void check_sweeps(void) {
    /* The same graph by targets. */
    const uint32_t in_offsets[4] = {0, 1, 2, 3}, sources[3] = {2, 0, 0};
    const float shares[3] = {0.5f, 3, 1}, x[3] = {2, 0, 4}, evenly[1] = {0.25f};
    const ecp_incoming incoming = {in_offsets, sources, shares, 3};
    float sums[3] = {9, 9, 9}, ranks[3] = {1, 1, 1};
    double totals[3];
    CHECK(ecp_pull(&incoming, 0, 3, 1, 0.5f, evenly, x, sums) == ECP_OK);
    CHECK(sums[0] == 1.25f && sums[1] == 3.25f && sums[2] == 1.25f);
    CHECK(ecp_settle(3, 1, out_strengths, 1, 2, sums, ranks, totals) == ECP_OK);
    CHECK(ranks[0] == 3.5f && ranks[1] == 7.5f && ranks[2] == 3.5f);
    CHECK(totals[0] == 11.5 && totals[1] == 3.25 && totals[2] == 3.25);
    INVALID(ecp_pull(NULL, 0, 3, 1, 1, evenly, x, sums));
    INVALID(ecp_pull(&incoming, 2, 1, 1, 1, evenly, x, sums));
    INVALID(ecp_pull(&incoming, 0, 4, 1, 1, evenly, x, sums));
    INVALID(ecp_pull(&incoming, 0, 3, 2, 1, evenly, x, sums));
    INVALID(ecp_pull(&incoming, 0, 3, 1, 1, NULL, x, sums));
    INVALID(ecp_pull(&incoming, 0, 3, 1, 1, evenly, NULL, sums));
    INVALID(ecp_pull(&incoming, 0, 3, 1, 1, evenly, x, NULL));
    INVALID(ecp_settle(3, 3, out_strengths, 1, 1, sums, ranks, totals));
    INVALID(ecp_settle(3, 1, NULL, 1, 1, sums, ranks, totals));
    INVALID(ecp_settle(3, 1, out_strengths, 1, 1, NULL, ranks, totals));
    INVALID(ecp_settle(3, 1, out_strengths, 1, 1, sums, NULL, totals));
    INVALID(ecp_settle(3, 1, out_strengths, 1, 1, sums, ranks, NULL));
    CHECK(sums[0] == 1.25f && ranks[0] == 3.5f);
}

/* What the call answers, having seen that a refusal wrote nothing. */
static ecp_status spread_with(const ecp_graph *over, const ecp_seed *from, size_t from_count,
                              const ecp_spread_options *options) {
    uint32_t reached[3] = {9, 9, 9};
    float found[3] = {9, 9, 9};
    ecp_spread_result result = {77, 77, 77, 77, 77};
    ecp_status status = ecp_spread(over, from, from_count, options, NULL, NULL, reached, found, &result, NULL);
    if (status != ECP_OK) CHECK(reached[0] == 9 && found[0] == 9 && result.reached_count == 77 && result.edges == 77);
    CHECK((ecp_spread_need(over, from, from_count, options) == 0) == (status != ECP_OK));
    return status;
}

static void check_spread_refusals(void) {
    uint32_t reached[3];
    float found[3];
    ecp_spread_result result;
    CHECK(spread_with(&graph, seeds, 2, &good) == ECP_OK);
    INVALID(spread_with(NULL, seeds, 2, &good));
    INVALID(spread_with(&graph, NULL, 2, &good));
    INVALID(spread_with(&graph, seeds, 2, NULL));
    INVALID(ecp_spread(&graph, seeds, 2, &good, NULL, NULL, NULL, found, &result, NULL));
    INVALID(ecp_spread(&graph, seeds, 2, &good, NULL, NULL, reached, NULL, &result, NULL));
    INVALID(ecp_spread(&graph, seeds, 2, &good, NULL, NULL, reached, found, NULL, NULL));
    const uint32_t late[4] = {1, 2, 2, 3};
    const ecp_graph bad[] = {
        {NULL, targets, weights, out_strengths, NULL, 3},    {offsets, NULL, weights, out_strengths, NULL, 3},
        {offsets, targets, NULL, out_strengths, NULL, 3},    {offsets, targets, weights, NULL, NULL, 3},
        {offsets, targets, weights, out_strengths, NULL, 0}, {late, targets, weights, out_strengths, NULL, 3},
        {offsets, targets, weights, out_strengths, NULL, (size_t)1 << 32},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) INVALID(spread_with(&bad[i], seeds, 2, &good));
    const ecp_seed past = {3, 1};
    INVALID(spread_with(&graph, &past, 1, &good));
    const float numbers[3] = {-1, NAN, INFINITY};
    for (int i = 0; i < 3; i++) {
        const ecp_seed seed = {0, numbers[i]};
        INVALID(spread_with(&graph, &seed, 1, &good));
        float factors[256] = {0};
        factors[255] = numbers[i];
        ecp_spread_options options[8] = {good, good, good, good, good, good, good, good};
        options[0].threshold = options[1].retain = options[2].transmission = numbers[i];
        options[3].fan_strength = options[4].inhibition = options[5].steepness = options[6].midpoint = numbers[i];
        options[7].relation_factors = factors;
        for (int o = 0; o < 8; o++) INVALID(spread_with(&graph, seeds, 2, &options[o]));
    }
    ecp_spread_options options[6] = {good, good, good, good, good, good};
    options[0].hops = ECP_HOPS_MAX + 1;
    options[1].hops = UINT32_MAX;
    options[2].fire = 3;
    options[3].weighting = 3;
    options[4].aggregate = 2;
    options[5].competitors = ECP_COMPETITORS_MAX + 1;
    for (int o = 0; o < 6; o++) INVALID(spread_with(&graph, seeds, 2, &options[o]));
}

static const float half_life = 10, exponent = 2;
static const ecp_law halving = {ECP_LAW_EXPONENTIAL, 0, &half_life, NULL, 1};
static const float seconds[3] = {10, -1, NAN};
static const ecp_ages in_seconds = {seconds, NULL, 0, NULL};

static void check_decay(void) {
    float strengths[4] = {8, 8, 8, 8};
    ecp_decay_report report = {77, 77};
    CHECK(ecp_decay(&halving, &in_seconds, strengths, strengths, 3, NULL, &report) == ECP_OK);
    CHECK(strengths[0] == 4 && strengths[1] == 8 && isnan(strengths[2]) && strengths[3] == 8);
    CHECK(report.negative_ages == 1 && report.nan_ages == 1);
    const ecp_law power = {ECP_LAW_POWER, 0.5f, &half_life, &exponent, 1};
    const int64_t times[3] = {-10000, INT64_MIN, INT64_MAX};
    const ecp_ages stamps = {NULL, times, 0, NULL};
    strengths[2] = 8;
    strengths[0] = 8;
    CHECK(ecp_decay(&power, &stamps, strengths, strengths, 3, NULL, &report) == ECP_OK);
    CHECK(strengths[0] == 2 && strengths[1] == 0.5f && strengths[2] == 8);
    CHECK(report.negative_ages == 1 && report.nan_ages == 0);
    const float each[2] = {10, 5};
    const ecp_law of_each = {ECP_LAW_EXPONENTIAL, 0, each, NULL, 2};
    const float ages[2] = {10, 10};
    const ecp_ages old = {ages, NULL, 0, NULL};
    strengths[0] = strengths[1] = 8;
    CHECK(ecp_decay(&of_each, &old, strengths, strengths, 2, NULL, &report) == ECP_OK && strengths[0] == 4 && strengths[1] == 2);
    const ecp_ages none = {NULL, NULL, 0, NULL};
    CHECK(ecp_decay(&halving, &none, NULL, NULL, 0, NULL, &report) == ECP_OK);
    const float later = 10;
    const ecp_ages all = {NULL, NULL, 0, &later};
    const float read[3] = {8, 1, 2};
    uint32_t ids[3] = {77, 77, 77};
    ecp_selection faint = {1.0f, 0, 5, ids, 77};
    CHECK(ecp_decay(&halving, &all, read, strengths, 3, &faint, &report) == ECP_OK);
    CHECK(strengths[0] == 4 && strengths[1] == 0.5f && strengths[2] == 1 && read[0] == 8);
    CHECK(faint.id_count == 1 && ids[0] == 6);
    faint.above = 1;
    CHECK(ecp_decay(&halving, &all, read, strengths, 3, &faint, &report) == ECP_OK);
    CHECK(faint.id_count == 2 && ids[0] == 5 && ids[1] == 7);
    for (uint32_t kind = ECP_LAW_HYPERBOLIC; kind <= ECP_LAW_STABILITY; kind++) {
        const ecp_law law = {kind, 0, &half_life, &exponent, 1};
        CHECK(ecp_decay(&law, &all, read, strengths, 3, NULL, &report) == ECP_OK);
        CHECK(strengths[0] <= 8 && strengths[0] > 2);
    }
}

static void check_decay_refusals(void) {
    float strengths[3] = {8, 8, 8};
    ecp_decay_report report = {77, 77};
    const ecp_ages none = {NULL, NULL, 0, NULL};
    INVALID(ecp_decay(NULL, &in_seconds, strengths, strengths, 3, NULL, &report));
    INVALID(ecp_decay(&halving, NULL, strengths, strengths, 3, NULL, &report));
    INVALID(ecp_decay(&halving, &none, strengths, strengths, 3, NULL, &report));
    INVALID(ecp_decay(&halving, &in_seconds, NULL, NULL, 3, NULL, &report));
    INVALID(ecp_decay(&halving, &in_seconds, strengths, strengths, 3, NULL, NULL));
    INVALID(ecp_decay(&halving, &in_seconds, strengths, NULL, 3, NULL, &report));
    INVALID(ecp_decay(&halving, &in_seconds, NULL, strengths, 3, NULL, &report));
    uint32_t ids[3];
    ecp_selection selections[] = {{NAN, 0, 0, ids, 0}, {1, 2, 0, ids, 0}, {1, 0, 0, NULL, 0}, {1, 0, UINT32_MAX - 1, ids, 0}};
    for (int i = 0; i < 4; i++) INVALID(ecp_decay(&halving, &in_seconds, strengths, strengths, 3, &selections[i], &report));
    INVALID(ecp_decay(&halving, &in_seconds, strengths, strengths, HUGE_SIZE, NULL, &report));
    INVALID(ecp_decay(&halving, &in_seconds, strengths, strengths, SIZE_MAX, NULL, &report));
    const ecp_law bad[] = {
        {6, 0, &half_life, &exponent, 1},          {UINT32_MAX, 0, &half_life, &exponent, 1},
        {ECP_LAW_EXPONENTIAL, -1, &half_life, NULL, 1},  {ECP_LAW_EXPONENTIAL, NAN, &half_life, NULL, 1},
        {ECP_LAW_EXPONENTIAL, INFINITY, &half_life, NULL, 1}, {ECP_LAW_EXPONENTIAL, 0, NULL, NULL, 1},
        {ECP_LAW_EXPONENTIAL, 0, &half_life, NULL, 0},   {ECP_LAW_EXPONENTIAL, 0, &half_life, NULL, 2},
        {ECP_LAW_EXPONENTIAL, 0, &half_life, NULL, SIZE_MAX}, {ECP_LAW_POWER, 0, &half_life, NULL, 1},
        {ECP_LAW_POWER, 0, NULL, &exponent, 1},    {ECP_LAW_STRETCHED, 0, &half_life, NULL, 1},
        {ECP_LAW_SAVINGS, 0, &half_life, NULL, 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        INVALID(ecp_decay(&bad[i], &in_seconds, strengths, strengths, 3, NULL, &report));
    }
    CHECK(strengths[0] == 8 && strengths[1] == 8 && strengths[2] == 8);
    CHECK(report.negative_ages == 77 && report.nan_ages == 77);
}

static void check_base_levels(void) {
    const uint32_t offsets[] = {1, 2, 2, 4}, counts[] = {1, 2, 2};
    const float ages[] = {-1, 4, 4, 4}, lifetimes[] = {4, 4, 4};
    const ecp_ages listed = {ages, NULL, 0, NULL}, first = {lifetimes, NULL, 0, NULL}, none = {NULL, NULL, 0, NULL};
    float found[3] = {7, 7, 7};
    ecp_decay_report report = {77, 77};
    const ecp_base_level exact = {0.5f, 0, offsets, &listed, NULL, NULL, 3};
    CHECK(ecp_base_levels(&exact, found, &report) == ECP_OK);
    CHECK(fabsf(found[0] - logf(0.5f)) < 1e-6f && found[1] == -INFINITY && fabsf(found[2]) < 1e-6f);
    CHECK(report.negative_ages == 0 && report.nan_ages == 0);
    const ecp_base_level newest = {0.5f, 0, offsets, &listed, counts, &first, 3};
    CHECK(ecp_base_levels(&newest, found, &report) == ECP_OK && fabsf(found[1] - logf(2)) < 1e-6f);
    const ecp_base_level all = {0.5f, 0, NULL, NULL, counts, &first, 3};
    CHECK(ecp_base_levels(&all, found, &report) == ECP_OK && fabsf(found[0]) < 1e-6f && found[1] == found[2]);
    found[0] = found[1] = found[2] = 7;
    report.nan_ages = 77;
    const ecp_base_level bad[] = {
        {0, 0, offsets, &listed, NULL, NULL, 3},      {1, 0, offsets, &listed, NULL, NULL, 3},
        {NAN, 0, offsets, &listed, NULL, NULL, 3},    {0.5f, -1, offsets, &listed, NULL, NULL, 3},
        {0.5f, INFINITY, offsets, &listed, NULL, NULL, 3}, {0.5f, 0, offsets, NULL, NULL, NULL, 3},
        {0.5f, 0, offsets, &none, NULL, NULL, 3},     {0.5f, 0, NULL, NULL, NULL, NULL, 3},
        {0.5f, 0, NULL, NULL, counts, NULL, 3},       {0.5f, 0, NULL, NULL, counts, &none, 3},
        {0.5f, 0, NULL, NULL, counts, &first, SIZE_MAX},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) INVALID(ecp_base_levels(&bad[i], found, &report));
    INVALID(ecp_base_levels(NULL, found, &report));
    INVALID(ecp_base_levels(&exact, NULL, &report));
    INVALID(ecp_base_levels(&exact, found, NULL));
    CHECK(found[0] == 7 && found[1] == 7 && found[2] == 7 && report.nan_ages == 77);
}

static void check_fsrs(void) {
    double w[ECP_FSRS_PARAMETERS] = {.212,  1.2931, 2.3065, 8.2956, 6.4133, .8334,  3.0194, .001,  1.8722, .1666, .796,
                                     1.4835, .0614, .2629,  1.6483, .6014,  1.8729, .5425,  .0912, .0658,  .1542};
    float stabilities[] = {0, 10, 10}, difficulties[] = {0, 5, 5}, left[] = {7, 7, 7};
    const float days[] = {0, 10, 30};
    const uint8_t grades[] = {3, 0, 9};
    const ecp_fsrs three = {w, stabilities, difficulties, days, grades, 3};
    const ecp_fsrs asked = {w, stabilities, NULL, days, NULL, 3};
    CHECK(ecp_fsrs_retrievability(&asked, left) == ECP_OK);
    CHECK(left[0] == 0 && left[1] == 0.9f && fabsf(left[2] - 0.8093881f) < 1e-6f);
    CHECK(ecp_fsrs_review(&three) == ECP_OK);
    CHECK(stabilities[0] == 2.3065f && fabsf(difficulties[0] - 2.118104f) < 1e-6f);
    CHECK(stabilities[1] == 10 && stabilities[2] == 10 && difficulties[1] == 5 && difficulties[2] == 5);
    const ecp_fsrs bad[] = {
        {NULL, stabilities, difficulties, days, grades, 3}, {w, NULL, difficulties, days, grades, 3},
        {w, stabilities, NULL, days, grades, 3},            {w, stabilities, difficulties, NULL, grades, 3},
        {w, stabilities, difficulties, days, NULL, 3},      {w, stabilities, difficulties, days, grades, SIZE_MAX},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) INVALID(ecp_fsrs_review(&bad[i]));
    INVALID(ecp_fsrs_review(NULL));
    INVALID(ecp_fsrs_retrievability(NULL, left));
    INVALID(ecp_fsrs_retrievability(&asked, NULL));
    w[20] = 0;
    INVALID(ecp_fsrs_review(&three));
    w[20] = .1542, w[3] = NAN;
    INVALID(ecp_fsrs_retrievability(&asked, left));
    CHECK(stabilities[0] == 2.3065f && left[1] == 0.9f);
}

/* Each kernel with all of the arena held: refused, then run on a block that was lent. */
static void check_loans(void) {
    size_t mark;
    ecp_spread_result spread = {77, 0, 0, 0, 0};
    void *held = NULL;
    char *lent = malloc(4096 + 63);
    CHECK(lent != NULL && ecp_arena_mark(&mark, NULL) == ECP_OK && ecp_arena_alloc(CAPACITY, &held, NULL) == ECP_OK);
    for (int loan = 0; loan < 2; loan++) {
        ecp_scratch scratch[4];
        memset(scratch, 0, sizeof scratch);
        for (int i = 0; i < 4 && loan; i++) scratch[i] = (ecp_scratch){lent + 1, 4096 + 62, 0, 7, 7, 7};
        float out[3] = {9, 9, 9}, found[3] = {9, 9, 9};
        const ecp_rows three = F32(elements, 3, 2);
        ecp_hit hits[3] = {{9, 9, 9}, {9, 9, 9}, {9, 9, 9}};
        ecp_top_k_result result = {77, 77, 77};
        uint32_t reached[3] = {9, 9, 9};
        ecp_status status = loan ? ECP_OK : ECP_OUT_OF_MEMORY;
        CHECK(ecp_scores(DOT, &query, &three, out, 3, &scratch[0]) == status);
        CHECK(out[0] == (loan ? 25 : 9));
        CHECK(ecp_gather(&whole, &query, &four, ids, 3, out, &scratch[1]) == status);
        CHECK(out[0] == (loan ? 50 : 9));
        CHECK(ecp_top_k(DOT, &query, &four, 3, hits, &result, &scratch[2]) == status);
        CHECK(result.hit_count == (loan ? 3u : 77u) && hits[0].row == (loan ? 3u : 9u));
        CHECK(ecp_spread(&graph, seeds, 2, &good, NULL, NULL, reached, found, &spread, &scratch[3]) == status);
        CHECK(spread.reached_count == (loan ? 3u : 77u) && found[0] == (loan ? 10 : 9) && reached[0] == (loan ? 0u : 9u));
        const size_t needs[4] = {scores_need(DOT, 2, 1), gather_need(&whole, 2, 3), top_k_need(DOT, 2, 1, 4, 3),
                                 ecp_spread_need(&graph, seeds, 2, &good)};
        for (int i = 0; i < 4 && !loan; i++) {
            CHECK(scratch[i].need == needs[i] && scratch[i].needed == CAPACITY + needs[i]);
            CHECK(scratch[i].capacity == CAPACITY);
        }
        for (int i = 0; i < 4 && loan; i++) CHECK(scratch[i].need == 7 && scratch[i].capacity == 7);
    }
    float out[1] = {9};
    ecp_scratch small = {lent, 64 + 63, 0, 0, 0, 0};
    CHECK(ecp_gather(&whole, &query, &four, ids, 1, out, &small) == ECP_OUT_OF_MEMORY && out[0] == 9);
    CHECK(small.need == 128 && small.needed == 128 && small.capacity <= 64 + 63);
    ecp_arena_stats stats;
    ecp_arena_thread_stats(&stats);
    CHECK(stats.heap_loan_count >= 5 && stats.overflow_count >= 4);
    CHECK(ecp_arena_rewind(mark) == ECP_OK);
    free(lent);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0); /* What was found before a crash shall be read. */
    check_library();
    check_tiers();
    check_configuration();
    check_needs();
    check_needs_in_every_tier();
    for (size_t tier = 0; tier < ecp_tier_count(); tier++) {
        const char *name = ecp_tier_name(tier);
        ecp_status forced = ecp_tier_force(name, strlen(name));
        CHECK(forced == (ecp_tier_supported(tier) ? ECP_OK : ECP_UNKNOWN_TIER));
        if (forced != ECP_OK) continue;
        CHECK(strcmp(ecp_tier_in_use(), name) == 0);
        check_arena();
        check_companion();
    check_scores();
        check_matrix();
        check_filter_and_norms();
        check_gather();
        check_top_k();
        check_types();
        check_scales();
        check_spread();
        check_spread_options();
        check_fan_activation();
        check_push();
        check_sweeps();
        check_spread_refusals();
        check_decay();
        check_decay_refusals();
        check_base_levels();
        check_fsrs();
        check_loans();
        check_loans_of_queries();
    }
    check_kernel_stats();
    check_figures();
    check_growth();
    if (failures > 0) printf("%d checks failed\n", failures);
    return failures > 0;
}
