// Pages as a program in C gets them, one byte written in each, and given back. Each returns whether there were any.

#define _DEFAULT_SOURCE
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void touch(volatile unsigned char *start, size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t at = 0; at < bytes; at += page) start[at] = 1;
}

int peers_pages_mmap(size_t bytes) {
    void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return 0;
    touch(start, bytes);
    return munmap(start, bytes) == 0;
}

int peers_pages_malloc(size_t bytes) {
    void *start = malloc(bytes);
    if (!start) return 0;
    touch(start, bytes);
    free(start);
    return 1;
}

int peers_pages_calloc(size_t bytes) {
    void *start = calloc(1, bytes);
    if (!start) return 0;
    touch(start, bytes);
    free(start);
    return 1;
}
