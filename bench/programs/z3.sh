#!/bin/sh
# what: z3 on a pigeonhole problem and bit-vector products
set -eu
cd "$2"
command -v z3 >/dev/null || { echo "z3" >&2; exit 77; }
case $1 in
prepare)
    awk 'BEGIN {
        n = 8
        for (p = 0; p <= n; p++) for (h = 0; h < n; h++) printf "(declare-const p%d_%d Bool)\n", p, h
        for (p = 0; p <= n; p++) { printf "(assert (or"; for (h = 0; h < n; h++) printf " p%d_%d", p, h; print "))" }
        for (h = 0; h < n; h++) for (p = 0; p <= n; p++) for (q = p + 1; q <= n; q++) printf "(assert (not (and p%d_%d p%d_%d)))\n", p, h, q, h
        print "(push)\n(check-sat)\n(pop)\n(reset)"
        for (i = 0; i < 60; i++) printf "(declare-const x%d (_ BitVec 16))\n", i
        for (i = 1; i < 60; i++) printf "(assert (= (bvmul x%d #x%04x) (bvadd x%d (bvxor x%d #x%04x))))\n", i, 2 * i + 3, i - 1, i, i * 977
        print "(check-sat)"
    }' >work.smt2 ;;
run) exec $MEASURE z3 work.smt2 ;;
esac
