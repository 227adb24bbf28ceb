/* what: ten plugins with thread-local data of their own are opened while threads run, used in all of them, and closed: the dynamic linker allocates for each.
 * mode: preload
 * flags: -pthread
 * plugin: pit_tls
 */
#include "pit.h"
#include <dlfcn.h>

#define PLUGINS 10
#define THREADS 20
static void *handle[PLUGINS];
static pthread_barrier_t all_here;

static void use(int value) {
    for (int i = 0; i < PLUGINS; i++) {
        int (*touch)(int) = (int (*)(int))dlsym(handle[i], "tls_touch");
        CHECK(touch && touch(value + i) == 1);
    }
    for (int i = 0; i < PLUGINS; i++) {
        ((void (*)(void))dlsym(handle[i], "tls_end"))();
    }
}

static void *thread(void *seed) {
    exercise((unsigned long)seed, 100);
    pthread_barrier_wait(&all_here);
    pthread_barrier_wait(&all_here);
    use((int)(long)seed);
    exercise((unsigned long)seed, 100);
    pthread_barrier_wait(&all_here);
    return NULL;
}

int main(void) {
    char copy[PLUGINS][4300], bytes[65536];
    pthread_t t[THREADS];
    CHECK(pthread_barrier_init(&all_here, NULL, THREADS + 1) == 0);
    int from = open(library("pit_tls"), O_RDONLY);
    CHECK(from >= 0);
    for (int i = 0; i < PLUGINS; i++) {
        ssize_t n;
        snprintf(copy[i], sizeof copy[i], "%s/copy%d.so", getcwd(bytes, sizeof bytes), i);
        int to = open(copy[i], O_WRONLY | O_CREAT | O_TRUNC, 0700);
        CHECK(to >= 0 && lseek(from, 0, SEEK_SET) == 0);
        while ((n = read(from, bytes, sizeof bytes)) > 0) {
            CHECK(write(to, bytes, (size_t)n) == n);
        }
        close(to);
    }
    for (int round = 0; round < 3; round++) {
        for (long i = 0; i < THREADS; i++) {
            CHECK(pthread_create(&t[i], NULL, thread, (void *)i) == 0);
        }
        pthread_barrier_wait(&all_here);
        for (int i = 0; i < PLUGINS; i++) {
            handle[i] = dlopen(copy[i], RTLD_NOW);
            CHECK(handle[i]);
        }
        pthread_barrier_wait(&all_here);
        use(99);
        pthread_barrier_wait(&all_here);
        for (int i = 0; i < THREADS; i++) {
            CHECK(pthread_join(t[i], NULL) == 0);
        }
        for (int i = 0; i < PLUGINS; i++) {
            CHECK(dlclose(handle[i]) == 0);
        }
    }
    for (int i = 0; i < PLUGINS; i++) {
        unlink(copy[i]);
    }
    return 0;
}
