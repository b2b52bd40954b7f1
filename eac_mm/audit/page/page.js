// The view of one image, the keys, and the start.

// ---- one image ----

const open = () => $('focus').open;

function look() {
  if (!order.length) return;
  from = at;
  if (!open()) $('focus').showModal();
  $('name').focus(); // not the first button, which Enter would press
  refresh();
}

function show() {
  const item = order[at], index = data.shown[item], decision = decisions.get(index);
  $('large').src = data.pictures[item];
  $('large').alt = data.names[index];
  put($('name'), `${at + 1} of ${order.length}: ${data.names[index]}`);
  put($('said'), `label ${classes[data.labels[index]]}, suggestion ${classes[data.suggestions[item]]}`
    + (decision ? `; decided: ${stateOf(decision)}` : ''));
  const mine = shares.subarray(item * classes.length, (item + 1) * classes.length);
  const best = [...mine.keys()].sort((a, b) => mine[b] - mine[a]).slice(0, 10);
  $('probabilities').replaceChildren(...best.map(label => {
    const bar = make('i');
    bar.style.width = `${mine[label] / 2.55}%`;
    return make('div', { className: 'bar' }, make('span', { textContent: classes[label], title: classes[label] }),
      make('span', {}, bar), make('span', { textContent: `${Math.round(mine[label] / 2.55)} %` }));
  }));
  $('losses').hidden = !epochs;
  $('curve').firstChild.setAttribute('points', points(item));
  $('curve').setAttribute('aria-label', `${epochs} epochs, from ${stepOf(item, 0)} to ${stepOf(item, epochs - 1)} % of the largest loss`);
  heat($('heat'), item, $('focus'));
  const near = data.neighbours?.[item] ?? [];
  $('near').hidden = !near.length;
  $('neighbours').replaceChildren(...near.map(other => make('figure', {},
    make('img', { src: data.pictures[other], alt: data.names[data.shown[other]] }),
    make('figcaption', { textContent: classes[data.labels[data.shown[other]]] }))));
  for (const { button, action, label } of choices) button.setAttribute('aria-pressed', decision?.action === action
    && (action !== 'relabel' || decision.label === (label ?? data.suggestions[item])));
}

const stepOf = (item, epoch) => Math.round(curves?.[item * epochs + epoch] / 2.54);

// ---- buttons ----

// Those of the view of one image that show what is decided.
const choices = [];

function showButtons() {
  const button = (text, onclick) => make('button', { textContent: text, onclick });
  const actions = { 'Keep (k)': 'keep', 'Suggestion (s)': 'relabel', 'Discard (d)': 'discard', 'Unsure (u)': 'unsure' };
  for (const bar of [$('actions'), $('decide')]) {
    if (bar === $('actions')) bar.append(button('One image (Enter)', look));
    for (const [text, action] of Object.entries(actions)) {
      const node = button(text, () => decide(action));
      bar.append(node);
      if (bar === $('decide')) choices.push({ button: node, action });
    }
    if (bar === $('decide') && classes.length <= 9) classes.forEach((name, label) => {
      const node = button(`${name} (${label + 1})`, () => decide('relabel', label));
      bar.append(node);
      choices.push({ button: node, action: 'relabel', label });
    });
    else bar.append(button('Class (c)', ask));
    if (heats) bar.append(button('Attention (v)', switchHeat));
  }
}

function switchHeat() {
  if (!heats) return say('The page has no attention maps.');
  heatOn = !heatOn;
  draw();
  if (open()) show();
}

// Ask for a class from the list; it goes to all chosen images.
function ask() {
  if (!order.length) return;
  $('choose').showModal();
  $('classes').focus();
}

function answer() {
  const label = $('classes').value;
  if (label === '') return;
  $('choose').close();
  decide('relabel', Number(label));
}

// ---- keys ----

const KEYS = {
  'arrows': 'move', 'Shift + arrows': 'choose several in the grid', 'Enter': 'one image',
  's': 'accept the suggestion', 'k': 'keep the label', 'd': 'discard the image', 'u': 'unsure',
  ...classes.length <= 9 && { [`1 to ${classes.length}`]: 'give it this class' }, 'c': 'choose a class from a list',
  'z': 'undo', 'y': 'redo', 'v': 'attention maps', 'Esc': 'back to the grid', '?': 'these keys',
};

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $('keys').open || $('choose').open) return;
  if (event.key === 'Escape' && !open()) return $('grid').focus();
  if (event.target.matches('input, select, summary')) return;
  const inGrid = open() || event.target === $('grid') || event.target === document.body;
  const number = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
  const wide = open() ? 1 : columns();
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide };
  const letters = {
    s: () => decide('relabel'), k: () => decide('keep'), d: () => decide('discard'), u: () => decide('unsure'),
    z: undo, y: redo, v: switchHeat, c: ask, '?': () => $('keys').showModal(),
  };
  if (Object.hasOwn(steps, event.key) && inGrid) { move(steps[event.key], event.shiftKey); refresh(); }
  else if (event.key === 'Enter' && inGrid && !open()) look();
  else if (number && number <= classes.length && classes.length <= 9) decide('relabel', number - 1);
  else if (Object.hasOwn(letters, event.key)) letters[event.key]();
  else return;
  event.preventDefault();
}

// ---- start ----

const option = (value, textContent) => make('option', { value, textContent });

function fillLists() {
  $('title').textContent = document.title;
  $('sort').append(...Object.keys(data.scores).map(name => option(name, name)));
  $('state').append(option('', 'all'), ...STATES.map(state => option(state, state)));
  for (const id of ['label', 'suggestion']) $(id).append(option('', 'all'), ...classes.map((name, i) => option(i, name)));
  $('classes').append(...classes.map((name, i) => option(i, name)));
  $('keylist').append(...Object.entries(KEYS).flatMap(([key, text]) => [make('dt', { textContent: key }), make('dd', { textContent: text })]));
  $('curve').append(drawing('polyline'));
  $('filters').open = !matchMedia('(max-width: 720px)').matches;
  showPairs();
  showButtons();
}

function listen() {
  for (const id of ['sort', 'state', 'label', 'suggestion']) $(id).onchange = filter;
  $('search').oninput = filter;
  $('reset').onclick = () => { for (const id of ['state', 'label', 'suggestion', 'search']) $(id).value = ''; pair = null; filter(); };
  $('grid').onscroll = () => requestAnimationFrame(draw);
  new ResizeObserver(draw).observe($('grid'));
  $('undo').onclick = undo; $('redo').onclick = redo;
  $('who').onchange = store;
  $('before').onclick = () => { move(-1); refresh(); };
  $('after').onclick = () => { move(1); refresh(); };
  $('close').onclick = () => $('focus').close();
  $('focus').onclose = () => { $('grid').focus(); reveal(); draw(); };
  $('help').onclick = () => $('keys').showModal();
  $('keysclose').onclick = () => $('keys').close();
  $('chosen').onclick = answer;
  $('classes').ondblclick = answer;
  $('classes').onkeydown = event => { if (event.key === 'Enter') { event.preventDefault(); answer(); } };
  $('chooseclose').onclick = () => $('choose').close();
  $('theme').onclick = () => {
    const dark = document.documentElement.dataset.theme === 'dark'
      || !document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches;
    document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  };
  $('save').onclick = () => download('review.json', JSON.stringify(progress()), 'application/json');
  $('export').onclick = () => download('decisions.csv', decisionsCsv(), 'text/csv');
  $('list').onclick = () => download('corrected.csv', correctedCsv(), 'text/csv');
  $('load').onchange = async () => {
    try { load(JSON.parse(await $('load').files[0].text())); filter(); }
    catch (error) {
      const text = error instanceof SyntaxError ? 'this is not a saved review. Fix: load the file that was saved from this page.' : error.message;
      say(`Not loaded: ${text}`);
    }
    $('load').value = '';
  };
  document.addEventListener('keydown', press);
}

function start() {
  fillLists();
  listen();
  try {
    const saved = JSON.parse(localStorage.getItem(KEY));
    for (const [index, decision] of saved ? read(saved) : []) set(index, decision);
    if (typeof saved?.who === 'string') $('who').value = saved.who;
  } catch { say('This browser cannot read what it kept of the review. Fix: load your saved file.'); }
  filter();
  $('grid').focus();
}

start();
