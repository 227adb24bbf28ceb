'use strict';
const D = JSON.parse(document.getElementById('data').textContent);
const $ = id => document.getElementById(id);
const METRICS = [['live', 'Live at the end'], ['peak', 'At the peak'], ['asked', 'Bytes asked'], ['calls', 'Blocks asked'], ['temporary', 'Temporary'], ['rounding', 'Rounding']];
const inBytes = m => m !== 'calls' && m !== 'temporary';
const S = { process: -1, metric: 'live', root: null, search: '', range: null, sort: null };
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const count = n => Math.round(n).toLocaleString('en-US');
function bytes(n) {
  if (Math.abs(n) < 1024) return `${Math.round(n)} B`;
  let u = -1;
  do { n /= 1024; u++; } while (Math.abs(n) >= 1023.95 && u < 5);
  return `${n.toFixed(1)} ${['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'][u]}`;
}
function time(ns) {
  if (ns < 1e6) return `${(ns / 1e3).toFixed(0)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(1)} ms`;
  if (ns < 12e10) return `${(ns / 1e9).toFixed(2)} s`;
  return `${Math.floor(ns / 6e10)} min ${Math.round(ns / 1e9 % 60)} s`;
}
const mark = D.estimated ? '~' : '';
const value = (metric, n) => mark + (inBytes(metric) ? bytes(n) : count(n));
const element = (tag, className, text) => { const e = document.createElement(tag); if (className) e.className = className; if (text !== undefined) e.textContent = text; return e; };
const total = (object, skip) => Object.entries(object || {}).reduce((sum, [name, n]) => sum + (typeof n === 'number' && !(skip || []).includes(name) ? n : 0), 0);
const P = D.processes.map((p, index) => {
  const d = p.dump, calls = ['malloc', 'calloc', 'realloc', 'reallocarray', 'memalign', 'aligned_alloc', 'posix_memalign', 'valloc', 'pvalloc', 'new', 'free', 'delete'];
  const argv = d.process.argv || [], exit = d.process.exit;
  return {
    index, d, ...p, pid: d.process.pid, ppid: d.process.ppid, start: d.process.start_unix_ns, elapsed: d.process.elapsed_ns,
    command: argv.join(' ') || d.process.exe, name: (argv[0] || d.process.exe || '').split('/').pop(),
    ending: exit.kind === 'signal' ? `killed by signal ${exit.code}` : exit.kind === 'exec' ? 'exec' : exit.kind === 'live' ? 'still running' : exit.kind === 'unknown' ? 'ended unseen' : `${exit.kind} ${exit.code}`,
    calls: calls.reduce((sum, name) => sum + (d.calls[name] || 0), 0), asked: total(d.bytes.asked),
    blocks: d.blocks.asked, live: d.bytes.live_usable, liveBlocks: d.blocks.live + (d.inherited ? d.inherited.blocks : 0), peak: d.peak.live_usable, mapped: d.engine.mapped, mappedPeak: d.peak.mapped, books: d.engine.bookkeeping || 0,
  };
});
const chosen = () => S.process < 0 ? P : [P[S.process]];

/* Tool tip */
const tip = $('tip');
function showTip(event, text) {
  tip.textContent = text; tip.hidden = false;
  const x = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8), y = event.clientY + 18 + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : event.clientY + 18;
  tip.style.left = `${Math.max(4, x)}px`; tip.style.top = `${Math.max(4, y)}px`;
}
const hideTip = () => { tip.hidden = true; };

/* Stacks of the chosen processes */
function stacks() {
  const sums = new Map();
  for (const p of chosen()) {
    const c = Object.fromEntries(p.sites.columns.map((name, i) => [name, i]));
    for (const row of p.sites.rows) {
      let s = sums.get(row[0]);
      if (!s) sums.set(row[0], s = { stack: row[0], live: 0, liveBlocks: 0, peak: 0, asked: 0, calls: 0, temporary: 0, rounding: 0, min: Infinity, max: 0 });
      s.live += row[c.live_bytes]; s.liveBlocks += row[c.live_blocks]; s.peak += row[c.peak_bytes]; s.asked += row[c.asked]; s.calls += row[c.calls];
      s.temporary += row[c.temporary]; s.rounding += row[c.usable] - row[c.asked];
      if (row[c.calls] > 0) { s.min = Math.min(s.min, row[c.min]); s.max = Math.max(s.max, row[c.max]); }
    }
  }
  return [...sums.values()];
}
/* A long name without what stands in its template arguments and parameters. */
function short(name) {
  if (name.length <= 60) return name;
  let out = '', depth = 0, open = '';
  for (const c of name) {
    if (depth > 0) { if (c === open) depth++; else if (c === (open === '<' ? '>' : ')') && !(open === '<' && before === '-')) { if (--depth === 0) out += '…' + c; } }
    else if ((c === '<' && out && !/operator<?$/.test(out)) || (c === '(' && out && !out.endsWith('operator') && !out.endsWith('::'))) { depth = 1; open = c; out += c; }
    else out += c;
    var before = c;
  }
  return out;
}
const place = f => f.file ? `${f.file}${f.line ? ':' + f.line : ''}` : (f.module || '').split('/').pop();

/* Flame graph: callers above, the place that allocates below */
let tree;
function buildTree() {
  const root = { name: 'all', value: 0, children: new Map(), depth: 0 };
  for (const s of stacks()) {
    const v = s[S.metric];
    if (!(v > 0)) continue;
    root.value += v;
    let at = root;
    const frames = D.stacks[s.stack];
    for (let i = frames.length - 1; i >= -1; i--) {
      if (i < 0 && frames.length) break;
      const id = i < 0 ? -1 : frames[i], frame = i < 0 ? { function: '[no call site]', module: '', line: 0 } : D.frames[id];
      const key = frame.function + '\u0000' + frame.module;
      let child = at.children.get(key);
      if (!child) at.children.set(key, child = { name: frame.function, frame, value: 0, self: 0, children: new Map(), parent: at, depth: at.depth + 1 });
      child.value += v; at = child;
    }
    at.self = (at.self || 0) + v;
  }
  tree = root; S.root = root;
}
const hues = new Map();
function colour(frame) {
  if (!frame) return 'var(--hole)';
  const key = frame.module || '';
  if (!hues.has(key)) hues.set(key, hues.size % 8);
  return `var(--flame${hues.get(key)})`;
}
const matches = f => S.search && f && `${f.function} ${f.file || ''} ${f.module || ''}`.toLowerCase().includes(S.search);
function drawFlame() {
  const graph = $('graph'), width = graph.clientWidth, fragment = document.createDocumentFragment();
  graph.textContent = '';
  if (!tree.value) {
    const none = !D.processes.some(p => p.sites.rows.length);
    $('flamehint').textContent = none ? 'No call sites were recorded: run again with  mems run --profile stacks -- …' : `No stack has any of “${METRICS.find(m => m[0] === S.metric)[1].toLowerCase()}”.`;
    graph.style.height = '0'; $('found').textContent = ''; return;
  }
  let deepest = 0, hits = 0;
  const box = (node, x, w, up) => {
    const e = element('div', 'f' + (up ? ' up' : '') + (matches(node.frame) ? ' hit' : ''), w > 24 ? node.name + (node.frame && node.frame.inlined ? ' (inlined)' : '') : '');
    e.style.cssText = `left:${x}px;top:${node.depth * 21}px;width:${Math.max(1, w)}px;background:${colour(node.frame)}` + (w < 8 ? ';padding:0' : '');
    e.node = node; fragment.append(e); if (w >= 3) deepest = Math.max(deepest, node.depth);
  };
  const draw = (node, x, w, inside) => {
    box(node, x, w, false);
    const hit = !inside && matches(node.frame);
    if (hit) hits += node.value;
    let at = x;
    for (const child of [...node.children.values()].sort((a, b) => b.value - a.value)) {
      const share = child.value / node.value * w;
      if (share >= 1) draw(child, at, share, inside || hit); else if (!inside && !hit) hits += countHits(child);
      at += share;
    }
  };
  for (let up = S.root.parent; up; up = up.parent) box(up, 0, width, true);
  draw(S.root, 0, width, false);
  graph.append(fragment); graph.style.height = `${(deepest + 1) * 21}px`;
  $('found').textContent = S.search ? `${(hits / S.root.value * 100).toFixed(1)}% of ${value(S.metric, S.root.value)}` : '';
  $('out').hidden = S.root === tree;
  $('flamehint').textContent = `Callers stand above what they call; width is the share of ${value(S.metric, tree.value)}. Click to look closer.` + (D.estimated ? ' Figures are estimates from samples.' : '');
}
function countHits(node) {
  if (matches(node.frame)) return node.value;
  let sum = 0;
  for (const child of node.children.values()) sum += countHits(child);
  return sum;
}
$('graph').addEventListener('click', e => { const n = e.target.node; if (n) { S.root = n; drawFlame(); } });
$('graph').addEventListener('mousemove', e => {
  const n = e.target.node; if (!n) return hideTip();
  showTip(e, `${n.name}\n${n.frame ? place(n.frame) + '\n' : ''}${value(S.metric, n.value)}, ${(n.value / tree.value * 100).toFixed(1)}% of all` + (n.self ? `\nasked here: ${value(S.metric, n.self)}` : ''));
});
$('graph').addEventListener('mouseleave', hideTip);
$('out').addEventListener('click', () => { S.root = tree; drawFlame(); });
$('search').addEventListener('input', e => { S.search = e.target.value.trim().toLowerCase(); drawFlame(); drawSites(); });
for (const [name, label] of METRICS) {
  const b = element('button', '', label); b.type = 'button'; b.setAttribute('role', 'tab'); b.dataset.metric = name;
  b.addEventListener('click', () => { S.metric = name; S.sort = name; drawStacks(); });
  $('metrics').append(b);
}
function drawStacks() {
  for (const b of $('metrics').children) b.setAttribute('aria-selected', b.dataset.metric === S.metric);
  buildTree(); drawFlame(); drawSites();
}

/* Sites */
const COLUMNS = [['live', 'live'], ['liveBlocks', 'live blocks'], ['peak', 'at peak'], ['asked', 'asked'], ['calls', 'blocks'], ['temporary', 'temporary'], ['rounding', 'rounding']];
const MOST = 200;
/* Of a stack, the frame to name it by: what was called of the C++ or Rust standard library, not what that did inside. */
const STANDARD = /\/include\/c\+\+\/|\/rustc\/|\/library\/(alloc|core|std)\/src\//;
const called = frames => { let n = 0; while (n < frames.length && STANDARD.test(D.frames[frames[n]].file || '')) n++; return n > 0 && n < frames.length ? n - 1 : 0; };
function drawSites() {
  const head = $('sites').querySelector('thead'), body = $('sites').querySelector('tbody'), sort = S.sort || S.metric;
  head.textContent = ''; body.textContent = '';
  const tr = element('tr'); tr.append(element('th', 'l', 'call site'));
  for (const [name, label] of COLUMNS) {
    const th = element('th', 'sort', label); if (name === sort) th.setAttribute('aria-sort', 'descending');
    th.addEventListener('click', () => { S.sort = name; drawSites(); }); tr.append(th);
  }
  tr.append(element('th', '', 'sizes')); head.append(tr);
  const all = stacks().filter(s => !S.search || D.stacks[s.stack].some(f => matches(D.frames[f]))).sort((a, b) => b[sort] - a[sort]);
  $('sitescount').textContent = all.length > MOST ? `the first ${MOST} of ${count(all.length)}` : `${count(all.length)}`;
  for (const s of all.slice(0, MOST)) {
    const row = element('tr'), cell = element('td', 'l'), frames = D.stacks[s.stack], first = called(frames), inner = frames.length ? D.frames[frames[first]] : { function: '(no call site known)', module: '' };
    const code = element('code', '', short(inner.function)); code.title = inner.function; cell.append(code, ' ', element('span', 'place', place(inner)));
    const from = frames.slice(first + 1, first + 4).map(f => short(D.frames[f].function)); if (from.length) cell.append(element('div', 'from', '‹ ' + from.join(' ‹ ') + (frames.length > first + 4 ? ' …' : '')));
    row.append(cell);
    for (const [name] of COLUMNS) row.append(element('td', '', mark + (name === 'calls' || name === 'temporary' || name === 'liveBlocks' ? count(s[name]) : bytes(s[name]))));
    row.append(element('td', '', s.calls && (s.max || !s.asked) ? (s.min === s.max ? bytes(s.max) : `${bytes(s.min)} – ${bytes(s.max)}`) : ''));
    row.addEventListener('click', () => {
      const open = cell.querySelector('.stack'); if (open) return open.remove();
      const stack = element('div', 'stack');
      for (const id of frames) { const f = D.frames[id], line = element('div', '', f.function + (f.inlined ? ' (inlined)' : '') + '  '); line.append(element('span', 'place', place(f))); stack.append(line); }
      cell.append(stack);
    });
    body.append(row);
  }
}

/* Canvas */
function prepare(canvas, height) {
  const width = canvas.clientWidth || canvas.parentNode.clientWidth, ratio = devicePixelRatio || 1;
  canvas.width = width * ratio; canvas.height = height * ratio; canvas.style.height = `${height}px`;
  const g = canvas.getContext('2d'); g.scale(ratio, ratio); g.clearRect(0, 0, width, height); g.font = '11.5px system-ui, "DejaVu Sans", sans-serif';
  return [g, width];
}

/* Time line: of one process, or the sum of all by the clock on the wall */
let line;
function buildLine() {
  const all = chosen().filter(p => p.timeline.rows.length), start = Math.min(...all.map(p => p.start)), events = [];
  all.forEach((p, who) => {
    const shift = p.start - start;
    for (const [t, live, mapped, calls] of p.timeline.rows) events.push([shift + t, who, live, mapped, calls]);
    const last = p.timeline.rows[p.timeline.rows.length - 1], gone = all.length > 1 ? 0 : 1;
    events.push([shift + Math.max(p.elapsed, last[0]), who, gone ? p.live : 0, gone ? last[2] : 0, last[3]]);
  });
  events.sort((a, b) => a[0] - b[0]);
  const now = all.map(() => [0, 0, 0]), rows = [];
  let sum = [0, 0, 0];
  for (const [t, who, ...figures] of events) {
    sum = sum.map((s, i) => s - now[who][i] + figures[i]); now[who] = figures;
    if (rows.length && rows[rows.length - 1][0] === t) rows[rows.length - 1] = [t, ...sum]; else rows.push([t, ...sum]);
  }
  line = rows; S.range = null;
}
function nice(most, base) {
  const step = most / 4; let unit = 1;
  while (unit * base <= step) unit *= base;
  for (const factor of base === 1024 ? [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] : [1, 2, 5, 10]) if (unit * factor >= step) return unit * factor;
  return unit * base;
}
const LEFT = 86, RIGHT = 12;
function span() { return S.range || [0, line[line.length - 1][0] || 1]; }
function drawTime() {
  const section = $('timeline'); section.hidden = line.length < 2;
  if (section.hidden) return;
  const [g, width] = prepare($('time'), 230), [from, to] = span(), top = 8, bottom = 148, rateTop = 164, rateBottom = 210;
  const x = t => LEFT + (t - from) / (to - from) * (width - LEFT - RIGHT), inside = line.filter(r => r[0] >= from && r[0] <= to);
  // What holds at the edges is what the row before them said.
  const before = line.filter(r => r[0] < from).pop(), rows = before ? [[from, ...before.slice(1)], ...inside] : inside.slice();
  if (rows.length) rows.push([to, ...rows[rows.length - 1].slice(1)]);
  const most = Math.max(1, ...rows.map(r => Math.max(r[1], r[2]))), step = nice(most, 1024), y = v => bottom - v / (Math.ceil(most / step) * step) * (bottom - top);
  g.textAlign = 'right'; g.textBaseline = 'middle';
  for (let v = 0; v <= most + step * .999; v += step) { g.strokeStyle = css('--line'); g.beginPath(); g.moveTo(LEFT, y(v) + .5); g.lineTo(width - RIGHT, y(v) + .5); g.stroke(); g.fillStyle = css('--quiet'); g.fillText(bytes(v).replace('.0 ', ' '), LEFT - 8, y(v)); }
  g.save(); g.beginPath(); g.rect(LEFT, 0, width - LEFT - RIGHT, 230); g.clip();
  const path = i => { g.beginPath(); rows.forEach((r, n) => { if (n) g.lineTo(x(r[0]), y(rows[n - 1][i])); g[n ? 'lineTo' : 'moveTo'](x(r[0]), y(r[i])); }); };
  path(2); g.strokeStyle = css('--grey'); g.lineWidth = 1.5; g.stroke();
  path(1); g.strokeStyle = css('--blue'); g.lineWidth = 2; g.stroke();
  if (rows.length) { g.lineTo(x(rows[rows.length - 1][0]), bottom); g.lineTo(x(rows[0][0]), bottom); g.fillStyle = css('--blue-soft'); g.fill(); }
  const cells = Math.max(1, Math.min(180, Math.floor((width - LEFT - RIGHT) / 5))), rates = new Float64Array(cells);
  for (let n = 1; n < line.length; n++) {
    const [a, b] = [line[n - 1][0], line[n][0]], made = Math.max(0, line[n][3] - line[n - 1][3]);
    if (b <= from || a >= to || b === a) continue;
    const c0 = Math.max(0, Math.floor((a - from) / (to - from) * cells)), c1 = Math.min(cells - 1, Math.floor((b - from) / (to - from) * cells));
    for (let c = c0; c <= c1; c++) { const s = from + c * (to - from) / cells, e = s + (to - from) / cells; rates[c] += made * Math.max(0, Math.min(b, e) - Math.max(a, s)) / (b - a); }
  }
  const highest = Math.max(1, ...rates), w = (width - LEFT - RIGHT) / cells; g.fillStyle = css('--orange');
  rates.forEach((n, c) => { const h = n / highest * (rateBottom - rateTop); if (h > .2) g.fillRect(LEFT + c * w, rateBottom - h, Math.max(1, w - 1), h); });
  g.restore(); g.fillStyle = css('--quiet'); g.fillText(`${count(highest / ((to - from) / cells) * 1e9)}/s`, LEFT - 8, rateTop + 4); g.textBaseline = 'top';
  for (let i = 0; i <= 4; i++) { g.textAlign = i === 4 ? 'right' : i ? 'center' : 'left'; g.fillText(time(from + (to - from) * i / 4), LEFT + (width - LEFT - RIGHT) * i / 4, rateBottom + 5); }
  const one = chosen().length === 1 && chosen()[0];
  if (one && one.d.peak.at_ns >= from && one.d.peak.at_ns <= to) { const px = x(one.d.peak.at_ns); g.strokeStyle = css('--hit'); g.lineWidth = 1; g.setLineDash([3, 3]); g.beginPath(); g.moveTo(px, top); g.lineTo(px, bottom); g.stroke(); g.setLineDash([]); g.fillStyle = css('--hit'); g.textAlign = px > width - 140 ? 'right' : 'left'; g.fillText(`peak ${bytes(one.peak)}`, px + (px > width - 140 ? -5 : 5), top); }
  drawBrush();
}
function drawBrush() {
  const [g, width] = prepare($('brush'), 44), end = line[line.length - 1][0] || 1, most = Math.max(1, ...line.map(r => r[1])), x = t => LEFT + t / end * (width - LEFT - RIGHT);
  g.fillStyle = css('--page'); g.fillRect(LEFT, 0, width - LEFT - RIGHT, 44); g.beginPath(); g.moveTo(LEFT, 44);
  line.forEach((r, n) => { if (n) g.lineTo(x(r[0]), 42 - line[n - 1][1] / most * 38); g.lineTo(x(r[0]), 42 - r[1] / most * 38); }); g.lineTo(x(end), 44); g.fillStyle = css('--grey'); g.globalAlpha = .5; g.fill(); g.globalAlpha = 1;
  if (S.range) { g.fillStyle = css('--blue-soft'); g.strokeStyle = css('--blue'); g.fillRect(x(S.range[0]), 0, x(S.range[1]) - x(S.range[0]), 44); g.strokeRect(x(S.range[0]) + .5, .5, x(S.range[1]) - x(S.range[0]) - 1, 43); }
}
{
  const brush = $('brush'); let from = null;
  const at = e => { const r = brush.getBoundingClientRect(); return Math.max(0, Math.min(1, (e.clientX - r.left - LEFT) / (r.width - LEFT - RIGHT))) * (line[line.length - 1][0] || 1); };
  brush.addEventListener('pointerdown', e => { from = at(e); brush.setPointerCapture(e.pointerId); });
  brush.addEventListener('pointermove', e => { if (from === null) return; const to = at(e); S.range = Math.abs(to - from) > (line[line.length - 1][0] || 1) / 200 ? [Math.min(from, to), Math.max(from, to)] : null; drawTime(); });
  brush.addEventListener('pointerup', e => { if (from !== null && Math.abs(at(e) - from) <= (line[line.length - 1][0] || 1) / 200) { S.range = null; drawTime(); } from = null; });
  $('time').addEventListener('mousemove', e => {
    const r = $('time').getBoundingClientRect(), [a, b] = span(), t = a + (e.clientX - r.left - LEFT) / (r.width - LEFT - RIGHT) * (b - a);
    let row = line[0]; for (const l of line) if (l[0] <= t) row = l;
    if (t >= a && t <= b) showTip(e, `${time(t)}\nlive ${bytes(row[1])}\nmapped ${bytes(row[2])}\n${count(row[3])} blocks asked so far`); else hideTip();
  });
  $('time').addEventListener('mouseleave', hideTip);
}

/* Sizes */
function drawSizes() {
  const rows = new Map(); let rounding = 0, asked = 0;
  for (const p of chosen()) { rounding += p.d.engine.rounding || 0; asked += p.asked; for (const r of p.d.sizes) { const o = rows.get(r.le) || [0, 0]; rows.set(r.le, [o[0] + r.blocks, o[1] + r.asked]); } }
  const used = [...rows].filter(r => r[1][0] > 0).sort((a, b) => a[0] - b[0]), most = Math.max(1, ...used.map(r => r[1][0])), large = Math.max(1, ...used.map(r => r[1][1])), box = $('sizes').querySelector('.rows');
  box.textContent = '';
  for (const [le, [n, b]] of used) {
    const bars = element('div', 'bars'), i = element('i', 'k-live'), j = element('i', 'k-bytes'); i.style.width = `${n / most * 100}%`; j.style.width = `${b / large * 100}%`; bars.append(i, j); bars.title = `${count(n)} blocks, ${bytes(b)}`;
    box.append(element('div', 'r', le > 2 ** 62 ? 'larger' : `≤ ${bytes(le).replace('.0 ', ' ')}`), bars, element('div', 'r', `${count(n)} · ${bytes(b)}`));
  }
  $('rounding').textContent = `Rounding to block sizes: ${bytes(rounding)}, ${(asked ? rounding / asked * 100 : 0).toFixed(1)}% of what was asked.`;
}

/* Processes */
function drawProcesses() {
  const head = $('processes').querySelector('thead'), body = $('processes').querySelector('tbody'); head.textContent = ''; body.textContent = '';
  const tr = element('tr'); for (const [name, cls] of [['command', 'l'], ['pid', ''], ['calls', ''], ['asked', ''], ['peak', ''], ['live', ''], ['ended', 'l']]) tr.append(element('th', cls, name)); head.append(tr);
  const pids = new Set(P.map(p => p.pid)), most = Math.max(1, ...P.map(p => p.peak)), seen = new Set();
  const add = (p, depth) => {
    if (seen.has(p.index)) return; seen.add(p.index);
    const row = element('tr', p.index === S.process ? 'on' : ''), cell = element('td', 'l'); cell.style.paddingLeft = `${9 + depth * 18}px`; cell.append(element('code', '', p.command.length > 90 ? p.command.slice(0, 87) + '…' : p.command)); cell.title = p.command;
    const peak = element('td', '', bytes(p.peak)), meter = element('i', 'meter'); meter.style.width = `${Math.max(2, p.peak / most * 60)}px`; peak.append(meter);
    row.append(cell, element('td', '', String(p.pid)), element('td', '', count(p.calls)), element('td', '', bytes(p.asked)), peak, element('td', '', bytes(p.live)), element('td', 'l', `${p.ending}, ${time(p.elapsed)}`));
    row.addEventListener('click', () => choose(S.process === p.index ? -1 : p.index)); body.append(row);
    for (const c of P) if (c.ppid === p.pid && c.pid !== p.pid || c.pid === p.pid && c.index !== p.index) add(c, c.pid === p.pid ? depth : depth + 1);
  };
  for (const p of P) if (!pids.has(p.ppid)) add(p, 0);
  for (const p of P) add(p, 0);
}

/* Heap map: regions one behind the other, each cell some bytes */
let cells = [];
function drawHeap() {
  const p = chosen().filter(p => p.chain.length).sort((a, b) => b.mapped - a.mapped)[0]; $('heap').hidden = !p; cells = [];
  if (!p) return;
  let process = 0, hole = 0, np = 0, nh = 0, largest = 0;
  for (const r of p.chain) for (const s of r[2]) if (s[0] === 'P') { process += s[1]; np++; } else { hole += s[1]; nh++; largest = Math.max(largest, s[1]); }
  const sum = process + hole, side = 9, gap = 2, canvas = $('map'), width = canvas.clientWidth || canvas.parentNode.clientWidth, columns = Math.max(20, Math.floor(width / (side + gap)));
  let per = 4096; while (sum / per > columns * 44) per *= 2;
  $('heapfacts').textContent = `${S.process < 0 && P.length > 1 ? `Process ${p.pid}: ` : ''}${count(p.chain.length)} regions, ${bytes(sum)}: ${count(np)} PROCESS segments with ${bytes(process)}, ${count(nh)} HOLEs with ${bytes(hole)}, largest ${bytes(largest)}. A cell is ${bytes(per).replace('.0 ', ' ')}; a region begins with a bar.`;
  p.chain.forEach((r, region) => {
    const n = Math.max(1, Math.ceil(r[1] / per)); let segment = 0, begin = 0;
    for (let c = 0; c < n; c++) {
      const middle = Math.min(r[1] - 1, (c + .5) * per);
      while (segment + 1 < r[2].length && begin + r[2][segment][1] <= middle) begin += r[2][segment++][1];
      cells.push({ region, segment, first: c === 0, begin });
    }
  });
  const rows = Math.ceil(cells.length / columns), [g] = prepare(canvas, rows * (side + gap) + 2), [slab, large, empty, ink] = ['--aqua', '--violet', '--hole', '--ink'].map(css);
  cells.forEach((c, i) => {
    const x = i % columns * (side + gap), y = Math.floor(i / columns) * (side + gap), s = p.chain[c.region][2][c.segment];
    g.fillStyle = empty; g.globalAlpha = 1; g.fillRect(x, y, side, side);
    if (s && s[0] === 'P') { const fill = s.length > 2 ? (s[3] ? s[4] / s[3] : 0) : 1; g.fillStyle = s.length > 2 ? slab : large; g.globalAlpha = .25 + .75 * fill; g.fillRect(x, y, side, side); }
    if (c.first) { g.globalAlpha = 1; g.fillStyle = ink; g.fillRect(x - 1, y, 2, side); }
  });
  g.globalAlpha = 1;
  $('heaphint').textContent = 'A slab’s colour is the stronger the more of its slots are in use.';
  canvas.onmousemove = e => {
    const r = canvas.getBoundingClientRect(), i = Math.floor((e.clientY - r.top) / (side + gap)) * columns + Math.floor((e.clientX - r.left) / (side + gap)), c = cells[i];
    if (!c) return hideTip();
    const region = p.chain[c.region], s = region[2][c.segment]; if (!s) return hideTip();
    const at = '0x' + (BigInt(Math.round(region[0])) + BigInt(c.begin)).toString(16);
    showTip(e, `region ${c.region + 1}, ${bytes(region[1])}\n${s[0] === 'H' ? 'HOLE' : s.length > 2 ? `PROCESS, slab of ${bytes(s[2])}: ${count(s[4])} of ${count(s[3])} slots used` : 'PROCESS, large block'}\n${bytes(s[1])} at ${at}`);
  };
  canvas.onmouseleave = hideTip;
}

/* Head */
function drawTop() {
  const all = chosen(), sum = name => all.reduce((s, p) => s + p[name], 0), one = all.length === 1 && all[0];
  $('command').title = one ? one.command : P[0].command;
  $('command').textContent = one ? one.command : `${count(all.length)} processes, from ${P[0].command}`;
  $('about').textContent = one ? `process ${one.pid}, ${one.ending} after ${time(one.elapsed)}${one.profile && one.profile.mode !== 'off' ? `; call sites: ${one.profile.mode}` : ''}` : 'Sums over all processes; choose one above or in the table below.';
  const cards = [['live', bytes(sum('live')), `live at the end, in ${count(sum('liveBlocks'))} blocks`], ['peak', bytes(sum('peak')), one ? `peak${one.d.peak.exact ? ', exact' : `, within ${bytes(one.d.peak.bound)}`}` : 'peaks, summed'], ['asked', bytes(sum('asked')), `asked in ${count(sum('blocks'))} blocks`], ['calls', count(sum('calls')), 'calls'], ['mapped', bytes(sum('mappedPeak')), one ? 'mapped at its peak' : 'mapped at their peaks'], ['left', bytes(Math.max(0, sum('mapped') - sum('live'))), 'mapped, not live, at the end' + (sum('books') > sum('mapped') / 4 ? `; ${bytes(sum('books'))} of it are tables, mostly untouched` : '')]];
  $('cards').textContent = '';
  for (const [, figure, label] of cards) { const c = element('div', 'card'); c.append(element('b', '', figure), element('span', '', label)); $('cards').append(c); }
}
function choose(index) { S.process = index; $('process').value = index; draw(); }
function draw() { drawTop(); buildLine(); drawTime(); drawStacks(); drawSizes(); drawProcesses(); drawHeap(); }
if (P.length > 1) $('process').append(new Option(`all ${P.length} processes`, -1));
for (const p of P) $('process').append(new Option(`${p.pid}  ${p.command.slice(0, 80)}`, p.index));
$('process').addEventListener('change', e => choose(Number(e.target.value)));
const setTheme = t => { document.documentElement.dataset.theme = t; };
setTheme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
$('theme').addEventListener('click', () => { setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'); drawTime(); drawHeap(); });
addEventListener('resize', () => { drawTime(); drawFlame(); drawHeap(); });
$('notes').textContent = D.missing.map(m => `Symbols: ${m}`).join('\n');
choose(P.length > 1 ? -1 : 0);
