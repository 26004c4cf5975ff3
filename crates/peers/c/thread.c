// A bump arena for each thread, as a program in C has it.

#include <stddef.h>
#include <stdlib.h>

static __thread unsigned char *start, *cursor, *end;

// Room for this thread; a multiple of 64. Returns whether there is any.
int peers_thread_open(size_t room) {
    start = cursor = aligned_alloc(64, room);
    end = start ? start + room : NULL;
    return start != NULL;
}

// 64-byte aligned; NULL when there is no room.
void *peers_thread_take(size_t size) {
    if (size > (size_t)(end - cursor)) return NULL;
    unsigned char *block = cursor;
    cursor += (size + 63) & ~(size_t)63;
    return block;
}

void peers_thread_reset(void) {
    cursor = start;
}

void peers_thread_close(void) {
    free(start);
    start = cursor = end = NULL;
}
