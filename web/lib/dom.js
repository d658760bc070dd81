// dom.js - elements by a function. Text is always text: nothing here, nor anywhere in the page, parses HTML.

/** An element. props: properties ("className", "onclick", "disabled"), "data" (data-...), "aria" (aria-...),
 *  "attrs" (any attribute); children: elements and texts, false and null are left out. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name === 'data') Object.assign(element.dataset, value);
    else if (name === 'aria') for (const [key, text] of Object.entries(value)) element.setAttribute(`aria-${key}`, text);
    else if (name === 'attrs') for (const [key, text] of Object.entries(value)) element.setAttribute(key, text);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A button that does something. */
export const button = (text, onclick, props = {}) => h('button', { type: 'button', onclick, ...props }, text);

/** Replace what is in an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const sheets = new Map();
/** Resolves when a view's own sheet of web/style applies: the page may name it already, else it is loaded once. */
export function style(name) {
  const href = new URL(`../style/${name}.css`, import.meta.url).href;
  if ([...document.querySelectorAll('head > link[rel=stylesheet]')].some((link) => link.href === href && !sheets.has(name)))
    sheets.set(name, Promise.resolve());
  if (!sheets.has(name))
    sheets.set(name, new Promise((resolve) => {
      const link = h('link', { rel: 'stylesheet', href });
      link.onload = link.onerror = resolve;
      document.head.append(link);
    }));
  return sheets.get(name);
}

/** What the window, its tab and a bookmark are called. */
export const entitle = (text) => (document.title = `${text} – SDXL Lab`);

let politeAt = 0;
/** Say something to who listens to the page. Urgent: a failure; else at most every ten seconds. */
export function say(text, isUrgent = false) {
  const now = performance.now();
  if (!isUrgent && now - politeAt < 10000) return;
  if (!isUrgent) politeAt = now;
  document.getElementById(isUrgent ? 'alerts' : 'news').textContent = text;
}

/** "1.2 s", "3 min 5 s", "2 h 10 min". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

export const plural = (n, one, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
