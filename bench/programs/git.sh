#!/bin/sh
# what: git log -p and pack-objects over 1,200 generated commits
set -eu
cd "$2"
command -v git >/dev/null || { echo "git" >&2; exit 77; }
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME="$PWD"
case $1 in
prepare)
    rm -rf repo
    git init -q --bare repo
    awk 'BEGIN {
        for (c = 1; c <= 1200; c++) {
            printf "commit refs/heads/main\ncommitter A <a@example.org> %d +0000\ndata 6\nchange\n", 1600000000 + c * 60
            if (c > 1) print "from :" c - 1
            for (f = 0; f < 3; f++) {
                text = ""
                for (l = 0; l < 120; l++) text = text sprintf("line %d of file %d is %d\n", l, (c + f) % 40, (l % 13 == c % 13) ? c : l * 31)
                printf "M 100644 inline dir%d/file%d\ndata %d\n%s", f, (c + f) % 40, length(text), text
            }
            print ""
        } }' | awk '/^committer/ { print "mark :" ++m } { print }' >import
    git -C repo fast-import --quiet <import
    rm -f import ;;
run)
    $MEASURE git -C repo log -p --stat main >log.out
    wc -c <log.out
    $MEASURE git -C repo -c pack.threads=1 pack-objects --all --stdout --no-reuse-delta --window=20 -q </dev/null >pack.out
    rm -f log.out pack.out ;;
esac
