/* The same six functions as a plain linear list: what one would write first, and what the benchmark compares with.
 *
 * A doubly linked main chain of regions, each with a doubly linked sub-chain of PROCESS and HOLE segments; every
 * operation scans from the front. Nodes come from mmap, a page at a time. One thread only.
 */
#define _GNU_SOURCE
#include "mems.h"
#undef mems_init
#include <stdio.h>
#include <sys/mman.h>

struct segment {
    size_t start, size;
    int process;
    struct segment *prev, *next;
};

struct region {
    size_t start, size;
    char *physical;
    struct segment *first;
    struct region *prev, *next;
};

union node {
    struct segment segment;
    struct region region;
    union node *spare;
};

struct page {
    struct page *before;
    union node nodes[];
};

static struct region *first, *last;
static union node *spare;
static struct page *pages;
static size_t page_size = PAGE_SIZE, next_start = MEMS_START_VA;

static void *map(size_t size) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static union node *new_node(void) {
    if (!spare) {
        struct page *page = map(4096);
        if (!page) {
            return NULL;
        }
        page->before = pages;
        pages = page;
        for (size_t i = 0; i < (4096 - sizeof *page) / sizeof(union node); i++) {
            page->nodes[i].spare = spare;
            spare = &page->nodes[i];
        }
    }
    union node *node = spare;
    spare = node->spare;
    return node;
}

static void give_back(void *node) {
    ((union node *)node)->spare = spare;
    spare = node;
}

void mems_finish(void) {
    for (struct region *r = first; r; r = r->next) {
        munmap(r->physical, r->size);
    }
    while (pages) {
        struct page *before = pages->before;
        munmap(pages, 4096);
        pages = before;
    }
    first = last = NULL;
    spare = NULL;
    next_start = MEMS_START_VA;
}

void mems_init_with(size_t page, size_t start) {
    mems_finish();
    page_size = page;
    next_start = start;
}

void mems_init(void) { mems_init_with(PAGE_SIZE, MEMS_START_VA); }

/* Cuts `size` bytes off the front of a hole. */
static void *cut(struct segment *hole, size_t size) {
    if (hole->size > size) {
        union node *node = new_node();
        if (!node) {
            return NULL;
        }
        struct segment *rest = &node->segment;
        *rest = (struct segment){hole->start + size, hole->size - size, 0, hole, hole->next};
        if (rest->next) {
            rest->next->prev = rest;
        }
        hole->next = rest;
        hole->size = size;
    }
    hole->process = 1;
    return (void *)hole->start;
}

/* For the benchmark, while it fills a large system: looks at the last region only. Filling a million segments with the whole
 * scan takes a quarter of an hour. */
int linear_from_last;

void *mems_malloc(size_t size) {
    if (size == 0) {
        return NULL;
    }
    for (struct region *r = linear_from_last ? last : first; r; r = r->next) {
        for (struct segment *s = r->first; s; s = s->next) {
            if (!s->process && s->size >= size) {
                return cut(s, size);
            }
        }
    }
    size_t len = (size + page_size - 1) / page_size * page_size;
    union node *r = new_node(), *s = new_node();
    char *physical = r && s ? map(len) : NULL;
    if (!physical) {
        return NULL;
    }
    s->segment = (struct segment){next_start, len, 0, NULL, NULL};
    r->region = (struct region){next_start, len, physical, &s->segment, last, NULL};
    *(last ? &last->next : &first) = &r->region;
    last = &r->region;
    next_start += len;
    return cut(&s->segment, size);
}

/* Joins a hole with the hole behind it. */
static void join(struct segment *s) {
    struct segment *behind = s ? s->next : NULL;
    if (!behind || s->process || behind->process) {
        return;
    }
    s->size += behind->size;
    s->next = behind->next;
    if (s->next) {
        s->next->prev = s;
    }
    give_back(behind);
}

static struct segment *find(size_t address, struct region **region) {
    for (struct region *r = first; r; r = r->next) {
        for (struct segment *s = r->first; s; s = s->next) {
            if (address - s->start < s->size) {
                *region = r;
                return s;
            }
        }
    }
    return NULL;
}

void mems_free(void *ptr) {
    struct region *r;
    struct segment *s = find((size_t)ptr, &r);
    if (!s || !s->process || s->start != (size_t)ptr) {
        fprintf(stderr, "linear: mems_free of a wrong address\n");
        return;
    }
    s->process = 0;
    join(s);
    join(s->prev);
}

void *mems_get(void *v_ptr) {
    struct region *r;
    struct segment *s = find((size_t)v_ptr, &r);
    return s && s->process ? r->physical + ((size_t)v_ptr - r->start) : NULL;
}

void mems_print_stats(void) {
    printf("----- MeMS SYSTEM STATS -----\n");
    size_t used = 0, unused = 0, regions = 0;
    for (struct region *r = first; r; r = r->next) {
        printf("MAIN[%zu:%zu]-> ", r->start, r->start + r->size - 1);
        for (struct segment *s = r->first; s; s = s->next) {
            printf("%c[%zu:%zu] <-> ", s->process ? 'P' : 'H', s->start, s->start + s->size - 1);
            unused += s->process ? 0 : s->size;
        }
        printf("NULL\n");
        used += r->size / page_size;
        regions++;
    }
    printf("Pages used:\t%zu\nSpace unused:\t%zu\nMain Chain Length:\t%zu\n", used, unused, regions);
    printf("Sub-chain Length array: [");
    for (struct region *r = first; r; r = r->next) {
        size_t length = 0;
        for (struct segment *s = r->first; s; s = s->next) {
            length++;
        }
        printf("%zu, ", length);
    }
    printf("]\n-----------------------------\n");
}
