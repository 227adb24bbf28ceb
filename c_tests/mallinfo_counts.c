/* what: mallinfo, the old form with int fields, follows what the program holds.
 */
#include "check.h"
#include <malloc.h>
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

int main(void) {
    struct mallinfo before = mallinfo();
    void *large = malloc(20 << 20);
    void *small = malloc(3000);
    CHECK(large && small);
    struct mallinfo after = mallinfo();
    CHECK(after.uordblks + after.hblkhd >= before.uordblks + before.hblkhd + (20 << 20) + 3000);
    free(large);
    free(small);
    after = mallinfo();
    CHECK(after.uordblks + after.hblkhd < before.uordblks + before.hblkhd + (1 << 20));
    return 0;
}
