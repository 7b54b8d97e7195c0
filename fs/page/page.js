/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rest of the page, and how it is kept up to date: served, it fetches itself again and shows what has
 * changed where it is; as a file it can only be loaded again. */

const served = location.protocol.startsWith('http');
const page = { data: null, findings: 6, failure: '' };
const made = document.querySelector('meta[name=generator]').content;
const START = '<script type="application/json" id="data">';

/* At a glance. */

function sum(list, key) {
  return list.reduce((total, item) => total + (item[key] || 0), 0);
}

function tile(name, value, detail, extra) {
  return element('div', {}, element('dt', {}, name),
    element('dd', { class: 'value' }, value), element('dd', { class: 'detail' }, detail), ...(extra || []));
}

function memoryTile(hosts) {
  const total = sum(hosts, 'memory'), used = sum(hosts, 'used'), promised = sum(hosts, 'promised');
  const most = used || promised;
  const label = `${used ? `${bytes(used)} used, ` : ''}${bytes(promised)} promised of ${bytes(total)}`;
  return tile('Memory', percent(part(most, total) * 1000), label,
    [bar(label, part(used, total), part(promised, total))]);
}

function cpuTile(hosts) {
  const known = hosts.filter((host) => host.cpu !== null);
  const cpus = sum(known, 'cpus');
  const busy = known.reduce((total, host) => total + host.cpu * host.cpus, 0) / 1000;
  return tile('CPUs', known.length ? percent(part(busy, cpus) * 1000) : '–',
    `of ${sum(hosts, 'cpus')} busy, ${sum(hosts, 'vcpus')} promised`,
    [bar('CPUs that are busy', part(busy, cpus), 0)]);
}

function storageTile(pools) {
  const total = sum(pools, 'capacity'), used = total - sum(pools, 'available');
  const label = `${bytes(total - used)} of ${bytes(total)} free`;
  return tile('Storage', percent(part(used, total) * 1000), label, [bar(label, part(used, total), 0)]);
}

function fullness(host) {
  return part(Math.max(host.used, host.promised), host.memory);
}

function fullestTile(hosts) {
  const host = hosts.find((candidate) => candidate.state === 'up');
  if (!host)
    return tile('Fullest host', '–', 'none is up');
  return tile('Fullest host', named(host.name), `${percent(fullness(host) * 1000)} of its memory taken`,
    [bar('fullest host', part(host.used, host.memory), part(host.promised, host.memory))]);
}

function drawGlance(data) {
  const up = data.hosts.filter((host) => host.state === 'up');
  const running = data.vms.filter((row) => row[2] === 'running').length;
  const away = data.hosts.length - up.length;
  const hosts = tile('Hosts', `${up.length} of ${data.hosts.length} up`,
    away ? `${away} away` : 'all can be reached', []);
  hosts.children[2].classList.toggle('bad', away > 0);
  replace(document.getElementById('glance'), [fullestTile(data.hosts), hosts,
    tile('Guests', `${running} of ${data.vms.length}`, 'running',
      [bar(`${running} of ${data.vms.length} run`, part(running, data.vms.length) * 0.84, 0)]),
    cpuTile(up), memoryTile(up), storageTile(data.pools)]);
}

/* What needs attention. */

function drawAttention(data) {
  const section = document.getElementById('attention');
  const more = section.querySelector('.more');
  const list = data.attention.slice(0, page.findings);
  replace(section.querySelector('ol'), list.map((finding) => element('li', {}, badge(finding.level),
    named(finding.object.replace(/^(vms|hosts)\//, ''), { class: 'object', title: finding.object }),
    element('span', { class: 'what', dir: 'auto' }, finding.text),
    finding.since ? moment(finding.since, `since ${clock(finding.since)}`) : '')));
  section.querySelector('.none').hidden = list.length > 0;
  more.hidden = list.length === data.attention.length;
  more.textContent = `Show all ${data.attention.length}`;
  document.title = data.attention.length ? `(${data.attention.length}) virfs` : 'virfs';
}

function drawAlarms(data) {
  const section = document.getElementById('alarms');
  section.hidden = data.alarms.length === 0;
  replace(section.querySelector('ul'), data.alarms.map((alarm) => {
    const rest = alarm.count - alarm.objects.length;
    const told = [rest > 0 ? `and ${rest} more` : '', alarm.acknowledged ? `${alarm.acknowledged} acknowledged` : '',
      `since ${clock(alarm.since)}`].filter(Boolean).join(', ');
    return element('li', {}, badge(alarm.level), ' ', named(alarm.name, { class: 'name' }), ' ',
      element('span', { dir: 'auto' }, alarm.text), element('small', { class: 'soft' },
        ...alarm.objects.flatMap((path) => [named(path.replace(/^(vms|hosts)\//, ''), { title: path }), ' ']), told));
  }));
}

function drawJobs(data) {
  const section = document.getElementById('jobs');
  section.hidden = data.jobs.length === 0;
  replace(section.querySelector('ul'), data.jobs.map((job) => {
    const told = job.percent === null ? job.state : `${job.percent} %`;
    return element('li', {}, named(`${job.object}: ${job.operation}`), ` – ${told}, `,
      `since ${clock(job.started)}`, bar(`${told} done`, part(job.percent, 100) * 0.84, 0));
  }));
}

/* Hosts and pools. */

function makeBars(columns, kinds) {
  return () => {
    const row = element('tr', { role: 'row' });
    for (let i = 0; i < columns; i++)
      row.append(element('td', { role: 'cell', class: kinds[i] }));
    row.firstChild.append(named('', { class: 'name' }), ' ', badge(''), element('small'));
    for (const cell of row.children)
      if (cell.className === 'wide')
        cell.append(bar('', 0, 0), element('small'));
    return row;
  };
}

function fillCell(cell, text, used, promised) {
  fillBar(cell.firstChild, text, used, promised);
  setText(cell.lastChild, text);
}

function fillHead(cell, name, state, detail) {
  setText(cell.firstChild, name);
  cell.children[1].replaceWith(badge(state));
  setText(cell.lastChild, detail);
}

function memoryOf(host) {
  const promised = `${bytes(host.promised)} promised`;
  return host.used === null ? `${promised} of ${bytes(host.memory)}`
    : `${bytes(host.used)} of ${bytes(host.memory)} used, ${promised}, ${bytes(host.memory - host.used)} free`;
}

function fillHost(row, host) {
  const known = host.state === 'up';
  fillHead(row.children[0], host.name, host.state, host.hypervisor);
  fillCell(row.children[1], known ? memoryOf(host) : 'not known now',
    known ? part(host.used, host.memory) : 0, known ? part(host.promised, host.memory) : 0);
  fillCell(row.children[2], known ? `${percent(host.cpu)} of ${host.cpus} busy, ${host.vcpus} promised` : 'not known now',
    known && host.cpu !== null ? host.cpu / 1000 : 0, 0);
  setText(row.children[3], known ? `${host.active} of ${host.guests}` : `${host.guests}`);
}

function fillPool(row, pool) {
  const used = pool.capacity - pool.available;
  fillHead(row.children[0], pool.name, pool.state, pool.type);
  setText(row.children[1], pool.host);
  fillCell(row.children[2], pool.capacity ? `${bytes(used)} of ${bytes(pool.capacity)} used, ${bytes(pool.available)} free`
    : 'not known now', part(used, pool.capacity), 0);
}

function drawHosts(data) {
  const pools = [...data.pools].sort((a, b) => part(a.available, a.capacity) - part(b.available, b.capacity));
  keyed(document.querySelector('#hosts tbody'), data.hosts, (host) => host.name,
    makeBars(4, ['', 'wide', 'wide', 'number']), fillHost);
  keyed(document.querySelector('#pools tbody'), pools, (pool) => `${pool.host}/${pool.name}`,
    makeBars(3, ['', 'medium', 'wide']), fillPool);
}

/* History and events. */

function drawHistory(data) {
  const section = document.getElementById('history');
  const graphs = data.graphs.filter((of) => of.values.some((value) => value !== null));
  section.hidden = graphs.length === 0;
  replace(section.querySelector('.graphs'), graphs.map(graph));
}

function drawEvents(data) {
  replace(document.querySelector('#events ol'), data.events.map((line) => {
    const time = line.split(' ', 1)[0];
    const seconds = Date.parse(time) / 1000;
    return element('li', {}, moment(seconds, Number.isNaN(seconds) ? time : ''),
      element('span', { dir: 'auto' }, line.slice(time.length + 1)));
  }));
  document.getElementById('events').hidden = data.events.length === 0;
}

/* How old it is. */

function drawAge() {
  const age = Math.max(0, Date.now() / 1000 - page.data.made);
  const stale = age > Math.max(60, 4 * page.data.interval);
  const said = document.getElementById('status');
  setText(document.getElementById('age'), age < 2 ? '(just now)' : `(${span(age)} ago)`);
  if (page.failure)
    setText(said, `It cannot be refreshed: ${page.failure}. What is shown is ${span(age)} old.`);
  else if (stale)
    setText(said, `What is shown is stale: ${span(age)} old.`);
  else
    setText(said, '');
}

/* What is not told is not there. */
const LISTS = ['attention', 'alarms', 'hosts', 'pools', 'vms', 'graphs', 'jobs', 'events'];

function complete(data) {
  for (const name of LISTS)
    data[name] = data[name] || [];
  return data;
}

function show(data) {
  page.data = complete(data);
  document.querySelector('#made time').replaceWith(moment(data.made));
  drawGlance(data);
  drawAttention(data);
  drawAlarms(data);
  drawJobs(data);
  drawHosts(data);
  showGuests(data);
  drawHistory(data);
  drawEvents(data);
  drawAge();
}

/* Keeping up to date. */

async function refresh() {
  try {
    const answer = await fetch(location.href.split('#')[0], { cache: 'no-store' });
    const text = await answer.text();
    const start = text.indexOf(START);
    if (!answer.ok || start < 0)
      throw new Error(answer.ok ? 'this is no such page' : `the server says ${answer.status}`);
    page.failure = '';
    if (!text.slice(0, start).includes(`content="${made}"`))
      location.reload(); /* another version of virfs, with other scripts */
    show(JSON.parse(text.slice(start + START.length, text.indexOf('<' + '/script>', start))));
  } catch (error) {
    page.failure = error.message;
    drawAge();
  }
}

function follow() {
  const box = document.querySelector('#follow input');
  const wait = Math.max(page.data.interval, 5) * 1000;
  setTimeout(async () => {
    if (box.checked && !document.hidden)
      await refresh();
    follow();
  }, wait);
}

function comeBack() {
  if (!document.hidden && document.querySelector('#follow input').checked)
    refresh();
}

function start() {
  startGuests();
  show(JSON.parse(document.getElementById('data').textContent));
  document.querySelector('#attention .more').addEventListener('click', () => {
    page.findings = Infinity;
    drawAttention(page.data);
  });
  document.getElementById('refresh').addEventListener('click', () => (served ? refresh() : location.reload()));
  document.getElementById('follow').hidden = !served;
  setInterval(drawAge, 1000);
  if (!served)
    return;
  document.addEventListener('visibilitychange', comeBack);
  follow();
}

start();
