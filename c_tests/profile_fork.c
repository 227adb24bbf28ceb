/* what: a forked child has a record of its own: its calls count from the fork, what it inherited is live at the sites that
 *       made it, and it frees what its parent made.
 * plain: no
 */
#include "record.h"

static CALLER void *in_parent(void) {
    void *p = malloc(100);
    CHECK(p != NULL);
    return p;
}

static CALLER void *in_child(void) {
    void *p = malloc(2000);
    CHECK(p != NULL);
    return p;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        void *made[50];
        for (int i = 0; i < 50; i++) {
            made[i] = in_parent();
        }
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            setenv("unused", "1", 1);
            for (int i = 0; i < 20; i++) {
                free(made[i]);
                in_child();
            }
            exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        char name[60], wanted[60];
        snprintf(name, sizeof name, "%d.mems", (int)child);
        snprintf(wanted, sizeof wanted, "%s-child.mems", argv[1]);
        CHECK(rename(name, wanted) == 0);
        snprintf(name, sizeof name, "%d.mems", (int)getpid());
        snprintf(wanted, sizeof wanted, "%s-parent.mems", argv[1]);
        CHECK(rename(name, wanted) == 0);
        return 0;
    }
    static struct record record;
    const char *modes[2] = {"sites", "stacks"};
    setenv("MEMS_RECORD", ".", 1);
    for (int i = 0; i < 2; i++) {
        static struct seen seen;
        char set[60], name[60];
        snprintf(set, sizeof set, "MEMS_PROFILE=%s", modes[i]);
        run_self(&seen, modes[i], set);
        CHECK(ended_with(&seen, 0));
        snprintf(name, sizeof name, "%s-parent.mems", modes[i]);
        read_record(&record, name);
        check_totals(&record);
        CHECK(sum_at(&record, in_parent, 0, CALLS) == 50 && sum_at(&record, in_parent, 0, LIVE_BLOCKS) == 50);
        CHECK(sum_at(&record, in_child, 0, CALLS) == 0);
        snprintf(name, sizeof name, "%s-child.mems", modes[i]);
        read_record(&record, name);
        check_totals(&record);
        CHECK(sum_at(&record, in_parent, 0, CALLS) == 0 && sum_at(&record, in_parent, 0, LIVE_BLOCKS) == 30);
        CHECK(sum_at(&record, in_child, 0, CALLS) == 20 && sum_at(&record, in_child, 0, LIVE_BLOCKS) == 20);
        CHECK(sum_at(&record, in_parent, 0, PEAK_BLOCKS) == 30);
    }
    return 0;
}
