/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of guests: what is shown of it, in which order.  Rows are made as they come into sight. */

const guests = {
  all: [],
  found: [],
  limit: 100,
  sort: 'cpu',
  down: true,
  past: new Map(), /* name -> CPU, thousandths, as this page has seen it */
};

const STEP = 200, PAST = 60;

/* What columns are sorted by, and whether the most comes first. */
const keys = {
  name: { value: (vm) => vm.name, down: false },
  host: { value: (vm) => vm.host, down: false },
  state: { value: (vm) => vm.state, down: false },
  cpu: { value: (vm) => vm.cpu, down: true },
  memory: { value: (vm) => vm.memory, down: true },
  disk: { value: (vm) => vm.disk, down: true },
  net: { value: (vm) => vm.net, down: true },
};

function sumOf(a, b) {
  return a === null && b === null ? null : (a || 0) + (b || 0);
}

function decodeGuests(data) {
  return data.vms.map((row) => {
    const vm = Object.fromEntries(data.vm_columns.map((name, i) => [name, row[i]]));
    vm.disk = sumOf(vm.read, vm.written);
    vm.net = sumOf(vm.received, vm.sent);
    vm.words = `${vm.name}\n${vm.host}\n${vm.title}\n${vm.tags}`.toLowerCase();
    return vm;
  });
}

/* What CPUs did: the last hour, as the page tells it (a character a minute, up to z for all of the time, a dot
 * for what is not known), or what has been seen here. */
const LEVELS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function remember() {
  const past = new Map();
  for (const vm of guests.all)
    past.set(vm.name, vm.past
      ? [...vm.past].map((level) => (level === '.' ? null : LEVELS.indexOf(level) * 1000 / (LEVELS.length - 1)))
      : [...(guests.past.get(vm.name) || []), vm.cpu].slice(-PAST));
  guests.past = past;
}

/* What is not known comes last, whichever way. */
function compareBy(value, down) {
  return (a, b) => {
    const p = value(a), q = value(b);
    if (p === null || q === null)
      return (p === null) - (q === null) || (a.name < b.name ? -1 : 1);
    const order = p < q ? -1 : p > q ? 1 : 0;
    return (down ? -order : order) || (a.name < b.name ? -1 : 1);
  };
}

function find() {
  const words = document.getElementById('words').value.toLowerCase().split(/\s+/).filter(Boolean);
  const state = document.getElementById('state').value;
  guests.found = guests.all
    .filter((vm) => (state === '' || vm.state === state) && words.every((word) => vm.words.includes(word)))
    .sort(compareBy(keys[guests.sort].value, guests.down));
}

function makeRow(vm) {
  const cell = (kind, ...children) => element('td', { role: 'cell', class: kind }, ...children);
  const row = element('tr', { role: 'row' },
    cell('', named('', { class: 'name' }), element('small', { class: 'title' }), element('small', { class: 'narrow' })),
    cell('medium', named('')),
    cell('', element('span', { class: 'badge' })),
    cell('number', element('span', { class: 'cpu' }, spark([], 1000), element('span'))),
    cell('number', element('span'), element('small')),
    cell('number large', element('span'), element('small')),
    cell('number large', element('span'), element('small')));
  return row;
}

function twoLines(cell, first, second) {
  setText(cell.firstChild, first);
  setText(cell.lastChild, second);
}

function fillRow(row, vm) {
  const [name, host, state, cpu, memory, disk, net] = row.children;
  const runs = vm.state === 'running';
  setText(name.children[0], vm.name);
  setText(name.children[1], [vm.title, vm.tags.replaceAll('\n', ', ')].filter(Boolean).join(' · '));
  setText(name.children[2], vm.host);
  setText(host.firstChild, vm.host);
  if (state.firstChild.textContent !== vm.state)
    state.firstChild.replaceWith(badge(vm.state));
  fillSpark(cpu.firstChild.firstChild, guests.past.get(vm.name) || [], 1000);
  setText(cpu.firstChild.lastChild, runs ? percent(vm.cpu) : '');
  cpu.firstChild.lastChild.className = vm.cpu >= 900 ? 'hot' : '';
  twoLines(memory, bytes(vm.memory), vm.rss ? `${bytes(vm.rss)} taken` : '');
  twoLines(disk, runs ? rate(vm.disk) : '', runs && vm.disk ? `${rate(vm.written)} written` : '');
  twoLines(net, runs ? rate(vm.net) : '', runs && vm.net ? `${rate(vm.sent)} sent` : '');
}

function drawGuests() {
  const section = document.getElementById('guests');
  const shown = guests.found.slice(0, guests.limit);
  const more = section.querySelector('.more');
  keyed(section.querySelector('tbody'), shown, (vm) => vm.name, makeRow, fillRow);
  more.hidden = shown.length === guests.found.length;
  more.textContent = `Show more of ${guests.found.length}`;
  setText(document.getElementById('count'), guests.found.length === guests.all.length
    ? `${guests.all.length} guests` : `${guests.found.length} of ${guests.all.length} guests`);
  for (const button of section.querySelectorAll('th button')) {
    const heading = button.parentElement;
    if (button.dataset.key === guests.sort)
      heading.setAttribute('aria-sort', guests.down ? 'descending' : 'ascending');
    else
      heading.removeAttribute('aria-sort');
  }
}

function drawStates() {
  const select = document.getElementById('state');
  const states = [...new Set([...guests.all.map((vm) => vm.state), select.value])].filter(Boolean).sort();
  const have = [...select.options].map((option) => option.value).slice(1);
  if (states.join() === have.join())
    return;
  const chosen = select.value;
  replace(select, [select.options[0], ...states.map((state) => element('option', { value: state }, state))]);
  select.value = chosen;
}

function lookAgain() {
  guests.limit = 100;
  find();
  drawGuests();
  keepView();
}

function sortBy(key) {
  guests.down = guests.sort === key ? !guests.down : keys[key].down;
  guests.sort = key;
  lookAgain();
}

function showGuests(data) {
  guests.all = decodeGuests(data);
  remember();
  drawStates();
  find();
  drawGuests();
}

/* The view is in the address, so that reloading keeps it, and it can be passed on. */

function keepView() {
  const view = new URLSearchParams();
  const words = document.getElementById('words').value, state = document.getElementById('state').value;
  if (words)
    view.set('find', words);
  if (state)
    view.set('state', state);
  if (guests.sort !== 'cpu' || !guests.down)
    view.set('sort', `${guests.sort}${guests.down ? ',down' : ''}`);
  try {
    history.replaceState(null, '', `#${view}`);
  } catch (error) {
    /* a file, in some browsers: then it is not kept */
  }
}

function recallView() {
  const view = new URLSearchParams(location.hash.slice(1));
  const [sort, down] = (view.get('sort') || '').split(',');
  document.getElementById('words').value = view.get('find') || '';
  if (view.get('state')) {
    const select = document.getElementById('state');
    select.append(element('option', { value: view.get('state') }, view.get('state')));
    select.value = view.get('state');
  }
  if (Object.hasOwn(keys, sort)) {
    guests.sort = sort;
    guests.down = down === 'down';
  }
}

function startGuests() {
  const section = document.getElementById('guests');
  const more = section.querySelector('.more');
  const showMore = () => {
    guests.limit += STEP;
    drawGuests();
  };
  recallView();
  for (const button of section.querySelectorAll('th button'))
    button.addEventListener('click', () => sortBy(button.dataset.key));
  document.getElementById('words').addEventListener('input', lookAgain);
  document.getElementById('state').addEventListener('change', lookAgain);
  document.getElementById('filter').addEventListener('submit', (event) => event.preventDefault());
  more.addEventListener('click', showMore);
  new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting))
      showMore();
  }, { rootMargin: '600px' }).observe(more);
}
