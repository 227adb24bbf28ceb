/* what: the program clears, overwrites and unmaps its environment and arguments (as daemons that set their title do): exit goes well.
 * mode: preload
 */
#include "pit.h"

extern char **environ;

int main(int argc, char **argv) {
    for (int way = 0; way < 5; way++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            exercise((unsigned long)way, 500);
            if (way == 0) {
                clearenv();
            } else if (way == 1) {
                environ = NULL;
            } else if (way == 2) {
                for (char **e = environ; *e; e++) {
                    memset(*e, 'x', strlen(*e));
                }
                for (int i = 0; i < argc; i++) {
                    memset(argv[i], 'y', strlen(argv[i]));
                    argv[i] = NULL;
                }
            } else if (way == 3) {
                char **page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                page[0] = (char *)&page[2];
                page[1] = NULL;
                memcpy(&page[2], "A=1", 4);
                environ = page;
                free(get(10));
                munmap(page, 4096);
            } else {
                environ = (char **)16;
            }
            exercise((unsigned long)way, 500);
            if (way == 4) {
                _exit(0);
            }
            exit(0);
        }
        CHECK(ended_well(child));
    }
    return 0;
}
