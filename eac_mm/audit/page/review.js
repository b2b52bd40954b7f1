'use strict';
// What the page shows, the decisions on it, and how they are kept and exported.

const $ = id => document.getElementById(id);
const data = JSON.parse($('data').textContent);
const { classes } = data;
const count = data.shown.length;
const places = new Map(data.shown.map((index, item) => [index, item]));
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const curves = data.curves && bytes(data.curves), epochs = curves ? curves.length / count : 0;
const heats = data.attention && bytes(data.attention.maps);
const shares = bytes(data.probabilities);
const STATES = ['undecided', 'keep', 'relabel', 'discard', 'unsure'];
const FORMAT = 'eac_mm review 1';
// All pages that are opened from files share one storage.
const KEY = `eac_mm-review:${data.fingerprint}`;

// Decisions by the image's index, the newest last: { action, label, by, when }. label is a class, or null.
const decisions = new Map();
// Steps to undo and to redo: lists of [index, decision before, decision after].
let done = [], undone = [];
// The suspects that pass the filters, in order; the one at the cursor, and the other end of the range.
let order = [], at = 0, from = 0;

function make(tag, fields = {}, ...children) {
  const node = Object.assign(document.createElement(tag), fields);
  node.append(...children);
  return node;
}

function say(text) {
  $('message').textContent = text;
}

// ---- decisions ----

function decide(action, label) {
  if (!order.length) return;
  const items = open() ? [order[at]] : range();
  const by = $('who').value.trim(), when = new Date().toISOString();
  apply(items.map(item => {
    const index = data.shown[item], given = data.labels[index];
    let to = { keep: given, relabel: label ?? data.suggestions[item] }[action] ?? null;
    const what = action === 'relabel' && to === given ? 'keep' : action;
    return [index, decisions.get(index), { action: what, label: to, by, when }];
  }));
  undone = [];
  at = Math.min(Math.max(at, open() ? at : from) + 1, order.length - 1);
  from = at;
  reveal();
  refresh();
}

function apply(steps) {
  for (const [index, , after] of steps) set(index, after);
  done.push(steps);
  say('');
  store();
}

function set(index, decision) {
  decisions.delete(index); // so that the newest comes last
  if (decision) decisions.set(index, decision);
}

function undo() {
  const steps = done.pop();
  if (!steps) return;
  for (const [index, before] of steps) set(index, before);
  undone.push(steps);
  chooseAgain(steps);
  store();
  refresh();
}

function redo() {
  const steps = undone.pop();
  if (!steps) return;
  apply(steps);
  chooseAgain(steps);
  refresh();
}

// Choose the images of a step again, if they still stand side by side.
function chooseAgain(steps) {
  const [first, last] = [steps[0], steps.at(-1)].map(step => order.indexOf(places.get(step[0])));
  if (first < 0) return;
  at = from = first;
  if (!open() && last - first === steps.length - 1) at = last;
  reveal();
}

const isWrong = ([index, { action, label }]) => action === 'discard'
  || action === 'relabel' && label !== data.labels[index];

const stateOf = d => d.action === 'relabel' ? `✎ ${classes[d.label]}`
  : { keep: '✓ keep', discard: '✗ discard', unsure: '? unsure' }[d.action];

// ---- storage ----

function progress() {
  return { format: FORMAT, fingerprint: data.fingerprint, who: $('who').value,
    decisions: [...decisions].map(([index, d]) => ({ index, ...d })) };
}

function store() {
  try { localStorage.setItem(KEY, JSON.stringify(progress())); }
  catch { say('This browser does not keep the decisions. Fix: save your progress to a file.'); }
}

// Return saved decisions as [index, decision], the oldest first.
function read(saved) {
  const fix = 'Fix: load the file that was saved from this page.';
  if (saved?.format !== FORMAT || !Array.isArray(saved.decisions)) throw new Error(`this is not a saved review. ${fix}`);
  if (saved.fingerprint !== data.fingerprint) throw new Error(`this file belongs to another review. ${fix}`);
  const within = (number, list) => Number.isInteger(number) && number >= 0 && number < list.length;
  const found = saved.decisions.map(d => {
    const fits = d && within(d.index, data.names) && STATES.indexOf(d.action) > 0
      && (within(d.label, classes) || d.label === null && d.action !== 'relabel');
    if (!fits) throw new Error(`a decision cannot be read: ${JSON.stringify(d)}. ${fix}`);
    return [d.index, { action: d.action, label: d.label, by: String(d.by ?? ''), when: String(d.when ?? '') }];
  });
  return found.sort((a, b) => a[1].when < b[1].when ? -1 : a[1].when > b[1].when ? 1 : 0);
}

// Take a saved file in place of the decisions here; it can be undone.
function load(saved) {
  const found = new Map(read(saved));
  const all = new Set([...decisions.keys(), ...found.keys()]);
  if (typeof saved.who === 'string') $('who').value = saved.who;
  undone = [];
  const gone = [...all].filter(index => !found.has(index));
  if (all.size) apply([...gone, ...found.keys()].map(index => [index, decisions.get(index), found.get(index)]));
}

// ---- export ----

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
const nameOf = label => label === null ? '' : classes[label];

function decisionsCsv() {
  const rows = [...decisions].sort((a, b) => a[0] - b[0]).map(([index, d]) =>
    [index, data.names[index], nameOf(data.labels[index]), d.action, nameOf(d.label), d.by, d.when]);
  return csv([['index', 'image', 'label', 'decision', 'new_label', 'by', 'when'], ...rows]);
}

// CSVFaces reads image and label; NoisyLabels(noise_file=...) reads name and label.
function correctedCsv() {
  const rows = [];
  let discarded = 0;
  data.names.forEach((name, index) => {
    const d = decisions.get(index);
    if (d?.action === 'discard') discarded++;
    if (d?.action === 'discard' && data.files) return;
    const label = d?.action === 'relabel' ? d.label : data.labels[index];
    rows.push([name, nameOf(label), data.keys[index], d?.action, d?.by, d?.when]);
  });
  if (discarded && !data.files)
    say(`Discarded images (${discarded}) keep their label in the list: they are not files, which a list can leave out.`);
  return csv([['image', 'label', 'name', 'decision', 'by', 'when'], ...rows]);
}
