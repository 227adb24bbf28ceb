/* what: free of memory that the program mapped itself, made to look like a block that was mapped.
 * stdout: ^HARMLESS$
 * stderr: ^mems: free of 0x[0-9a-f]+ \(not from MeMS: left alone\), called from 0x[0-9a-f]+$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    size_t *page = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[512 * 2] = 0;
    page[512 * 2 + 1] = 4096 | 2;
    page[512 * 2 + 2] = 1;
    warm_up(1000);
    free(opaque(page + 512 * 2 + 2));
    take_stock(4000, page + 512 * 2);
    unsigned char resident;
    verdict(mincore(page + 512 * 2, 4096, &resident) == 0 && page[512 * 2 + 2] == 1 ? "HARMLESS" : "SILENT");
}
