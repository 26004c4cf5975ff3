/* Signal handlers that use the arena of the thread they interrupt. A line for each check that fails.
 * Handlers write nothing out: they note the line of a check that failed. */

#define _POSIX_C_SOURCE 200809L

#include "ecphory.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DIM = 96, ROWS = 300, IDS = 200, SMALL_IDS = 9, CAPACITY = 256 << 10, WANTED = 10000, LINES = 400 };

static atomic_uint failed[LINES];
#define HOLDS(condition) ((condition) ? (void)0 : (void)atomic_fetch_add(&failed[__LINE__], 1u))

static float query[DIM], rows[ROWS * DIM];
static uint32_t ids[IDS];
static float expected[IDS], expected_small[SMALL_IDS];

/* Handlers that found an arena, and that found none. */
static atomic_uint with_arena, without_arena;
static atomic_int stop;

static int is(const void *bytes, int value, size_t count) {
    const unsigned char *first = bytes;
    for (size_t i = 0; i < count; i++)
        if (first[i] != value) return 0;
    return 1;
}

static const ecp_rows known = {rows, ECP_TYPE_F32, 0, ROWS, DIM, DIM, NULL, NULL, NULL, NULL};
static const ecp_rows cue = {query, ECP_TYPE_F32, 0, 1, DIM, DIM, NULL, NULL, NULL, NULL};
static const ecp_search whole = {ECP_METRIC_COSINE, ECP_PRECISION_FAST, ECP_PACKING_WHOLE, 0};

static ecp_status gather(size_t count, float *scores, uint32_t packing, ecp_scratch *scratch) {
    ecp_search search = whole;
    search.packing = packing;
    return ecp_gather(&search, &cue, &known, ids, count, scores, scratch);
}

/* A block of the innermost scope: as ecphory.h says of ecp_arena, or by a call. */
static void *take(ecp_arena *head, size_t size) {
    void *block = NULL;
    if (head == NULL || size > head->capacity - head->cursor) {
        HOLDS(ecp_arena_alloc(size, &block, NULL) == ECP_OK);
        return block;
    }
    size_t start = head->cursor;
    __atomic_store_n(&head->cursor, start + (size + 63) / 64 * 64, __ATOMIC_RELAXED);
    __atomic_store_n(&head->allocation_count, head->allocation_count + 1, __ATOMIC_RELAXED);
    return head->base + start;
}

/* The bits of a call that nothing interrupts. */
static void handle_with_arena(void) {
    size_t mark = 0;
    float scores[SMALL_IDS];
    void *block = NULL, *none = NULL;
    ecp_arena *head = NULL;
    HOLDS(gather(SMALL_IDS, scores, ECP_PACKING_WHOLE, NULL) == ECP_OK);
    HOLDS(memcmp(scores, expected_small, sizeof scores) == 0);
    HOLDS(ecp_arena_mark(&mark, &head) == ECP_OK);
    block = take(head, 1000);
    if (block == NULL) return;
    memset(block, 0xEE, 1000);
    memset(scores, 0, sizeof scores);
    HOLDS(gather(SMALL_IDS, scores, ECP_PACKING_TILED, NULL) == ECP_OK);
    HOLDS(memcmp(scores, expected_small, sizeof scores) == 0);
    HOLDS(ecp_arena_alloc((size_t)1 << 40, &none, NULL) == ECP_OUT_OF_MEMORY && none == NULL);
    HOLDS(is(block, 0xEE, 1000));
    HOLDS(ecp_arena_rewind(mark) == ECP_OK);
}

static void handle_without_arena(void) {
    ecp_scratch scratch = {0};
    ecp_arena_stats stats;
    float scores[SMALL_IDS] = {7};
    void *block = NULL;
    HOLDS(gather(SMALL_IDS, scores, ECP_PACKING_WHOLE, &scratch) == ECP_OUT_OF_MEMORY);
    HOLDS(scores[0] == 7 && scratch.capacity == 0 && scratch.need == ecp_gather_need(&whole, &cue, &known, SMALL_IDS));
    HOLDS(ecp_arena_alloc(64, &block, NULL) == ECP_OUT_OF_MEMORY && block == NULL);
    ecp_arena_thread_stats(&stats);
    HOLDS(stats.live_arenas == 0);
}

static void handle(int number) {
    int error = errno;
    ecp_arena_stats before, after;
    size_t mark = 0;
    (void)number;
    ecp_arena_freeze();
    ecp_arena_thread_stats(&before);
    /* More than there is: that would need pages. */
    HOLDS(ecp_arena_grow((size_t)1 << 40) != ECP_OK);
    if (ecp_arena_mark(&mark, NULL) == ECP_OK) {
        HOLDS(before.live_arenas == 1);
        HOLDS(ecp_arena_rewind(mark) == ECP_OK);
        handle_with_arena();
        atomic_fetch_add(&with_arena, 1u);
    } else {
        HOLDS(before.live_arenas == 0);
        handle_without_arena();
        atomic_fetch_add(&without_arena, 1u);
    }
    ecp_arena_thread_stats(&after);
    HOLDS(after.current_usage == before.current_usage && after.capacity == before.capacity);
    ecp_arena_thaw();
    errno = error;
}

/* Holds blocks while kernels run, and looks at all of them before it gives them back. */
static void round_of_work(unsigned round) {
    static float scores[IDS];
    enum { BLOCKS = 5 };
    void *blocks[BLOCKS] = {0};
    size_t outer = 0, inner = 0, size = 64 + round * 211 % 8000;
    ecp_arena *head = NULL;
    HOLDS(ecp_arena_mark(&outer, &head) == ECP_OK);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = take(round % 2 ? head : NULL, size);
        if (blocks[i] == NULL) return;
        memset(blocks[i], i + 1, size);
        if (i == 2) HOLDS(ecp_arena_mark(&inner, NULL) == ECP_OK);
        memset(scores, 0, sizeof scores);
        HOLDS(gather(IDS, scores, i % 2 ? ECP_PACKING_TILED : ECP_PACKING_WHOLE, NULL) == ECP_OK);
        HOLDS(memcmp(scores, expected, sizeof scores) == 0);
    }
    for (int i = 0; i < BLOCKS; i++) HOLDS(is(blocks[i], i + 1, size));
    HOLDS(ecp_arena_rewind(inner) == ECP_OK);
    for (int i = 0; i < 3; i++) HOLDS(is(blocks[i], i + 1, size));
    HOLDS(ecp_arena_rewind(outer) == ECP_OK);
    HOLDS(gather(IDS, scores, ECP_PACKING_WHOLE, NULL) == ECP_OK);
    HOLDS(memcmp(scores, expected, sizeof scores) == 0);
}

/* Interrupted at work, between calls, while the arena grows, is born and ends. */
static void *work(void *unused) {
    for (unsigned round = 0; !atomic_load(&stop); round++) {
        round_of_work(round);
        if (round % 8 == 3) HOLDS(ecp_arena_grow((size_t)CAPACITY * 2) == ECP_OK);
        if (round % 8 == 7) ecp_arena_release();
    }
    ecp_arena_release();
    return unused;
}

static void *wait_for_the_end(void *unused) {
    while (!atomic_load(&stop)) sched_yield();
    return unused;
}

/* Interrupts a thread of `life` until `count` has reached `wanted`. */
static void interrupt(void *(*life)(void *), atomic_uint *count, unsigned wanted) {
    pthread_t thread;
    time_t start = time(NULL);
    atomic_store(&stop, 0);
    if (pthread_create(&thread, NULL, life, NULL) != 0) {
        HOLDS(!"a thread");
        return;
    }
    while (atomic_load(count) < wanted && time(NULL) - start < 60) {
        HOLDS(pthread_kill(thread, SIGUSR1) == 0);
        sched_yield();
    }
    HOLDS(atomic_load(count) >= wanted);
    atomic_store(&stop, 1);
    pthread_join(thread, NULL);
}

static void prepare(void) {
    for (size_t i = 0; i < ROWS * DIM; i++) rows[i] = (float)(i * 7919 % 1009) / 1009 - 0.5f;
    for (size_t i = 0; i < DIM; i++) query[i] = (float)(i * 31 % 97) / 97 - 0.25f;
    for (size_t i = 0; i < IDS; i++) ids[i] = (uint32_t)(i * 17 % ROWS);
}

int main(void) {
    struct sigaction action = {0};
    ecp_arena_stats stats;
    int failures = 0;
    prepare();
    action.sa_handler = handle;
    sigemptyset(&action.sa_mask);
    HOLDS(sigaction(SIGUSR1, &action, NULL) == 0);

    /* A thread that never had an arena has none because of a handler: none was born, so the capacity may change. */
    interrupt(wait_for_the_end, &without_arena, 200);
    ecp_arena_total_stats(&stats);
    HOLDS(atomic_load(&with_arena) == 0 && stats.live_arenas == 0 && stats.capacity == 0);
    HOLDS(ecp_arena_configure(CAPACITY) == ECP_OK);

    HOLDS(gather(IDS, expected, ECP_PACKING_WHOLE, NULL) == ECP_OK);
    HOLDS(gather(SMALL_IDS, expected_small, ECP_PACKING_WHOLE, NULL) == ECP_OK);
    ecp_arena_release();
    interrupt(work, &with_arena, WANTED);
    ecp_arena_total_stats(&stats);
    HOLDS(stats.live_arenas == 0 && stats.current_usage == 0);

    for (int line = 0; line < LINES; line++) {
        unsigned times = atomic_load(&failed[line]);
        if (times == 0) continue;
        printf("signals.c:%d: did not hold %u times\n", line, times);
        failures++;
    }
    return failures != 0;
}
