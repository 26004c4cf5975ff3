/* ecphory.h: memory-graph kernels with thread-local arenas. This header is the truth about the ABI.
 *
 * Shapes are written [n] for n elements and [n][dim] for n contiguous rows of dim elements.
 * Each function says what it reads, what it writes, and what may overlap: "apart" means that no array or struct it
 * writes overlaps anything else it is passed, while what it only reads may overlap. "Borrowed" is read or written
 * during the call only: no pointer is kept and nothing of the caller's is freed. "Static" lives as long as the process.
 * Pointers: may be NULL only where their length is 0, or where it says so; aligned for their type.
 * Failure: every status but ECP_OK leaves all outputs as they were, except ecp_scratch, which tells why.
 * Threads: every function may be called from any thread. A kernel's scratch comes from the calling thread's arena;
 *   whoever starts a thread calls ecp_arena_release before it ends, or its arena stays mapped.
 */
#ifndef ECPHORY_H
#define ECPHORY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ECP_ABI_VERSION 5u

typedef int32_t ecp_status;
#define ECP_OK 0
#define ECP_OUT_OF_MEMORY 1    /* the scratch does not hold the kernel's need; ecp_scratch names it */
#define ECP_INVALID_ARGUMENT 2 /* a NULL, a zero, a value or a product of lengths outside its range */
#define ECP_UNKNOWN_TIER 3     /* no tier of that name, or not one this machine can run */
#define ECP_ALREADY_IN_USE 4   /* an arena has been born, or scratch is held, and forbids the request */

/* ---- The library ------------------------------------------------------------------------------------------- */

/* ECP_ABI_VERSION of the archive that is linked. */
uint32_t ecp_abi_version(void);
/* Version of the Zig compiler that built the archive: static, NUL-terminated, never to be freed. */
const char *ecp_zig_version(void);

/* Tiers of this architecture, the best last. */
size_t ecp_tier_count(void);
/* Static, NUL-terminated, never to be freed. NULL from ecp_tier_count() on. */
const char *ecp_tier_name(size_t index);
/* 1 where this machine can run the tier, else 0. */
int32_t ecp_tier_supported(size_t index);
/* The tier in use: the best that this machine can run, unless one was forced. Static, NUL-terminated. */
const char *ecp_tier_in_use(void);
/* Forces the tier called name[length], for every thread, from the next call on. Or ECP_UNKNOWN_TIER.
 * Reads name (borrowed, no NUL needed). Writes nothing of the caller's. */
ecp_status ecp_tier_force(const char *name, size_t length);

/* ---- Arenas ------------------------------------------------------------------------------------------------ */

/* Where a kernel may take its scratch, and what it wanted if that was too little. NULL where it is a parameter means
 * the thread's arena, and that the caller does not care to know. The struct and the lent block are borrowed; both are
 * written, so both are apart from everything else the call is passed. */
typedef struct ecp_scratch {
    void *lent;       /* in: a block of the caller's, used in place of the thread's arena for this call, or NULL */
    size_t lent_size; /* in: its bytes; up to 63 are lost where lent is not 64-byte aligned */
    uint32_t on_overflow; /* in: ECP_ON_OVERFLOW_*, what the caller does on ECP_OUT_OF_MEMORY; only counted by it */
    size_t need;      /* out: bytes of the call alone, on ECP_OUT_OF_MEMORY */
    size_t needed;    /* out: need and what outer scopes of the thread hold, on ECP_OUT_OF_MEMORY */
    size_t capacity;  /* out: bytes of the arena that refused, 0 where it could not be mapped, on ECP_OUT_OF_MEMORY */
} ecp_scratch;

#define ECP_ON_OVERFLOW_ERROR 0u
#define ECP_ON_OVERFLOW_HEAP 1u
#define ECP_ON_OVERFLOW_PANIC 2u
#define ECP_ON_OVERFLOW_GROW 3u

typedef struct ecp_arena_stats {
    size_t capacity;            /* bytes; in totals, summed over live arenas */
    size_t current_usage;       /* bytes; in totals, summed over live arenas */
    size_t high_water_mark;     /* bytes; in totals, the largest of any arena ever */
    size_t capacity_per_thread; /* bytes of one arena */
    uint64_t overflow_count;    /* requests that did not fit */
    uint64_t rewind_count;      /* scopes ended, kernels' own and refused ones too */
    uint64_t allocation_count;  /* blocks of scratch handed out, kernels' own included */
    uint64_t heap_loan_count;   /* calls that were lent a block */
    uint64_t heap_loan_bytes;   /* of all those blocks */
    uint64_t live_arenas;       /* in totals, arenas that exist; for a thread 0 or 1 */
    size_t nesting_max;         /* scopes of one thread open at once, at most; a kernel's call is one */
} ecp_arena_stats;

/* Who opens a thread's outermost scope. Decay takes no scratch. */
#define ECP_KERNEL_SIMILARITY 0u
#define ECP_KERNEL_SPREADING 1u
#define ECP_KERNEL_DECAY 2u
#define ECP_KERNEL_CALLER 3u /* ecp_arena_mark, whatever kernels run inside */
#define ECP_KERNELS 4u

#define ECP_NEED_BUCKETS 369u

/* Over all threads there are and were. A scope's need is what it held at most or, where it was refused something, would
 * have held. */
typedef struct ecp_kernel_stats {
    size_t high_water_mark;      /* bytes in use at most, refused needs left out */
    uint64_t overflow_counts[4]; /* by ECP_ON_OVERFLOW_*; of the kernel that was refused, inside a scope or not */
    uint64_t heap_loan_count;
    uint64_t heap_loan_bytes;
    uint64_t need_counts[ECP_NEED_BUCKETS]; /* outermost scopes by need; see ecp_need_edge */
} ecp_kernel_stats;

/* Capacity in bytes of every arena, 64 to 2^46, before the first is born; else ECP_ALREADY_IN_USE. Default 2 MiB. */
ecp_status ecp_arena_configure(size_t capacity);
size_t ecp_arena_capacity(void);
/* Figures of the calling thread; all zero where it has no arena. Writes *stats (borrowed); NULL: nothing happens. */
void ecp_arena_thread_stats(ecp_arena_stats *stats);
/* Figures of all threads there are and were. Writes *stats (borrowed); NULL: nothing happens. */
void ecp_arena_total_stats(ecp_arena_stats *stats);
/* Figures of each thread that has an arena: writes stats: [the least of count and the result] (borrowed; may be NULL
 * where count is 0). Returns how many there are; between two calls threads may come and go. */
size_t ecp_arena_each_stats(ecp_arena_stats *stats, size_t count);
/* Writes *stats (borrowed). Reads the buckets that each thread, there now or once, has counted in. */
ecp_status ecp_arena_kernel_stats(uint32_t kernel, ecp_kernel_stats *stats);
/* The largest need, in bytes, that bucket counts: 64 bytes more than the one before up to 2 KiB, then 16 to an octave up
 * to 4 GiB, among them every power of two; UINT64_MAX from ECP_NEED_BUCKETS - 1 on. */
uint64_t ecp_need_edge(size_t bucket);
/* Ends the calling thread's arena. Its counters stay in the totals. Blocks it handed out are gone. */
void ecp_arena_release(void);
/* Gives the memory behind the calling thread's arena back to the system, keeping the arena: *bytes of it, 0 where the
 * system has no such call. ECP_ALREADY_IN_USE while scratch is held. Writes *bytes (borrowed). */
ecp_status ecp_arena_trim(size_t *bytes);
/* Replaces the calling thread's arena by one of capacity bytes, at most 2^46, where that is more than it has. Only while
 * it holds nothing and no scope is open: else ECP_ALREADY_IN_USE. On ECP_OUT_OF_MEMORY it keeps the one it has. */
ecp_status ecp_arena_grow(size_t capacity);
/* Asks the system for huge pages behind `block`, for a caller who lends a large one: each page of the usual size that a
 * kernel is first to touch costs it a fault. A hint, and nothing where the system has none. Only whole pages within the
 * block are meant, and what they hold stays. */
void ecp_prefer_huge_pages(void *block, size_t size);
/* Until the matching ecp_arena_thaw, the calling thread's arena is neither mapped nor replaced: what would need that is
 * ECP_OUT_OF_MEMORY. For signal handlers, which may call kernels and use scopes on the thread that they interrupt, with
 * an arena that is there already, and end their scopes before they return; ecp_arena_release and ecp_arena_trim are not
 * for them. What that thread was counting at the moment may be lost. Calls nest. */
void ecp_arena_freeze(void);
void ecp_arena_thaw(void);
/* ECP_OK where need bytes are free for kernel in the calling thread's arena; else the refusal is counted and told in
 * *scratch (borrowed; its lent block is not looked at). */
ecp_status ecp_arena_admit(uint32_t kernel, size_t need, ecp_scratch *scratch);

/* What a thread's arena begins with, for callers who would not pay a call for each block. Inside a scope, where
 * size <= capacity - cursor, the size bytes at base + cursor are taken by raising cursor by size, rounded up to 64, and
 * allocation_count by one: atomic relaxed writes, for others read both. What does not fit is ecp_arena_alloc's to
 * refuse and count. Nothing else is the caller's to write. */
typedef struct ecp_arena {
    unsigned char *base; /* 64-byte aligned; it and capacity stay as they are while a scope is open */
    size_t capacity;     /* a multiple of 64 */
    size_t cursor;       /* a multiple of 64 */
    size_t open;         /* scopes of ecp_arena_mark that are open on the thread */
    uint64_t allocation_count;
} ecp_arena;

/* Scratch for the caller: mark, allocate, rewind to the mark; strictly nested, on one thread, before it ends.
 * Writes *mark and, where arena is not NULL, *arena (borrowed, apart): the thread's arena, good until this mark is
 * rewound; or NULL in an archive that looks at scratch (built with poison or for valgrind), where every block is
 * ecp_arena_alloc's to hand out. */
ecp_status ecp_arena_mark(size_t *mark, ecp_arena **arena);
/* size uncleared bytes at *block, 64-byte aligned, the caller's until the mark before them is rewound or the arena
 * released; the library owns them, never to be freed. Writes *block and *scratch (borrowed, apart; its lent block is
 * not looked at). */
ecp_status ecp_arena_alloc(size_t size, void **block, ecp_scratch *scratch);
/* mark: of ecp_arena_mark on this thread, not rewound yet; else ECP_INVALID_ARGUMENT where that can be seen. Blocks
 * allocated since are gone. */
ecp_status ecp_arena_rewind(size_t mark);

/* ---- Similarity -------------------------------------------------------------------------------------------- */

#define ECP_TYPE_F32 0u
#define ECP_TYPE_F16 1u  /* IEEE 754 binary16 */
#define ECP_TYPE_BF16 2u /* the upper half of an f32 */
#define ECP_TYPE_I8 3u   /* a scale for each row */
#define ECP_TYPE_BITS 4u /* eight bits to an element, a byte: dim and stride count bytes */

#define ECP_METRIC_COSINE 0u            /* in [-1, 1] up to rounding; a zero vector scores 0 */
#define ECP_METRIC_DOT 1u
#define ECP_METRIC_SQUARED_EUCLIDEAN 2u /* a distance: the smaller, the nearer */
#define ECP_METRIC_HAMMING 3u           /* of bits: those that differ, a distance */
#define ECP_METRIC_JACCARD 4u           /* of bits: those in both by those in either, 1 where there are none */

#define ECP_PRECISION_FAST 0u    /* f32; see similarity.rs for its bounds */
#define ECP_PRECISION_PRECISE 1u /* sums in f64, rounded once */

#define ECP_PACKING_IN_PLACE 0u /* a gather reads rows where they are */
#define ECP_PACKING_WHOLE 1u    /* or packs all into scratch: ecp_gather_need of all ids */
#define ECP_PACKING_TILED 2u    /* or as many at a time as fit, all if they do: ecp_gather_need of one id at least */

typedef struct ecp_search {
    uint32_t metric;    /* ECP_METRIC_* */
    uint32_t precision; /* ECP_PRECISION_* */
    uint32_t packing;   /* ECP_PACKING_*; for ecp_gather alone */
    float threshold;    /* for ecp_top_k alone: scores worse than it are no hits. Not NaN; -INFINITY admits all, for
                           distances INFINITY; 0 does not */
} ecp_search;

/* Copies of rows of F32 in i8, by which ecp_top_k of one query and FAST finds the same hits and reads few rows: copy i
 * stands for scales[i] times its elements. All borrowed. A copy that is none of its row makes wrong hits, no more; of a
 * row that is not finite the residual is INFINITY. */
typedef struct ecp_companion {
    const int8_t *elements; /* [row_count][dim, rounded up to a multiple of 64], zeros behind the last of a row */
    const float *scales;    /* [row_count], finite, > 0 */
    const float *residuals; /* [row_count], no less than the norm of row minus copy */
    const float *lengths;   /* [row_count], no less than the norm of the copy, and above it by 2^-21 of it at most */
} ecp_companion;

/* Rows of dim elements, row i from element i * stride on. All borrowed. Queries too come as rows: one after the other
 * or apart, with scales, of the type of the rows they meet or F32 with F16, BF16 and I8; what they have of norms, a
 * filter or a companion is not looked at. Bits meet HAMMING and JACCARD, all others the rest. What scales, norms and
 * companions hold is the caller's promise, not checked at each call. */
typedef struct ecp_rows {
    const void *elements; /* [(row_count - 1) * stride + dim], aligned for their type */
    uint32_t type;        /* ECP_TYPE_* */
    uint32_t beyond;      /* 1 where these are some of more rows than caches hold, 0 else: what suits; same scores */
    size_t row_count;
    size_t dim;             /* > 0 */
    size_t stride;          /* >= dim */
    const float *scales;    /* NULL, or with I8 [row_count], finite, > 0: row i stands for scales[i] times its elements */
    const float *norms;     /* NULL, or [row_count] as ecp_norms wrote them: fast cosines then cost what products cost */
    const uint64_t *filter; /* NULL, or [row_count / 64, rounded up]: bit i % 64 of word i / 64 admits row i */
    const ecp_companion *companion; /* NULL, or with F32; for ecp_top_k alone */
} ecp_rows;

/* Scratch bytes of the calls below; saturated. 0 for a search or rows that are not sound, pointers apart: those of rows
 * and queries may be anything, or NULL where they may be. For these counts alone: more queries may need less, where they
 * are met one by one and not side by side. */
size_t ecp_scores_need(const ecp_search *search, const ecp_rows *queries, const ecp_rows *rows);
size_t ecp_gather_need(const ecp_search *search, const ecp_rows *query, const ecp_rows *rows, size_t id_count);
size_t ecp_top_k_need(const ecp_search *search, const ecp_rows *queries, const ecp_rows *rows, size_t k);

/* scores[q * scores_stride + i] = metric(queries[q], rows[i]), NaN where the filter keeps the row out.
 * Reads *queries, *rows. Writes scores: rows->row_count of every scores_stride, which is no less than that where there
 * are several queries; *scratch. All borrowed; apart. The score of one query and a row is the same bits wherever the
 * row stands, and with norms that the same tier took or without; with several queries, or norms that another tier took,
 * it may differ within the bounds of both. */
ecp_status ecp_scores(const ecp_search *search, const ecp_rows *queries, const ecp_rows *rows, float *scores,
                      size_t scores_stride, ecp_scratch *scratch);

/* scores[i] = metric(query, rows[ids[i]]), NaN where the filter keeps the row out. The bits do not depend on packing.
 * Reads *query, of one row; *rows; ids: [id_count], each < rows->row_count: the caller's promise, not checked here.
 * Writes scores: [id_count]; *scratch. All borrowed; apart. */
ecp_status ecp_gather(const ecp_search *search, const ecp_rows *query, const ecp_rows *rows, const uint32_t *ids,
                      size_t id_count, float *scores, ecp_scratch *scratch);

typedef struct ecp_hit {
    uint64_t row;
    float score;
    uint32_t reserved; /* 0 */
} ecp_hit;

typedef struct ecp_top_k_result {
    size_t hit_count;
    size_t nan_rows;      /* rows that scored NaN: left out */
    size_t rescored_rows; /* rows that were scored beside a companion; 0 without */
} ecp_top_k_result;

/* The best k rows of each query that the filter admits, best first, ties by lower row.
 * Reads *queries, one at least; *rows. Writes hits: [queries->row_count][min(k, rows->row_count)], the first
 * results[q].hit_count of each; results: [queries->row_count]; *scratch. All borrowed; apart. */
ecp_status ecp_top_k(const ecp_search *search, const ecp_rows *queries, const ecp_rows *rows, size_t k, ecp_hit *hits,
                     ecp_top_k_result *results, ecp_scratch *scratch);

/* norms[i] = the norm of row i as a cosine takes it, without its scale; 0 where f32 does not measure it, and a cosine
 * takes it in f64. Not of bits.
 * Reads *rows, but for its norms and filter. Writes norms: [row_count]. All borrowed; apart. */
ecp_status ecp_norms(const ecp_rows *rows, float *norms);

/* ---- Spreading --------------------------------------------------------------------------------------------- */

/* CSR, the caller's, borrowed. What the arrays hold is the caller's promise, not checked at each call. */
typedef struct ecp_graph {
    const uint32_t *offsets;    /* [node_count + 1], ascending, offsets[0] == 0 */
    const uint32_t *targets;    /* [offsets[node_count]], each < node_count */
    const float *weights;       /* [offsets[node_count]], finite, >= 0 */
    const float *out_strengths; /* [node_count], sums of weights; NULL where no call asks for shares of them */
    const uint8_t *relations;   /* [offsets[node_count]], of what kind each edge is; NULL: all are of kind 0 */
    size_t node_count;          /* 1 .. 2^32 - 1 */
} ecp_graph;

typedef struct ecp_seed {
    uint32_t node;    /* < node_count */
    float activation; /* finite, >= 0; summed when a node is repeated */
} ecp_seed;

#define ECP_FIRE_ONCE 0u       /* at the first hop at which it reaches the threshold */
#define ECP_FIRE_EVERY_HOP 1u  /* at every such hop */
#define ECP_FIRE_BEST_FIRST 2u /* no hops in step: the most active that has not fired is next, ties by lower node */
#define ECP_WEIGHTING_AS_GIVEN 0u
#define ECP_WEIGHTING_BY_OUT_STRENGTH 1u /* divided by the sum of the source's weights; needs out_strengths */
#define ECP_WEIGHTING_BY_FAN 2u          /* max(0, fan_strength - ln(the source's edges + 1)), whatever weights are */
#define ECP_AGGREGATE_SUM 0u
#define ECP_AGGREGATE_MAX 1u
#define ECP_HOPS_MAX 1024u
#define ECP_COMPETITORS_MAX 64u

typedef struct ecp_spread_options {
    uint32_t hops;         /* 0 .. ECP_HOPS_MAX; with BEST_FIRST edges from a seed, at most */
    uint32_t fire;         /* ECP_FIRE_* */
    uint32_t weighting;    /* ECP_WEIGHTING_* */
    uint32_t aggregate;    /* ECP_AGGREGATE_* */
    uint32_t budget;       /* nodes that may fire; for BEST_FIRST alone */
    uint32_t fan_out_most; /* edges of a node that pass something on: the strongest, ties by lower target */
    float threshold;       /* floats of this struct: finite, >= 0 */
    float retain;
    float transmission;
    float fan_strength;    /* for ECP_WEIGHTING_BY_FAN alone */
    uint32_t competitors;  /* 0 .. ECP_COMPETITORS_MAX: the most active, which inhibit the others after each hop */
    float inhibition;      /* by so much of what they stand above them */
    float steepness;       /* of the logistic function that comes after it; 0: none */
    float midpoint;        /* where that is 1/2 */
    uint64_t edges_most;   /* edges that may be walked */
    uint64_t pause_after;  /* edges and firings after which it pauses, 0: never; for BEST_FIRST alone */
    const float *relation_factors; /* NULL, or [256], on what edges of each kind pass on; 0: they are not there */
} ecp_spread_options;

#define ECP_STOPPED_NO 0u
#define ECP_STOPPED_WORK 1u   /* the next source has more edges than were left: it and those after it did not fire */
#define ECP_STOPPED_BUDGET 2u /* as many nodes have fired as may */
#define ECP_STOPPED_PAUSED 3u /* pause_after has come, and more would fire; inhibition has not come */

typedef struct ecp_spread_result {
    size_t reached_count;
    uint64_t edges;    /* walked */
    uint64_t fired;    /* how often a node fired */
    uint32_t stopped;  /* ECP_STOPPED_* */
    uint32_t reserved; /* 0 */
} ecp_spread_result;

/* The nodes that ecp_spread can reach: at most the seeds and as many as edges may carry activation, by edges_most and by
 * what hops, fan_out_most and, where the most active fire first, budget allow. 0 for arguments that
 * ecp_spread refuses, outputs apart. */
size_t ecp_spread_most(const ecp_graph *graph, const ecp_seed *seeds, size_t seed_count,
                       const ecp_spread_options *options);

/* Scratch bytes of ecp_spread: they follow the nodes that it can reach. 0 for arguments that ecp_spread refuses, outputs
 * apart; saturated. */
size_t ecp_spread_need(const ecp_graph *graph, const ecp_seed *seeds, size_t seed_count,
                       const ecp_spread_options *options);

/* a'_v = retain a_v + transmission sum_u f(a_u) s_uv per hop, f(a) = a where a >= threshold, else 0; or, with
 * ECP_AGGREGATE_MAX, max(retain a_v, transmission max_u f(a_u) s_uv); saturating at the largest float. s_uv: by the
 * weighting, times the factor of the edge's kind. With BEST_FIRST what a node passes on is there at once, retain is on
 * a node that fires, and inhibition comes once, in the end.
 * What a node receives is summed in f32, in one fixed order. In a hop in which d sources pass something on to it, the
 * relative error of its activation grows by at most (d + 4) 2^-24, with ECP_AGGREGATE_MAX by 4 2^-24, and products of
 * these: 1 for an out_strength, 2 for each product, d for the sum and what is retained, 1 for that. It may decide whether
 * a threshold is reached; to what is less than 2^-126, 2^-149 is added for each source. With BEST_FIRST the same holds
 * for each firing on the longest way over firings to the node, where d are all that have passed something on to it.
 * Reads *graph and its arrays; seeds: [seed_count]; *options. Writes reached, activations: [most] by ecp_spread_most,
 * the first result->reached_count of each, in the order in which nodes were reached; *result; *scratch. Reads and writes
 * fired: [most / 32, rounded up], or NULL: in, bit i % 32 of word i / 32 whether seed i has fired before, where no node
 * is there twice among them; out, whether reached node i has; and with fired and BEST_FIRST, else NULL, distances:
 * [most], by how many edges seed i, and then reached node i, is from where it all began. So may one spread go on where
 * another ended, with the bits of one. All borrowed; apart. */
ecp_status ecp_spread(const ecp_graph *graph, const ecp_seed *seeds, size_t seed_count,
                      const ecp_spread_options *options, uint32_t *fired, uint16_t *distances, uint32_t *reached,
                      float *activations, ecp_spread_result *result, ecp_scratch *scratch);

/* The nodes that ecp_fan_activation can reach, by the links of its sources. 0 for arguments that it refuses. */
size_t ecp_fan_activation_most(const ecp_graph *graph, const ecp_seed *sources, size_t source_count);

/* Scratch bytes of ecp_fan_activation, by the links of its sources. 0 for arguments that it refuses; saturated. */
size_t ecp_fan_activation_need(const ecp_graph *graph, const ecp_seed *sources, size_t source_count);

/* A_i = sum over sources j linked to i of their activation times strength - ln(edges of j + 1), which may be below 0
 * (ACT-R); weights play no part. strength: finite, >= 0.
 * Reads *graph and its arrays; sources: [source_count]. Writes reached, activations: [ecp_fan_activation_most], the
 * first *reached_count of each; *reached_count; *scratch. All borrowed; apart. */
ecp_status ecp_fan_activation(const ecp_graph *graph, const ecp_seed *sources, size_t source_count, float strength,
                              uint32_t *reached, float *activations, size_t *reached_count, ecp_scratch *scratch);

#define ECP_DANGLING_TO_SEEDS 0u /* what a node that leads nowhere would pass on goes back to the seeds */
#define ECP_DANGLING_EVENLY 1u   /* or to all nodes alike */

typedef struct ecp_push_options {
    double alpha;        /* the share that stays: 0.001 to 1 */
    double epsilon;      /* 1e-12 to 1 */
    uint64_t edges_most; /* edges that may be walked, by all parts of a push together */
    uint64_t pause_after; /* edges and pushes of one call after which it pauses, 0: never */
    uint32_t dangling;   /* ECP_DANGLING_* */
    uint32_t reserved;   /* 0 */
} ecp_push_options;

/* What a push has come to, for one that goes on where it paused: zeroes before the first. */
typedef struct ecp_push_past {
    double *estimates;    /* [ecp_push_most], of each node reached */
    double *residuals;    /* [ecp_push_most] */
    uint32_t *waiting;    /* [ecp_push_most], which of them wait for their turn, in its order: places, not nodes */
    size_t reached_count; /* 0 where it has not begun */
    size_t waiting_count;
    uint64_t edges;       /* walked */
    uint64_t leading;     /* those that lead on: not back to the seeds */
    double evenly;        /* what is still to be shared among all nodes */
} ecp_push_past;

typedef struct ecp_push_result {
    size_t reached_count;
    uint64_t edges;    /* walked, those back to the seeds too */
    double residual;   /* no less than the sum of residuals, nor than 1 less estimates and evenly */
    double evenly;     /* what is still to be shared among all nodes; 0 but with ECP_DANGLING_EVENLY */
    uint32_t stopped;  /* ECP_STOPPED_WORK: no more edges may be walked, or evenly would make every node push; or PAUSED */
    uint32_t reserved; /* 0 */
} ecp_push_result;

/* The nodes that ecp_push can reach: at most the seeds and as many as edges may be walked, of which
 * 1.01 / (alpha epsilon) + 1 lead on at most. 0 for arguments that ecp_push refuses. */
size_t ecp_push_most(const ecp_graph *graph, const ecp_seed *seeds, size_t seed_count, const ecp_push_options *options);

/* Scratch bytes of ecp_push: they follow the nodes that it can reach. 0 for arguments that ecp_push refuses;
 * saturated. */
size_t ecp_push_need(const ecp_graph *graph, const ecp_seed *seeds, size_t seed_count, const ecp_push_options *options);

/* Personalised PageRank by forward push: while a node holds a residual above epsilon times its edges (1 where it has
 * none), alpha of it becomes its estimate and the rest goes to its targets, by their weights, divided by its
 * out_strengths. Sums are taken in f64, and estimates told no larger than they are: but for what f64 rounds, the rank
 * of v lies between estimate_v and estimate_v + residual + evenly, and estimates with both are 1 or more. Where
 * out_strengths are rounded to f32, each share is off by 2^-24 of it at most. A node of out_strength 0 leads nowhere.
 * Seeds that are all 0 reach nothing, and leave no residual.
 * Reads *graph and its arrays, out_strengths too; seeds: [seed_count]; *options. Writes reached, estimates, residuals:
 * [ecp_push_most], the first result->reached_count of each; *result; *scratch. Reads and writes *past and its arrays, or
 * NULL, and then reads reached, its first past->reached_count: so may a push go on where another paused, with the bits
 * of one, if *past and reached are as that left them and all else is the same. All borrowed; apart. */
ecp_status ecp_push(const ecp_graph *graph, const ecp_seed *seeds, size_t seed_count, const ecp_push_options *options,
                    ecp_push_past *past, uint32_t *reached, float *estimates, float *residuals,
                    ecp_push_result *result, ecp_scratch *scratch);

/* A graph by the nodes that its edges lead to; as ecp_graph, the caller's, borrowed, its promise. A row's edges stand
 * together, in order. But where of rows 8 g to 8 g + 7 none has more edges than the one before, and the first 32 or
 * fewer, the edges of those eight stand by columns: the first of each, then the second of each that has two, and so on. */
typedef struct ecp_incoming {
    const uint32_t *offsets; /* [node_count + 1], ascending, offsets[0] == 0 */
    const uint32_t *sources; /* [offsets[node_count]], each < node_count */
    const float *shares;     /* [offsets[node_count]], finite, >= 0: weights by the sum of those of their source */
    size_t node_count;       /* 1 .. 2^32 - 1 */
} ecp_incoming;

#define ECP_SWEEP_CUES 16u

/* sums_v = scale sum_u s_uv x_u + evenly, for the nodes v from first to end, end left out, of lanes cues side by side:
 * 1 or ECP_SWEEP_CUES. The bits of a row do not depend on first and end, nor on x where no edge of the row begins. Of
 * numbers that are not negative a sum is off by 2^-24 of it for each of 40 roundings at most, however many edges there
 * are.
 * Reads *incoming and its arrays; evenly: [lanes]; x: [node_count][lanes]. Writes sums: [end - first][lanes]. All
 * borrowed; apart. */
ecp_status ecp_pull(const ecp_incoming *incoming, size_t first, size_t end, size_t lanes, float scale,
                    const float *evenly, const float *x, float *sums);

/* ranks = keep ranks + gain sums; the sums are the x of the next sweep.
 * Reads out_strengths: [rows]; sums: [rows][lanes]. Reads and writes ranks: [rows][lanes]. Writes totals: [3][lanes]:
 * how far ranks moved, summed; sums where out_strengths are 0; the largest sum. All borrowed; apart. */
ecp_status ecp_settle(size_t rows, size_t lanes, const float *out_strengths, float keep, float gain,
                      const float *sums, float *ranks, double *totals);

/* ---- Decay ------------------------------------------------------------------------------------------------- */

#define ECP_LAW_EXPONENTIAL 0u /* 2^(-age / first) */
#define ECP_LAW_POWER 1u       /* (1 + age / first)^-second */
#define ECP_LAW_HYPERBOLIC 2u  /* 1 / (1 + age / first) */
#define ECP_LAW_STRETCHED 3u   /* e^-((age / first)^second) */
#define ECP_LAW_SAVINGS 4u     /* first / (first + log10(age / 60)^second), 1 up to a minute */
#define ECP_LAW_STABILITY 5u   /* 0.9^(age / first) */

typedef struct ecp_law {
    uint32_t kind;          /* ECP_LAW_* */
    float floor;            /* finite, >= 0; 0 for none */
    const float *first;     /* [parameter_count], finite, > 0; not checked here. Times are in seconds */
    const float *second;    /* [parameter_count], finite, > 0; not looked at where the law has one parameter */
    size_t parameter_count; /* 1, or the number of strengths */
} ecp_law;

typedef struct ecp_ages {
    const float *seconds;             /* [count], or NULL */
    const int64_t *unix_milliseconds; /* [count], moments since which age runs, where seconds is NULL; or NULL */
    int64_t now;                      /* Unix milliseconds; only with unix_milliseconds */
    const float *uniform;             /* [1], the age of all in seconds, where both are NULL */
} ecp_ages;

typedef struct ecp_selection {
    float threshold;   /* not NaN */
    uint32_t above;    /* 1: what is left at or above the threshold; 0: below it. NaN is neither */
    uint32_t first_id; /* of the first strength; first_id + count <= 2^32 */
    uint32_t *ids;     /* [count]; the first id_count are written, ascending, and others may be */
    size_t id_count;   /* written */
} ecp_selection;

typedef struct ecp_decay_report {
    size_t negative_ages; /* taken as 0 */
    size_t nan_ages;      /* gave NaN */
} ecp_decay_report;

/* decayed[i] = max(strengths[i] R(age[i]), min(strengths[i], floor)), within 1 ulp for second parameters up to 100.
 * Needs no scratch.
 * Reads *law and its parameters; *ages and what it points to; strengths: [count]. Writes decayed: [count], which may be
 * strengths; *report. Reads and writes *selection, which may be NULL, and writes its ids. All borrowed; apart otherwise. */
ecp_status ecp_decay(const ecp_law *law, const ecp_ages *ages, const float *strengths, float *decayed, size_t count,
                     ecp_selection *selection, ecp_decay_report *report);

typedef struct ecp_base_level {
    float d;                     /* above 0, below 1 */
    float least_age;             /* seconds, finite, >= 0: younger presentations count as that old */
    const uint32_t *offsets;     /* [memory_count + 1], never falling: where in ages presentations of each memory are; or
                                    NULL, none are listed. Not checked here */
    const ecp_ages *ages;        /* of presentations; not looked at where none are listed */
    const uint32_t *counts;      /* [memory_count]: presentations of each, also those not listed; or NULL, all are */
    const ecp_ages *lifetimes;   /* [memory_count], of each memory's first presentation; only with counts */
    size_t memory_count;
} ecp_base_level;

/* ACT-R: activations[i] = ln(sum of age^-d over the presentations of memory i); those not listed lie between the oldest
 * listed one, or now, and the first one, as if evenly. -inf without presentations. Within half an ulp and 8.3e-8.
 * Needs no scratch. Reads *level and what it points to. Writes activations: [memory_count]; *report. All borrowed; apart.
 */
ecp_status ecp_base_levels(const ecp_base_level *level, float *activations, ecp_decay_report *report);

#define ECP_FSRS_PARAMETERS 21u

typedef struct ecp_fsrs {
    const double *parameters;    /* [ECP_FSRS_PARAMETERS] of FSRS-6, finite, the last above 0; bounds are of those within
                                    py-fsrs' ranges, as `Fsrs::new` in src/fsrs.rs has them */
    float *stabilities;          /* [count], days; 0: never reviewed; reviews hold them to 0.001 to 36500 */
    float *difficulties;         /* [count], held to 1 to 10; not looked at for retrievabilities */
    const float *elapsed_days;   /* [count], since the last review; below 0 as 0, with a fraction as it is */
    const uint8_t *grades;       /* [count], 1 again to 4 easy; others: not reviewed; not looked at for retrievabilities */
    size_t count;
} ecp_fsrs;

/* What a review makes of stabilities and difficulties, in place, within 0.51 ulp.
 * Needs no scratch. Reads *memories and what it points to; writes its stabilities and difficulties. All borrowed; apart. */
ecp_status ecp_fsrs_review(const ecp_fsrs *memories);

/* retrievabilities[i] = (1 + F elapsed_days[i] / stabilities[i])^-w20, which is 0.9 where the two are one; within 0.69
 * ulp. Needs no scratch. Reads *memories and what it points to. Writes retrievabilities: [count]. All borrowed; apart. */
ecp_status ecp_fsrs_retrievability(const ecp_fsrs *memories, float *retrievabilities);

#ifdef __cplusplus
}
#endif

#endif
