/* what: hardened, a sized delete that names another size than was asked is reported.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGABRT
 * stderr: ^mems: delete of 0x[0-9a-f]+ with size 40 \(48-byte block\), called from 0x[0-9a-f]+
 */
#include "pit.h"
#include <new>

int main() {
    ::operator delete(opaque(::operator new(48)), unknown(48));
    ::operator delete(opaque(::operator new(48)), unknown(40));
}
