/* what: hardened, a block of malloc that is given to operator delete is reported.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGABRT
 * stderr: ^mems: delete of 0x[0-9a-f]+ \(48-byte block of malloc\), called from 0x[0-9a-f]+
 */
#include "pit.h"
#include <new>

int main() {
    ::operator delete(get(48));
}
