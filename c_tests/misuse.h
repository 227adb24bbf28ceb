/* What the misuse programs share. Each one misuses the heap, then goes on as an attacked program would and says in one
 * word on stdout how it stands, if it was not stopped before:
 *
 *   HARMLESS     the heap is sound, and nothing that is not the program's own was read or changed
 *   SILENT       bytes were changed or read that belong to another block, and nobody said so
 *   EXPLOITABLE  one block was given out twice, or an address of the attacker's choice was
 */
#ifndef MEMS_MISUSE_H
#define MEMS_MISUSE_H

#include "pit.h"

/* An address that an attacker would want malloc to return: memory that is no block. */
static unsigned char target[4096] __attribute__((aligned(64)));

__attribute__((noreturn)) static inline void verdict(const char *word) {
    ssize_t written = write(1, word, strlen(word));
    written = write(1, "\n", 1);
    (void)written;
    exit(0);
}

/* Takes 512 blocks of `size` without freeing any, and tells what they show: two that overlap, one in `target` or in
 * [forbidden, forbidden + size), where a live block is. Then tries the heap with other sizes. */
static inline void take_stock(size_t size, void *forbidden) {
    enum { COUNT = 512 };
    static unsigned char *block[COUNT];
    int count = size > 65536 ? 24 : COUNT;
    for (int i = 0; i < count; i++) {
        block[i] = (unsigned char *)get(size);
        if (!block[i]) {
            verdict("EXPLOITABLE");
        }
        if (block[i] + size > target && block[i] < target + sizeof target) {
            verdict("EXPLOITABLE");
        }
        unsigned char *there = (unsigned char *)forbidden;
        if (there && block[i] + size > there && block[i] < there + size) {
            verdict("EXPLOITABLE");
        }
        for (int k = 0; k < i; k++) {
            if (block[k] + size > block[i] && block[i] + size > block[k]) {
                verdict("EXPLOITABLE");
            }
        }
        memset(block[i], i & 127, size < 4096 ? size : 4096);
    }
    for (int i = 0; i < count; i++) {
        if (!holds_only(block[i], i & 127, size < 4096 ? size : 4096)) {
            verdict("SILENT");
        }
        free(block[i]);
    }
    exercise(size, 3000);
}

/* The same, where nothing else can be wrong. */
__attribute__((noreturn)) static inline void take_stock_and_end(size_t size, void *forbidden) {
    take_stock(size, forbidden);
    verdict("HARMLESS");
}

/* A stack of `size` blocks in use, so that a slab of that size is neither new nor empty. */
static inline void warm_up(size_t size) {
    void *block[40];
    for (int i = 0; i < 40; i++) {
        block[i] = get(size);
    }
    for (int i = 0; i < 40; i += 2) {
        free(block[i]);
    }
}

#endif
