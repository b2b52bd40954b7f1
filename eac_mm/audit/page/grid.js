// Filters, pairs of label and suggestion, and the grid.

const CARD = { width: 152, height: 182 };
const MATRIX = 12; // classes; more of them make a list of pairs
const PAIRS = 60; // in that list
let pair = null, heatOn = false;

// ---- filters ----

function filter() {
  const score = data.scores[$('sort').value];
  const state = $('state').value, text = $('search').value.toLowerCase();
  const label = $('label').value, suggestion = $('suggestion').value;
  order = [...Array(count).keys()].filter(item => {
    const index = data.shown[item];
    return (!state || state === (decisions.get(index)?.action ?? 'undecided'))
      && (!label || Number(label) === data.labels[index])
      && (!suggestion || Number(suggestion) === data.suggestions[item])
      && (!text || data.names[index].toLowerCase().includes(text))
      && (!pair || pair[0] === data.labels[index] && pair[1] === data.suggestions[item]);
  });
  // A score that is not known is null, and comes last.
  const known = item => score[item] ?? -Infinity;
  order.sort((a, b) => known(b) > known(a) ? 1 : known(b) < known(a) ? -1 : a - b);
  at = from = 0;
  $('grid').scrollTop = 0;
  for (const { button, of } of pairButtons) button.setAttribute('aria-pressed', String(of) === String(pair));
  $('empty').hidden = order.length > 0;
  refresh();
}

// ---- pairs ----

const pairButtons = [];

function pairButton(of, number, most, text) {
  const button = make('button', { textContent: text, onclick: () => {
    pair = String(of) === String(pair) ? null : of;
    filter();
  } });
  button.setAttribute('aria-label', `${number} labelled ${classes[of[0]]}, suggested ${classes[of[1]]}`);
  button.style.background = `color-mix(in srgb, var(--mark) ${Math.round(45 * number / most)}%, var(--back))`;
  pairButtons.push({ button, of });
  return button;
}

function showPairs() {
  const counts = new Map();
  for (let item = 0; item < count; item++) {
    const key = data.labels[data.shown[item]] * classes.length + data.suggestions[item];
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const ranked = [...counts].sort((a, b) => b[1] - a[1]), most = ranked[0]?.[1];
  const split = key => [Math.floor(key / classes.length), key % classes.length];
  if (classes.length > MATRIX) {
    $('pairstext').textContent = 'Commonest pairs of label and suggestion; click one to see its images:';
    $('pairs').append(make('ul', {}, ...ranked.slice(0, PAIRS).map(([key, number]) => {
      const [label, suggestion] = split(key);
      return make('li', {}, pairButton([label, suggestion], number, most, `${number}: ${classes[label]} → ${classes[suggestion]}`));
    })));
    return;
  }
  $('pairstext').textContent = 'Label (rows) and suggestion (columns); click a cell to see its images:';
  const head = classes.map(name => make('th', { textContent: name.slice(0, 4), title: name, scope: 'col' }));
  const rows = classes.map((name, label) => make('tr', {}, make('th', { textContent: name, scope: 'row' }),
    ...classes.map((_, suggestion) => {
      const number = counts.get(label * classes.length + suggestion);
      return number ? make('td', {}, pairButton([label, suggestion], number, most, number)) : make('td');
    })));
  $('pairs').append(make('table', {}, make('tr', {}, make('td'), ...head), ...rows));
}

// ---- grid: only the cards in sight exist, and they are reused ----

const cards = [];
const columns = () => Math.max(1, Math.floor($('grid').clientWidth / CARD.width));
const range = () => order.slice(Math.min(at, from), Math.max(at, from) + 1);

// After a change of what is decided or shown. Scrolling needs draw() alone.
function refresh() {
  countUp();
  draw();
  if (open()) show();
}

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
}

function card() {
  const svg = drawing('svg');
  svg.setAttribute('viewBox', '0 0 200 50');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.append(drawing('polyline'));
  const node = make('div', { className: 'card', id: `card${cards.length}` },
    make('div', { className: 'frame' }, make('img', { alt: '' }), make('canvas', { hidden: true })),
    make('p'), make('p'), svg, make('p'));
  node.setAttribute('role', 'option');
  node.onclick = event => {
    at = Number(node.dataset.place);
    if (!event.shiftKey) from = at;
    draw();
  };
  node.ondblclick = look;
  $('space').append(node);
  return node;
}

function fill(node, place, wide) {
  const item = order[place], index = data.shown[item], decision = decisions.get(index);
  const chosen = place >= Math.min(at, from) && place <= Math.max(at, from);
  const [frame, labels, name, curve, state] = node.children;
  const label = classes[data.labels[index]], suggestion = classes[data.suggestions[item]];
  const share = Math.round(shares[item * classes.length + data.suggestions[item]] / 2.55);
  const score = data.scores[$('sort').value][item];
  const text = decision ? stateOf(decision) : score === null ? 'score not known' : `score ${score.toFixed(3)}`;
  node.dataset.place = place;
  node.style.transform = `translate(${place % wide * CARD.width}px, ${Math.floor(place / wide) * CARD.height}px)`;
  node.classList.toggle('chosen', chosen);
  node.classList.toggle('at', place === at);
  node.setAttribute('aria-selected', chosen);
  node.setAttribute('aria-posinset', place + 1);
  node.setAttribute('aria-setsize', order.length);
  node.setAttribute('aria-label', `${data.names[index]}: label ${label}, suggestion ${suggestion}, ${share} %, ${text}`);
  if (node.dataset.item !== String(item)) {
    frame.firstChild.src = data.pictures[item];
    curve.firstChild.setAttribute('points', points(item));
    delete node.dataset.heat;
    node.dataset.item = item;
  }
  heat(frame.lastChild, item, node);
  labels.textContent = labels.title = `${label} → ${suggestion} ${share} %`;
  name.textContent = name.title = data.names[index];
  state.textContent = text;
  state.className = decision?.action ?? '';
}

const drawing = tag => document.createElementNS('http://www.w3.org/2000/svg', tag);

// The curve of the loss as a polyline; 255 stands for an epoch without the image.
function points(item) {
  const curve = [...Array(epochs).keys()].map(e => [e, curves[item * epochs + e]]);
  return curve.filter(([, value]) => value < 255)
    .map(([e, value]) => `${epochs > 1 ? 200 * e / (epochs - 1) : 100},${49 - 48 * value / 254}`).join(' ');
}

// Lay the attention map over a picture; owner remembers which one is drawn.
function heat(canvas, item, owner) {
  canvas.hidden = !heatOn;
  if (!heatOn || owner.dataset.heat === String(item)) return;
  owner.dataset.heat = item;
  const { height, width } = data.attention;
  canvas.width = width; canvas.height = height;
  const pen = canvas.getContext('2d'), image = pen.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const value = heats[item * width * height + i];
    image.data.set([value, Math.round(value * value / 255), 255 - value, 255], 4 * i);
  }
  pen.putImageData(image, 0, 0);
}

function countUp() {
  const numbers = Object.fromEntries(STATES.map(state => [state, 0]));
  const mine = [...decisions].filter(([index]) => places.has(index));
  for (const [, { action }] of mine) numbers[action]++;
  put($('counters'), `${mine.length} of ${count} suspects decided (keep ${numbers.keep}, relabel ${numbers.relabel}, `
    + `discard ${numbers.discard}, unsure ${numbers.unsure}); ${order.length} shown`);
  const last = mine.slice(-50);
  put($('stop'), last.length ? `last ${last.length}: ${last.filter(isWrong).length} wrong` : '');
}

// Screen readers read a text anew whenever it is set.
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function move(step, extend = false) {
  at = Math.min(Math.max(at + step, 0), Math.max(order.length - 1, 0));
  if (!extend || open()) from = at;
  reveal();
}

// Scroll to the cursor.
function reveal() {
  const top = Math.floor(at / columns()) * CARD.height, grid = $('grid');
  if (top < grid.scrollTop) grid.scrollTop = top;
  if (top + CARD.height > grid.scrollTop + grid.clientHeight) grid.scrollTop = top + CARD.height - grid.clientHeight;
}
