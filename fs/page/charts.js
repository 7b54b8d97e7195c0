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

/* GRAPH: title, values in thousandths from `from` on every `step` seconds, when it will be full (0: not). */
function graph(of) {
  const width = 480, height = 170, left = 48, bottom = 20;
  const n = of.values.length;
  const x = (i) => left + (width - left - 6) * i / (n - 1);
  const y = (value) => 8 + (height - bottom - 8) * (1 - Math.min(value, 1000) / 1000);
  const last = of.values.findLast((value) => value !== null);
  const told = of.full ? `full on ${new Date(of.full * 1000).toLocaleDateString([], { dateStyle: 'medium' })} if this goes on`
    : '';
  const made = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img',
    'aria-label': `${of.title}: now ${percent(last)} ${told}` });

  for (const level of [0, 500, 1000])
    made.append(svg('line', { class: 'grid', x1: left, x2: width - 6, y1: y(level), y2: y(level) }),
      svg('text', { x: left - 6, y: y(level) + 4, 'text-anchor': 'end' }, percent(level)));
  for (const [at, anchor] of [[0, 'start'], [0.5, 'middle'], [1, 'end']]) {
    const when = new Date((of.from + of.step * (n - 1) * at) * 1000);
    const style = of.step * n > 2 * 86400 ? { month: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit' };
    made.append(svg('text', { x: x((n - 1) * at), y: height - 4, 'text-anchor': anchor },
      when.toLocaleString([], style)));
  }
  for (const run of runs(of.values, x, y)) {
    const ends = [run[0], run[run.length - 1]].map((point) => point.split(',')[0]);
    made.append(svg('polygon', { class: 'area', points: `${ends[0]},${y(0)} ${run.join(' ')} ${ends[1]},${y(0)}` }),
      svg('polyline', { class: 'line', points: run.join(' ') }));
  }
  return element('figure', {}, element('figcaption', {}, `${of.title}: `, element('span', {}, percent(last)),
    told ? element('span', { class: 'soft' }, ` – ${told}`) : ''), made);
}
