/* what: 40 generations of forked children, each freeing its parent's block and handing on its own.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    char *handed = get(100);
    strcpy(handed, "generation 0");
    for (int i = 1; i <= 40; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child > 0) {
            int well = ended_well(child);
            free(handed);
            return well ? 0 : 1;
        }
        CHECK(atoi(handed + 11) == i - 1);
        free(handed);
        handed = get((size_t)i * 500);
        snprintf(handed, 100, "generation %d", i);
        exercise((unsigned long)i, 200);
    }
    free(handed);
    return 0;
}
