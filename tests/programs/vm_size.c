/* Prints its VmSize in KiB after one small malloc. */
#include "check.h"
#include <stdio.h>

int main(void) {
    char *p = malloc(100);
    CHECK(p != NULL);
    printf("%ld\n", status_kib("VmSize"));
    free(p);
    return 0;
}
