#!/bin/sh
# what: python3 with PYTHONMALLOC=malloc: JSON written and read, dictionaries, sorting, strings
set -eu
cd "$2"
PYTHON=/usr/bin/python3
[ -x $PYTHON ] || { echo "python3" >&2; exit 77; }
case $1 in
prepare)
    cat >work.py <<'PY'
import json

records = [{"id": i, "name": f"name {i * 7919 % 10007}", "tags": [f"t{i % 7}", f"u{i % 11}"], "score": i / 7} for i in range(60000)]
text = json.dumps(records)
again = json.loads(text)
index = {}
for record in again:
    index.setdefault(record["name"], []).append(record)
words = {}
for record in again:
    for tag in record["tags"] + record["name"].split():
        words[tag] = words.get(tag, 0) + 1
order = sorted(index, key=lambda name: (-len(index[name]), name))
for turn in range(3):
    again = [dict(record, turn=turn) for record in again if record["id"] % 5 != turn]
print(len(text), len(index), order[:3], len(words), len(again))
PY
    ;;
run) PYTHONMALLOC=malloc PYTHONHASHSEED=1 PYTHONDONTWRITEBYTECODE=1 exec $MEASURE $PYTHON -S work.py ;;
esac
