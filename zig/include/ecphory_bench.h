/* ecphory_bench.h: what benchmarks need from inside. Only in archives built with the option bench; no promise of
 * stability. Nothing here keeps a pointer or frees anything of the caller's. Every loop runs in the tier in use. */
#ifndef ECPHORY_BENCH_H
#define ECPHORY_BENCH_H

#include <stdbool.h>

#include "ecphory.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads words: [count] (borrowed) in whole registers, and returns all of them or-ed; with prefetched, fetching 2 KiB
 * ahead. Less than one block of eight registers at the end is left out. */
uint64_t ecp_bench_read(const uint64_t *words, size_t count, bool prefetched);
/* Work in registers alone; each returns how many operations it did, counting a product and a sum as two, and 0 where
 * the tier has no instruction for it. */
uint64_t ecp_bench_multiply_adds(size_t rounds);
uint64_t ecp_bench_i8_dots(size_t rounds);
uint64_t ecp_bench_bf16_dots(size_t rounds);
/* count additions, rounded down to a multiple of 16, each waiting for the one before: returned. */
uint64_t ecp_bench_dependent_adds(size_t count);
/* A call, and nothing else. */
void ecp_bench_empty(void);

/* count blocks of size bytes from the thread's arena, rewound after every 64. Without counted, rewinds keep neither
 * counts nor the high-water mark. */
ecp_status ecp_bench_arena_allocs(size_t size, size_t count, bool counted);
/* The same with the blocks carved out of one need, as kernels do, for each 64. */
ecp_status ecp_bench_arena_carves(size_t size, size_t count);
/* count times: blocks of 3, 4 and 8 KiB, each asked for by itself, 8 bytes written in each, given back. */
ecp_status ecp_bench_arena_blocks3(size_t count);
/* The same, the blocks carved out of one need, as kernels do. */
ecp_status ecp_bench_arena_kernel3(size_t count, bool counted);
/* Once, and nothing else in the call. */
ecp_status ecp_bench_arena_kernel3_once(void);
ecp_status ecp_bench_arena_kernel3_once_uncounted(void);
/* Maps the pages of an arena, with touched writes one byte in each, and gives them back. */
ecp_status ecp_bench_arena_birth(size_t capacity, bool touched);

#ifdef __cplusplus
}
#endif

#endif
