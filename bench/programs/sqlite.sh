#!/bin/sh
# what: sqlite3 in memory: inserts, indices, joins, grouping
set -eu
cd "$2"
command -v sqlite3 >/dev/null || { echo "sqlite3" >&2; exit 77; }
case $1 in
prepare)
    cat >work.sql <<'SQL'
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL, kind INT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
  INSERT INTO item SELECT i, 'name ' || (i * 7919 % 100003), i % 977 / 10.0, i % 37 FROM n;
CREATE INDEX by_name ON item(name);
CREATE INDEX by_kind ON item(kind, price);
CREATE TABLE sale(item INT, day INT, amount INT);
INSERT INTO sale SELECT id * 31 % 200000 + 1, id % 365, id % 11 FROM item;
CREATE INDEX by_item ON sale(item);
SELECT kind, count(*), round(sum(price * amount), 1), group_concat(DISTINCT day % 5) FROM item JOIN sale ON sale.item = item.id GROUP BY kind;
UPDATE item SET name = name || ' new' WHERE kind < 9;
DELETE FROM sale WHERE amount = 3;
SELECT count(*), max(length(name)) FROM item WHERE name LIKE '%77%';
SELECT day, count(*) FROM sale GROUP BY day ORDER BY 2 DESC, 1 LIMIT 5;
SQL
    ;;
run) exec $MEASURE sqlite3 -init /dev/null -batch :memory: ".read work.sql" ;;
esac
