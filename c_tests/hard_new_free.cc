/* what: hardened, a block of operator new that is given to free is reported.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(48-byte block of operator new\), called from 0x[0-9a-f]+
 */
#include "pit.h"
#include <new>

int main() {
    free(opaque(::operator new(48)));
}
