'use strict';
const $ = id => document.getElementById(id);
const data = JSON.parse($('data').textContent);
const { classes } = data;
const count = data.shown.length;
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const curves = data.curves && bytes(data.curves), epochs = curves ? curves.length / count : 0;
const heats = data.attention && bytes(data.attention.maps);
const shares = bytes(data.probabilities);
const CARD = { width: 136, height: 172 };
const STATES = ['undecided', 'keep', 'relabel', 'discard', 'unsure'];
const KEY = `eac_mm-review:${data.fingerprint}`;

// A decision belongs to a suspect: { action, label, by, when }. label is a class, or null.
let decisions = new Map(), done = [], undone = [], recent = [];
let order = [], at = 0, from = 0, pair = null;

function make(tag, fields = {}, ...children) {
  const node = Object.assign(document.createElement(tag), fields);
  node.append(...children);
  return node;
}

// ---- decisions ----

function decide(action, label) {
  const items = open() ? [order[at]] : range();
  if (!items.length) return;
  const by = $('who').value, when = new Date().toISOString();
  apply(items.map(item => {
    const same = label !== undefined && label === data.labels[data.shown[item]];
    const what = same ? 'keep' : action;
    return [item, decisions.get(item), { action: what, label: label ?? given(item, what), by, when }];
  }));
  undone = [];
  if (open()) move(1); else { at = Math.min(Math.max(at, from) + 1, order.length - 1); from = at; }
  draw();
}

function given(item, action) {
  return action === 'keep' ? data.labels[data.shown[item]] : action === 'relabel' ? data.suggestions[item] : null;
}

function apply(steps) {
  for (const [item, , after] of steps) set(item, after);
  done.push(steps);
  recent.push(...steps.map(step => step[0]));
  store();
}

function set(item, decision) {
  if (decision) decisions.set(item, decision); else decisions.delete(item);
}

function undo() {
  const steps = done.pop();
  if (!steps) return;
  for (const [item, before] of steps) set(item, before);
  recent.length -= steps.length;
  undone.push(steps);
  at = from = Math.max(0, order.indexOf(steps[0][0]));
  store(); draw();
}

function redo() {
  const steps = undone.pop();
  if (!steps) return;
  apply(steps);
  draw();
}

function isWrong(item) {
  const decision = decisions.get(item);
  return decision && (decision.action === 'discard'
    || decision.action === 'relabel' && decision.label !== data.labels[data.shown[item]]);
}

// ---- storage ----

function progress() {
  return { format: 'eac_mm review 1', fingerprint: data.fingerprint, who: $('who').value,
    decisions: [...decisions].map(([item, d]) => ({ index: data.shown[item], ...d })) };
}

function store() {
  try { localStorage.setItem(KEY, JSON.stringify(progress())); }
  catch { $('stop').textContent = 'This browser keeps nothing: save your progress to a file.'; }
}

function restore(saved) {
  if (saved.format !== 'eac_mm review 1' || saved.fingerprint !== data.fingerprint)
    throw new Error('this file belongs to another review. Fix: load the file that was saved from this page.');
  const places = new Map(data.shown.map((index, item) => [index, item]));
  const kept = [];
  for (const { index, action, label, by, when } of saved.decisions) {
    const fits = STATES.indexOf(action) > 0 && (label === null || classes[label] !== undefined);
    if (!fits) throw new Error(`a decision on image ${index} cannot be read. Fix: load another file.`);
    if (places.has(index)) kept.push([places.get(index), { action, label, by: String(by), when: String(when) }]);
  }
  decisions = new Map(kept);
  done = []; undone = []; recent = kept.sort((a, b) => a[1].when < b[1].when ? -1 : 1).map(step => step[0]);
  if (typeof saved.who === 'string') $('who').value = saved.who;
}

function download(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

const cell = value => {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const csv = rows => rows.map(row => row.map(cell).join(',') + '\n').join('');
const nameOf = label => label === null || label === undefined ? '' : classes[label];

function decisionsCsv() {
  const rows = [...decisions].sort((a, b) => data.shown[a[0]] - data.shown[b[0]]).map(([item, d]) => {
    const index = data.shown[item];
    return [index, data.names[index], nameOf(data.labels[index]), d.action, nameOf(d.label), d.by, d.when];
  });
  return csv([['index', 'image', 'label', 'decision', 'new_label', 'by', 'when'], ...rows]);
}

function correctedCsv() {
  const changed = new Map([...decisions].map(([item, d]) => [data.shown[item], d]));
  const rows = [];
  data.names.forEach((name, index) => {
    const d = changed.get(index);
    if (d?.action === 'discard') return;
    rows.push([name, nameOf(d?.action === 'relabel' ? d.label : data.labels[index])]);
  });
  return csv([['image', 'label'], ...rows]);
}

// ---- filters ----

function filter() {
  const score = data.scores[$('sort').value];
  const state = $('state').value, text = $('search').value.toLowerCase();
  const label = $('label').value, suggestion = $('suggestion').value;
  order = [...Array(count).keys()].filter(item => {
    const index = data.shown[item];
    return (!state || state === (decisions.get(item)?.action ?? 'undecided'))
      && (!label || Number(label) === data.labels[index])
      && (!suggestion || Number(suggestion) === data.suggestions[item])
      && (!text || data.names[index].toLowerCase().includes(text))
      && (!pair || pair[0] === data.labels[index] && pair[1] === data.suggestions[item]);
  });
  order.sort((a, b) => score[b] - score[a] || a - b);
  at = from = 0;
  $('grid').scrollTop = 0;
  matrix();
  draw();
}

function matrix() {
  const counts = classes.map(() => classes.map(() => 0));
  for (let item = 0; item < count; item++) counts[data.labels[data.shown[item]]][data.suggestions[item]]++;
  const most = Math.max(1, ...counts.flat());
  const table = make('table');
  table.append(make('tr', {}, make('th'), ...classes.map(name => make('th', { textContent: name.slice(0, 4), title: name }))));
  counts.forEach((row, label) => {
    const cells = row.map((number, suggestion) => {
      if (!number) return make('td');
      const button = make('button', { textContent: number, onclick: () => {
        pair = pair && pair[0] === label && pair[1] === suggestion ? null : [label, suggestion];
        filter();
      } });
      button.setAttribute('aria-pressed', Boolean(pair && pair[0] === label && pair[1] === suggestion));
      button.setAttribute('aria-label', `${number} labelled ${classes[label]}, suggested ${classes[suggestion]}`);
      button.style.background = `color-mix(in srgb, var(--mark) ${Math.round(60 * number / most)}%, var(--back))`;
      return make('td', {}, button);
    });
    table.append(make('tr', {}, make('th', { textContent: classes[label] }), ...cells));
  });
  $('matrix').replaceChildren(table);
}

// ---- grid: only the cards in sight exist, and they are reused ----

const cards = [];
const columns = () => Math.max(1, Math.floor($('grid').clientWidth / CARD.width));

function draw() {
  const wide = columns(), grid = $('grid');
  $('space').style.height = `${Math.ceil(order.length / wide) * CARD.height}px`;
  const first = Math.max(0, Math.floor(grid.scrollTop / CARD.height) - 1) * wide;
  const last = Math.min(order.length, (Math.ceil((grid.scrollTop + grid.clientHeight) / CARD.height) + 1) * wide);
  while (cards.length < last - first) cards.push(card());
  cards.forEach((node, i) => {
    const place = first + i;
    node.hidden = place >= last;
    if (!node.hidden) fill(node, place, wide);
  });
  const now = cards.find(node => !node.hidden && Number(node.dataset.place) === at);
  if (now) grid.setAttribute('aria-activedescendant', now.id); else grid.removeAttribute('aria-activedescendant');
  count_up();
  if (open()) show();
}

function card() {
  const node = make('div', { className: 'card', id: `card${cards.length}` },
    make('img', { alt: '' }), make('p'), make('p'), make('p'));
  node.setAttribute('role', 'option');
  node.onclick = event => {
    at = Number(node.dataset.place);
    if (!event.shiftKey) from = at;
    draw();
  };
  node.ondblclick = () => look();
  $('space').append(node);
  return node;
}

function fill(node, place, wide) {
  const item = order[place], index = data.shown[item], decision = decisions.get(item);
  const [low, high] = [Math.min(at, from), Math.max(at, from)];
  node.dataset.place = place;
  node.style.transform = `translate(${place % wide * CARD.width}px, ${Math.floor(place / wide) * CARD.height}px)`;
  node.classList.toggle('chosen', place >= low && place <= high);
  node.classList.toggle('at', place === at);
  node.setAttribute('aria-selected', place >= low && place <= high);
  const [image, labels, name, state] = node.children;
  if (node.dataset.item !== String(item)) { image.src = data.pictures[item]; node.dataset.item = item; }
  labels.textContent = `${classes[data.labels[index]]} → ${classes[data.suggestions[item]]}`;
  name.textContent = name.title = data.names[index];
  state.textContent = decision ? stateOf(decision) : `score ${data.scores[$('sort').value][item].toFixed(3)}`;
  state.className = decision?.action ?? '';
}

const stateOf = d => d.action === 'relabel' ? `✎ ${classes[d.label]}`
  : { keep: '✓ keep', discard: '✗ discard', unsure: '? unsure' }[d.action];

function count_up() {
  const numbers = Object.fromEntries(STATES.map(state => [state, 0]));
  for (const d of decisions.values()) numbers[d.action]++;
  $('counters').textContent = `${decisions.size} of ${count} suspects decided (keep ${numbers.keep}, relabel ${numbers.relabel}, `
    + `discard ${numbers.discard}, unsure ${numbers.unsure}); ${order.length} shown`;
  const last = [...new Set(recent)].slice(-50);
  $('stop').textContent = last.length ? `last ${last.length}: ${last.filter(isWrong).length} wrong` : '';
}

const range = () => order.slice(Math.min(at, from), Math.max(at, from) + 1);

function move(step, extend = false) {
  at = Math.min(Math.max(at + step, 0), Math.max(order.length - 1, 0));
  if (!extend || open()) from = at;
  const top = Math.floor(at / columns()) * CARD.height, grid = $('grid');
  if (top < grid.scrollTop) grid.scrollTop = top;
  if (top + CARD.height > grid.scrollTop + grid.clientHeight) grid.scrollTop = top + CARD.height - grid.clientHeight;
}

// ---- one image ----

const open = () => $('focus').open;

function look() {
  if (!order.length) return;
  from = at;
  if (!open()) $('focus').showModal();
  draw();
}

function show() {
  const item = order[at], index = data.shown[item], decision = decisions.get(item);
  $('large').src = data.pictures[item];
  $('large').alt = data.names[index];
  $('name').textContent = `${at + 1} of ${order.length}: ${data.names[index]}`;
  $('said').textContent = `label ${classes[data.labels[index]]}, suggestion ${classes[data.suggestions[item]]}`
    + (decision ? `; decided: ${stateOf(decision)}` : '');
  const mine = shares.subarray(item * classes.length, (item + 1) * classes.length);
  const best = [...mine.keys()].sort((a, b) => mine[b] - mine[a]).slice(0, 10);
  $('probabilities').replaceChildren(...best.map(label => {
    const bar = make('i');
    bar.style.width = `${mine[label] / 2.55}%`;
    return make('div', { className: 'bar' }, make('span', { textContent: classes[label] }), make('span', {}, bar),
      make('span', { textContent: `${Math.round(mine[label] / 2.55)} %` }));
  }));
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
  const points = [...Array(epochs).keys()].map(e =>
    `${epochs > 1 ? 200 * e / (epochs - 1) : 100},${50 - 50 * curves[item * epochs + e] / 255}`);
  line.setAttribute('points', points.join(' '));
  $('curve').replaceChildren(line);
  $('curve').parentElement.hidden = !epochs;
  heat(item);
  const near = (data.neighbours?.[item] ?? []).map(other => make('figure', {},
    make('img', { src: data.pictures[other], alt: data.names[data.shown[other]] }),
    make('figcaption', { textContent: classes[data.labels[data.shown[other]]] })));
  $('neighbours').replaceChildren(...near);
  $('neighbours').previousElementSibling.hidden = !near.length;
  buttons(decision);
}

function heat(item) {
  if (!heats) return;
  const { height, width } = data.attention, canvas = $('heat');
  canvas.width = width; canvas.height = height;
  const pen = canvas.getContext('2d'), image = pen.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const value = heats[item * width * height + i];
    image.data.set([value, Math.round(value * value / 255), 255 - value, 255], 4 * i);
  }
  pen.putImageData(image, 0, 0);
}

function buttons(decision) {
  const chosen = (action, label) => decision?.action === action && (label === undefined || decision.label === label);
  const button = (text, action, label) => {
    const node = make('button', { textContent: text, onclick: () => decide(action, label) });
    node.setAttribute('aria-pressed', Boolean(chosen(action, label)));
    return node;
  };
  const nodes = [button('Keep (k)', 'keep'), button('Suggestion (s)', 'relabel', data.suggestions[order[at]]),
    button('Discard (d)', 'discard'), button('Unsure (u)', 'unsure')];
  if (classes.length <= 9) nodes.push(...classes.map((name, label) => button(`${name} (${label + 1})`, 'relabel', label)));
  else {
    const select = make('select', { id: 'classes', onchange: () => decide('relabel', Number(select.value)) },
      make('option', { textContent: 'another class (c)', value: '' }),
      ...classes.map((name, label) => make('option', { textContent: name, value: label })));
    select.setAttribute('aria-label', 'Another class');
    nodes.push(select);
  }
  $('decide').replaceChildren(...nodes);
}

// ---- keys ----

const KEYS = {
  'arrows': 'move', 'Shift + arrows': 'choose several in the grid', 'Enter': 'one image',
  's': 'accept the suggestion', 'k': 'keep the label', 'd': 'discard the image', 'u': 'unsure',
  [classes.length <= 9 ? `1 to ${classes.length}` : 'c']: classes.length <= 9 ? 'this class' : 'choose a class',
  'z': 'undo', 'y': 'redo', 'v': 'attention map', 'Esc': 'back to the grid', '?': 'these keys',
};

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input, select')) return;
  if ($('keys').open) return;
  const inGrid = open() || event.target === $('grid') || event.target === document.body;
  const number = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
  const wide = open() ? 1 : columns();
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide };
  const letters = {
    s: () => decide('relabel'), k: () => decide('keep'), d: () => decide('discard'), u: () => decide('unsure'),
    z: undo, y: redo, v: () => { $('heat').hidden = !heats || !$('heat').hidden; },
    c: () => $('classes')?.focus(), '?': () => $('keys').showModal(),
  };
  if (event.key in steps && inGrid) { move(steps[event.key], event.shiftKey); draw(); }
  else if (event.key === 'Enter' && inGrid && !open()) look();
  else if (number && number <= classes.length && classes.length <= 9) decide('relabel', number - 1);
  else if (event.key in letters) letters[event.key]();
  else return;
  event.preventDefault();
}

// ---- start ----

function options(select, first, values) {
  select.append(make('option', { value: '', textContent: first }),
    ...values.map(([value, text]) => make('option', { value, textContent: text })));
}

function start() {
  $('title').textContent = document.title;
  $('sort').append(...Object.keys(data.scores).map(name => make('option', { value: name, textContent: name })));
  options($('state'), 'all', STATES.map(state => [state, state]));
  options($('label'), 'all', classes.map((name, i) => [i, name]));
  options($('suggestion'), 'all', classes.map((name, i) => [i, name]));
  $('keylist').append(...Object.entries(KEYS).flatMap(([key, text]) => [make('dt', { textContent: key }), make('dd', { textContent: text })]));
  for (const id of ['sort', 'state', 'label', 'suggestion']) $(id).onchange = filter;
  $('search').oninput = filter;
  $('reset').onclick = () => { for (const id of ['state', 'label', 'suggestion', 'search']) $(id).value = ''; pair = null; filter(); };
  $('grid').onscroll = () => requestAnimationFrame(draw);
  new ResizeObserver(() => draw()).observe($('grid'));
  $('undo').onclick = undo; $('redo').onclick = redo;
  $('who').onchange = store;
  $('close').onclick = () => $('focus').close();
  $('focus').onclose = () => { $('grid').focus(); draw(); };
  $('help').onclick = () => $('keys').showModal();
  $('keysclose').onclick = () => $('keys').close();
  $('theme').onclick = () => {
    const dark = document.documentElement.dataset.theme === 'dark'
      || !document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches;
    document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  };
  $('save').onclick = () => download('review.json', JSON.stringify(progress()), 'application/json');
  $('export').onclick = () => download('decisions.csv', decisionsCsv(), 'text/csv');
  $('list').onclick = () => download('corrected.csv', correctedCsv(), 'text/csv');
  $('load').onchange = async () => {
    try { restore(JSON.parse(await $('load').files[0].text())); store(); filter(); }
    catch (error) { $('stop').textContent = `Not loaded: ${error.message}`; }
    $('load').value = '';
  };
  document.addEventListener('keydown', press);
  try {
    const saved = localStorage.getItem(KEY);
    if (saved) restore(JSON.parse(saved));
  } catch { /* a damaged store is as none; the file is the safe place */ }
  filter();
  $('grid').focus();
}

start();
