/* One way each to live and to end, chosen by the first argument. Each leaves figures that the tests know. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile keep[1000];

/* 1000 blocks of 100 bytes stay; as many are freed. */
static void allocate(void) {
    for (int i = 0; i < 1000; i++) {
        keep[i] = malloc(100);
        free(malloc(200));
    }
}

__attribute__((noinline)) static void turn(void) {
    for (int i = 0; i < 100; i++) free(malloc(64));
    usleep(1000);
}

static void *thread(void *argument) {
    (void)argument;
    for (int i = 0; i < 1000; i++) free(malloc(64));
    return NULL;
}

int main(int argc, char **argv) {
    const char *scene = argc > 1 ? argv[1] : "plain";
    if (strcmp(scene, "exec") == 0) {
        int left = atoi(argv[2]);
        char next[16];
        allocate();
        snprintf(next, sizeof next, "%d", left - 1);
        if (left > 0) execl(argv[0], argv[0], "exec", next, (char *)NULL);
        return 7;
    }
    if (strcmp(scene, "plugins") == 0) {
        for (int i = 0; i < 200; i++) {
            void *plugin = dlopen(argv[2], RTLD_NOW);
            if (plugin == NULL) return 3;
            void *(*give)(void) = (void *(*)(void))dlsym(plugin, "give");
            free(give());
            dlclose(plugin);
        }
        return 0;
    }
    if (strcmp(scene, "static") == 0 || strcmp(scene, "run") == 0) {
        allocate();
        execv(argv[2], argv + 2);
        return 3;
    }
    allocate();
    if (strcmp(scene, "kill") == 0) kill(getpid(), SIGKILL);
    if (strcmp(scene, "abort") == 0) abort();
    if (strcmp(scene, "segv") == 0) *(volatile int *)16 = 1;
    if (strcmp(scene, "_exit") == 0) _exit(9);
    if (strcmp(scene, "raw") == 0) syscall(SYS_exit_group, 11);
    if (strcmp(scene, "storm") == 0) {
        for (int i = 0; i < 100; i++) {
            if (fork() == 0) {
                for (int n = 0; n < i; n++) free(malloc(32));
                if (i % 2) syscall(SYS_exit_group, 0);
                exit(0);
            }
        }
        int status, bad = 0;
        while (wait(&status) > 0) bad += status != 0;
        return bad;
    }
    if (strcmp(scene, "spawns") == 0) {
        char *arguments[] = {argv[0], "sleeps", NULL};
        pid_t child;
        return posix_spawn(&child, argv[0], NULL, NULL, arguments, environ);
    }
    if (strcmp(scene, "sleeps") == 0) sleep(2);
    if (strcmp(scene, "removed") == 0) unlink(argv[0]);
    if (strcmp(scene, "daemon") == 0 || strcmp(scene, "removed") == 0) {
        if (daemon(0, 0) != 0) return 3;
        sleep(2);
        return 0;
    }
    if (strcmp(scene, "closes") == 0) {
        for (int fd = 0; fd < 2048; fd++) close(fd);
        allocate();
        pthread_t one;
        if (pthread_create(&one, NULL, thread, NULL) != 0 || pthread_join(one, NULL) != 0) _exit(3);
        kill(getpid(), SIGKILL);
    }
    if (strcmp(scene, "threads") == 0) {
        pthread_t all[64];
        for (int i = 0; i < 64; i++) if (pthread_create(&all[i], NULL, thread, NULL) != 0) return 3;
        for (int i = 0; i < 64; i++) pthread_join(all[i], NULL);
        if (argc > 2) kill(getpid(), SIGKILL);
    }
    if (strcmp(scene, "wait") == 0) {
        puts("ready");
        fflush(stdout);
        sleep(30);
    }
    if (strcmp(scene, "busy") == 0) {
        puts("ready");
        fflush(stdout);
        for (int i = 0; i < 30000; i++) turn();
    }
    if (strcmp(scene, "term") == 0) {
        sigset_t set;
        int got;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, NULL);
        puts("ready");
        fflush(stdout);
        sigwait(&set, &got);
        return 42;
    }
    if (strcmp(scene, "copy") == 0) {
        char buffer[4096];
        ssize_t n;
        while ((n = read(0, buffer, sizeof buffer)) > 0) if (write(1, buffer, n) != n) return 3;
        fputs("said to stderr\n", stderr);
        return 5;
    }
    return 0;
}
