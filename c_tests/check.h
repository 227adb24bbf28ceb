/* What the C tests share: CHECK prints the line that failed and ends the process with code 1.
 *
 * Nothing here allocates, so that a test may use it at any point of a process's life, in a signal handler and
 * with a broken heap.
 */
#ifndef MEMS_CHECK_H
#define MEMS_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void check_put(const char *text) {
    ssize_t written = write(2, text, strlen(text));
    (void)written;
}

static inline void check_number(long n) {
    char digits[24];
    char *at = digits + sizeof digits - 1;
    unsigned long u = n < 0 ? 0UL - (unsigned long)n : (unsigned long)n;
    *at = 0;
    do {
        *--at = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (n < 0) {
        *--at = '-';
    }
    check_put(at);
}

__attribute__((noreturn)) static inline void check_failed(const char *file, long line, const char *what,
                                                          long error) {
    check_put(file);
    check_put(":");
    check_number(line);
    check_put(": not true: ");
    check_put(what);
    check_put(" (errno ");
    check_number(error);
    check_put(")\n");
    _exit(1);
}

/* The condition holds. */
#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            check_failed(__FILE__, __LINE__, #condition, errno);                                             \
        }                                                                                                    \
    } while (0)

/* errno is exactly `expected`. */
#define CHECK_ERRNO(expected)                                                                                \
    do {                                                                                                     \
        if (errno != (expected)) {                                                                           \
            check_failed(__FILE__, __LINE__, "errno == " #expected, errno);                                  \
        }                                                                                                    \
    } while (0)

/* `p` is a multiple of `alignment`. */
#define ALIGNED(p, alignment) (((uintptr_t)(p) & ((uintptr_t)(alignment)-1)) == 0)

/* All `n` bytes at `p` have the value `byte`. */
static inline int holds_only(const void *p, int byte, size_t n) {
    const unsigned char *at = (const unsigned char *)p;
    for (size_t i = 0; i < n; i++) {
        if (at[i] != (unsigned char)byte) {
            return 0;
        }
    }
    return 1;
}

/* A number that the compiler cannot know, so that it does not reason calls of malloc away. */
static inline size_t unknown(size_t n) {
    __asm__ volatile("" : "+r"(n));
    return n;
}

/* A figure of /proc/self/status in KiB, such as "VmRSS"; -1 when it is not there. */
static inline long status_kib(const char *field) {
    char text[8192];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    size_t have = 0;
    ssize_t got;
    while (have < sizeof text - 1 && (got = read(fd, text + have, sizeof text - 1 - have)) > 0) {
        have += (size_t)got;
    }
    close(fd);
    text[have] = 0;
    size_t length = strlen(field);
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, field, length) == 0 && line[length] == ':') {
            return strtol(line + length + 1, NULL, 10);
        }
    }
    return -1;
}

/* The path of this very program. */
static inline const char *own_path(void) {
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    CHECK(n > 0);
    path[n] = 0;
    return path;
}

/* How many mappings (lines of /proc/self/maps) the process has. */
static inline long mappings(void) {
    char text[4096];
    long lines = 0;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t got;
    while ((got = read(fd, text, sizeof text)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            lines += text[i] == '\n';
        }
    }
    close(fd);
    return lines;
}

#endif
