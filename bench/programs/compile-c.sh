#!/bin/sh
# what: cc1 -O2 on 150 generated C functions
# One compiler pass alone (no driver, no assembler), on preprocessed text, so that one process is measured.
set -eu
cd "$2"
CC1=$(gcc -print-prog-name=cc1 2>/dev/null) && [ -x "$CC1" ] || { echo "gcc's cc1" >&2; exit 77; }
case $1 in
prepare)
    { echo '#include <stdio.h>'; echo '#include <stdlib.h>'; echo '#include <string.h>'; echo '#include <pthread.h>'
      awk 'BEGIN {
        for (i = 0; i < 150; i++) {
            printf "struct s%d { int a[%d]; double d; struct s%d *next; char name[%d]; };\n", i, 4 + i % 13, i, 8 + i % 40
            printf "int f%d(struct s%d *s, int n, const char *t) {\n  int sum = %d; struct s%d local; memset(&local, 0, sizeof local);\n", i, i, i, i
            printf "  for (int i = 0; i < n; i++) { sum += s->a[i %% %d] * (i ^ %d); if (sum > %d) sum -= s->a[0]; local.a[i %% %d] = sum; }\n", 4 + i % 13, i, i * 37, 4 + i % 13
            printf "  switch (sum %% 9) { case 0: sum += %d; break; case 3: s = s->next; break; case 5: return strlen(t) + local.a[1]; default: snprintf(s->name, sizeof s->name, \"%%d %%s\", sum, t); }\n", i
            printf "  while (s && s->next) { sum += (int)s->d; s = s->next; }\n"
            if (i > 0) printf "  if (n > %d) sum += f%d((void *)s, n - 1, t);\n", i % 50, i - 1
            printf "  return sum;\n}\n"
        } }'
    } >input.c
    gcc -E -P input.c -o input.i ;;
run) exec $MEASURE "$CC1" -quiet -O2 input.i -o /dev/null ;;
esac
