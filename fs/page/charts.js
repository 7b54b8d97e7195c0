/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines: without axes within a table, and with them. */

function svg(name, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes || {}))
    made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/* The runs of values that are known, as points of a polyline. */
function runs(values, x, y) {
  const found = [];
  let run = [];
  values.forEach((value, i) => {
    if (value !== null)
      run.push(`${x(i).toFixed(1)},${y(value).toFixed(1)}`);
    if ((value === null || i === values.length - 1) && run.length > 0) {
      found.push(run);
      run = [];
    }
  });
  return found;
}

/* VALUES from 0 to TOP. */
function spark(values, top) {
  const made = svg('svg', { class: 'spark', viewBox: '0 0 88 20', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  fillSpark(made, values, top);
  return made;
}

function fillSpark(made, values, top) {
  const x = (i) => (values.length < 2 ? 88 : i * 88 / (values.length - 1));
  const y = (value) => 19 - 18 * Math.min(value / top, 1);
  replace(made, runs(values, x, y).filter((run) => run.length > 1)
    .map((run) => svg('polyline', { points: run.join(' ') })));
}

const units = {
  percent: (value) => `${Math.round(value)} %`,
  bytes,
  rate,
};

/* The next of 1, 2, 5, 10 … that is not less; of bytes powers of two. */
function roundUp(value, unit) {
  if (unit === 'percent')
    return 100;
  if (unit === 'bytes' || unit === 'rate')
    return 2 ** Math.ceil(Math.log2(Math.max(value, 1)));
  const ten = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((n) => n * ten).find((n) => n >= value);
}

/* GRAPH: title, unit, from and step in seconds, lines of label and values, perhaps limit. */
function graph(of) {
  const width = 480, height = 170, left = 52, bottom = 20;
  const n = Math.max(...of.lines.map((line) => line.values.length));
  const known = of.lines.flatMap((line) => line.values).filter((value) => value !== null);
  const top = roundUp(Math.max(...known, of.limit || 0, 1), of.unit);
  const x = (i) => left + (width - left - 4) * (n > 1 ? i / (n - 1) : 1);
  const y = (value) => 6 + (height - bottom - 6) * (1 - value / top);
  const say = units[of.unit] || String;
  const last = known.length ? of.lines[0].values.findLast((value) => value !== null) : null;
  const made = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img',
    'aria-label': `${of.title}: ${last === null ? 'not known' : `now ${say(last)}`}` });

  for (const level of [0, 0.5, 1]) {
    made.append(svg('line', { class: 'grid', x1: left, x2: width - 4, y1: y(level * top), y2: y(level * top) }),
      svg('text', { x: left - 6, y: y(level * top) + 4, 'text-anchor': 'end' }, say(level * top)));
  }
  for (const at of [0, 0.5, 1]) {
    const when = new Date((of.from + of.step * (n - 1) * at) * 1000);
    const long = of.step * n > 2 * 86400;
    made.append(svg('text', { x: x((n - 1) * at), y: height - 4,
      'text-anchor': at === 0 ? 'start' : at === 1 ? 'end' : 'middle' },
    when.toLocaleString([], long ? { month: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit' })));
  }
  if (of.limit)
    made.append(svg('line', { class: 'limit', x1: left, x2: width - 4, y1: y(of.limit), y2: y(of.limit) }));
  of.lines.forEach((line, number) => {
    for (const run of runs(line.values, x, y)) {
      const ends = [run[0], run[run.length - 1]].map((point) => point.split(',')[0]);
      if (number === 0)
        made.append(svg('polygon', { class: 'area',
          points: `${ends[0]},${y(0)} ${run.join(' ')} ${ends[1]},${y(0)}` }));
      made.append(svg('polyline', { class: `line line${number % 3}`, points: run.join(' ') }));
    }
  });
  return element('figure', {}, element('figcaption', {}, of.title), made);
}
