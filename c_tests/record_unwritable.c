/* what: a record that cannot be written, for want of the directory or of room on the disk, is said in one line, and the program
 *       goes its way; a bad MEMS_PROFILE names what is legal.
 * plain: no
 */
#include "run_self.h"

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        free(malloc(unknown(100)));
        return 7;
    }
    static struct seen seen;
    CHECK(setenv("MEMS_STATS", "off", 1) == 0);
    run_self(&seen, "child", "MEMS_RECORD=nowhere/at/all");
    CHECK(ended_with(&seen, 7) && times(seen.text, "\n") >= 1);
    CHECK(strstr(seen.text, "mems: MEMS_RECORD: cannot open nowhere/at/all (error 2)") == seen.text);
    run_self(&seen, "child", "MEMS_RECORD=/dev/full");
    CHECK(ended_with(&seen, 7) && times(seen.text, "\n") == 1);
    CHECK(strstr(seen.text, "mems: MEMS_RECORD: cannot write /dev/full") == seen.text);
    run_self(&seen, "child", "MEMS_PROFILE=sample:0");
    CHECK(ended_with(&seen, 7) && strstr(seen.text, "legal: off, sites, stacks, sample or sample:BYTES") != NULL);
    return 0;
}
