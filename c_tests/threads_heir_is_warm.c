/* what: a thread that comes after another finds its free memory, and malloc_trim gives that back while no thread has it.
 * flags: -pthread
 * plain: no
 */
#include "check.h"
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>

/* Free blocks of twelve sizes, 60 KiB of each: less than a MiB in all. */
enum { SIZES = 12, BYTES = 60 << 10 };

static long minor_faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

static long fills(void) {
    long faults = -minor_faults();
    for (size_t k = 1; k <= SIZES; k++) {
        char *held[BYTES / 64];
        size_t size = k * 64, count = BYTES / size;
        for (size_t i = 0; i < count; i++) {
            held[i] = malloc(size);
            CHECK(held[i] != NULL);
            memset(held[i], 1, size);
        }
        for (size_t i = 0; i < count; i++) {
            free(held[i]);
        }
    }
    return faults + minor_faults();
}

static void *last;

static void *one(void *faults) {
    *(long *)faults = fills();
    void *held[9];
    for (int i = 0; i < 9; i++) {
        held[i] = malloc(2000);
    }
    last = held[5];
    for (int i = 0; i < 9; i++) {
        free(held[(i + 6) % 9]);
    }
    return NULL;
}

static void *heir(void *found) {
    void *block = malloc(2000);
    *(void **)found = block;
    free(block);
    return NULL;
}

static long thread_faults(void) {
    long faults;
    pthread_t t;
    CHECK(pthread_create(&t, NULL, one, &faults) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    return faults;
}

int main(void) {
    long first = thread_faults();
    long second = thread_faults();
    CHECK(first > 150);
    CHECK(second < 20);
    void *found;
    pthread_t t;
    CHECK(pthread_create(&t, NULL, heir, &found) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(found == last);
    long before = status_kib("VmRSS");
    CHECK(malloc_trim(0) == 1);
    CHECK(status_kib("VmRSS") < before - 350);
    /* A heap that was emptied is as good as before. */
    CHECK(thread_faults() > 150);
    CHECK(thread_faults() < 20);
    return 0;
}
