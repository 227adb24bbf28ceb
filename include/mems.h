/* MeMS: memory in a virtual address space of its own.
 *
 * mems_malloc gives a MeMS virtual address, which means nothing to the machine; mems_get gives the physical
 * address behind it (what mmap gave, to be read and written). Link with -lmems, preload libmems.so, or load it
 * with dlopen. All functions may be called from any thread.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef MEMS_H
#define MEMS_H

#include <stddef.h>

/* Bytes that MeMS asks the system for at a time: any power of two from 1024 to 1048576.
 * cc -DPAGE_SIZE=8192 changes it without rebuilding the library. */
#ifndef PAGE_SIZE
#define PAGE_SIZE 4096
#endif

/* The first MeMS virtual address. */
#ifndef MEMS_START_VA
#define MEMS_START_VA 1000
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Starts anew, in pages of PAGE_SIZE from MEMS_START_VA on. Any call before it does the same with the defaults
 * (4096 and 1000, or MEMS_PAGE_SIZE and MEMS_START_VA from the environment). */
void mems_init(void);

/* Unmaps everything. */
void mems_finish(void);

/* Exactly `size` bytes: their MeMS virtual address. NULL for size 0, and, with errno ENOMEM, when there is no
 * memory. With MEMS_START_VA 0 the first address is NULL itself, and valid. */
void *mems_malloc(size_t size);

/* Frees what mems_malloc gave. For any other address: one line on stderr, and nothing changes. */
void mems_free(void *ptr);

/* Prints the main chain with its sub-chains on stdout. */
void mems_print_stats(void);

/* The physical address of the byte at a MeMS virtual address, any byte of a live segment. NULL, and one line on
 * stderr, for any other address. It holds as long as the segment lives. */
void *mems_get(void *v_ptr);

/* mems_init with a page size and a start address at run time. */
void mems_init_with(size_t page_size, size_t start_va);

#ifdef __cplusplus
}
#endif

/* The two macros are the program's, so the program hands them over. */
#define mems_init() mems_init_with((size_t)(PAGE_SIZE), (size_t)(MEMS_START_VA))

#endif
