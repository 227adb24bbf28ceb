#!/bin/sh
# what: lua: tables, strings, closures, binary trees
set -eu
cd "$2"
LUA=$(command -v lua5.4 || command -v lua5.3 || command -v lua) || { echo "lua" >&2; exit 77; }
case $1 in
prepare)
    cat >work.lua <<'LUA'
local function tree(depth)
  if depth == 0 then return {} end
  return {tree(depth - 1), tree(depth - 1)}
end
local function count(node) return node[1] and 1 + count(node[1]) + count(node[2]) or 1 end
local total = 0
for i = 1, 6 do total = total + count(tree(15)) end
local words, lines = {}, {}
for i = 1, 150000 do
  local word = "w" .. (i * 7919) % 20011
  words[word] = (words[word] or 0) + 1
  lines[#lines + 1] = word .. ":" .. i
end
table.sort(lines)
local text = table.concat(lines, "\n")
local n = 0
for word, number in text:gmatch("(w%d+):(%d+)") do n = n + #word + #number end
print(total, #lines, #text, n)
LUA
    ;;
run) exec $MEASURE "$LUA" work.lua ;;
esac
