/* what: a bad value and an unknown name are said in one line each, with what is legal, and the defaults are used.
 * env: MEMS_STATS=sumary
 * env: MEMS_STATS_FORMAT=xml
 * env: MEMS_STATS_FILE=a%q
 * env: MEMS_PAGE_SIZE=3000
 * env: MEMS_START_VA=-1
 * env: MEMS_ON_ERROR=die
 * env: MEMS_LOG=mems=loud
 * env: MEMS_STAT=off
 * dump: yes
 * stderr: ^mems: MEMS_STATS=sumary is not legal, .*; legal: off, line, summary or full$
 * stderr: ^mems: MEMS_STATS_FORMAT=xml is not legal, .*; legal: text or json$
 * stderr: ^mems: MEMS_STATS_FILE=a%q is not legal, .*%p \(pid\), %n \(program\)
 * stderr: ^mems: MEMS_PAGE_SIZE=3000 is not legal, .*; legal: a power of two from 1024 to 1048576$
 * stderr: ^mems: MEMS_START_VA=-1 is not legal
 * stderr: ^mems: MEMS_ON_ERROR=die is not legal, .*; legal: abort, warn or ignore$
 * stderr: ^mems: MEMS_LOG=mems=loud is not legal
 * stderr: ^mems: MEMS_STAT is not known and ignored; known: MEMS_STATS, MEMS_STATS_FORMAT, .*MEMS_ON_ERROR
 */
#include "check.h"

int main(void) { return 0; }
