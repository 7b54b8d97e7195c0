'use strict';
/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Elements and words.  All text goes through textContent: nothing that a guest is called is ever markup. */

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {}))
    made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/* A name of somebody else's choice: it may be of another direction than the text around it. */
function named(text, attributes) {
  return element('bdi', attributes, text);
}

function replace(parent, children) {
  parent.replaceChildren(...children);
}

/* Makes the children of PARENT one for each item, keeping those that are there: FILL gets the child and the
 * item. */
function keyed(parent, items, key, make, fill) {
  const old = new Map();
  for (const child of parent.children)
    old.set(child.dataset.of, child);
  let place = parent.firstElementChild;
  for (const item of items) {
    const of = key(item);
    let child = old.get(of);
    if (child === undefined) {
      child = make(item);
      child.dataset.of = of;
    }
    old.delete(of);
    fill(child, item);
    if (child === place)
      place = place.nextElementSibling;
    else
      parent.insertBefore(child, place);
  }
  for (const child of old.values())
    child.remove();
}

function setText(node, text) {
  if (node.textContent !== text)
    node.textContent = text;
}

/* Values. */

function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  if (value === null || value === undefined)
    return '–';
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value >= 9.95 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function rate(value) {
  return value === null || value === undefined ? '–' : `${bytes(value)}/s`;
}

/* Of thousandths. */
function percent(value) {
  if (value === null || value === undefined)
    return '–';
  return value < 100 && value > 0 ? `${(value / 10).toFixed(1)} %` : `${Math.round(value / 10)} %`;
}

function part(value, whole) {
  return whole > 0 ? value / whole : 0;
}

function span(seconds) {
  if (seconds < 90)
    return `${Math.round(seconds)} s`;
  if (seconds < 5400)
    return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600)
    return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

function clock(seconds) {
  const date = new Date(seconds * 1000);
  const today = new Date().toDateString() === date.toDateString();
  return date.toLocaleString([], today ? { timeStyle: 'medium' } : { dateStyle: 'medium', timeStyle: 'short' });
}

/* With TEXT in place of the clock, if there is one. */
function moment(seconds, text) {
  if (Number.isNaN(new Date(seconds * 1000).getTime()))
    return element('time', {}, text || '–');
  return element('time', { datetime: new Date(seconds * 1000).toISOString() }, text || clock(seconds));
}

function badge(word) {
  return element('span', { class: `badge ${/^[a-z]+$/.test(word) ? word : ''}` }, word);
}

/* A bar: USED and PROMISED are parts of 1; LABEL tells those who do not see it. */
function bar(label, used, promised) {
  const made = element('span', { role: 'img' });
  for (const name of ['promised', 'used'])
    made.append(element('span', { class: name }));
  fillBar(made, label, used, promised);
  return made;
}

function fillBar(made, label, used, promised) {
  const width = (value) => `${Math.min(Math.max(value || 0, 0), 1) * 100}%`;
  made.className = `bar${used >= 0.95 ? ' full' : used >= 0.85 ? ' filling' : ''}`;
  made.setAttribute('aria-label', label);
  made.firstChild.style.width = width(promised);
  made.lastChild.style.width = width(used);
}
