/* A library with a RUNPATH of its own, which opens others by bare name: they are found there and nowhere else.
 * flags: -Wl,--enable-new-dtags,-rpath,$ORIGIN/pit_private
 */
#include <dlfcn.h>

/* Not a tail call: the caller that dlopen sees is this library, which must not be jumped over. */
void *opener_open(const char *name, int flags) {
    void *handle = dlopen(name, flags);
    __asm__ volatile("" : "+r"(handle));
    return handle;
}
