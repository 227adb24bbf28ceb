#!/bin/sh
# what: perl: hashes, arrays of arrays, regular expressions, sorting
set -eu
cd "$2"
command -v perl >/dev/null || { echo "perl" >&2; exit 77; }
case $1 in
prepare)
    cat >work.pl <<'PL'
use strict;
my (%count, %list, @rows);
my $seed = 42;
for my $i (1 .. 80000) {
    $seed = ($seed * 1103515245 + 12345) & 0x7fffffff;
    my $line = "user" . ($seed % 5003) . " item" . ($seed % 997) . " " . ($seed % 10000) / 100;
    if ($line =~ /^(user\d+) (item\d+) ([\d.]+)$/) {
        $count{$1}++;
        push @{ $list{$2} }, $3;
        push @rows, [$1, $2, $3];
    }
}
my @order = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
@rows = sort { $a->[1] cmp $b->[1] || $a->[2] <=> $b->[2] } @rows;
my $text = join "\n", map { join ",", @$_ } @rows;
my @again = map { [split /,/] } split /\n/, $text;
print scalar(@again), " $order[0] ", length $text, " ", scalar(keys %list), "\n";
PL
    ;;
run) PERL_HASH_SEED=0 exec $MEASURE perl work.pl ;;
esac
