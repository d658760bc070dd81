// keys.js - the keys of gallery, viewer, comparison and culling: one table, which is both what they do and what "?" shows.
import { button, fill, h } from '../../lib/dom.js';
import { load, save } from '../../lib/store.js';

/** where: g gallery, v viewer, c comparison, k culling. Digits are ratings. */
const KEYS = [
  { keys: ['/'], does: 'search', where: 'g', help: 'Search' },
  { keys: ['Enter'], does: null, where: 'g', help: 'Open the picture' },
  { keys: ['ArrowLeft'], does: 'previous', where: 'vck', help: 'Previous picture' },
  { keys: ['ArrowRight'], does: 'next', where: 'vck', help: 'Next picture' },
  { keys: ['ArrowUp'], does: 'up', where: 'vc', help: null },
  { keys: ['ArrowDown'], does: 'down', where: 'vc', help: null },
  { keys: ['f', 'p'], does: 'favorite', where: 'gvc', help: 'Favourite, or no more' },
  { keys: ['x'], does: 'reject', where: 'gvc', help: 'Reject, or no more' },
  { keys: ['p', 'f'], does: 'favorite', where: 'k', help: 'Pick: a favourite' },
  { keys: ['x'], does: 'reject', where: 'k', help: 'Reject' },
  { keys: ['u'], does: 'clear', where: 'gvck', help: 'Take all marks away' },
  { keys: ['0', '1', '2', '3', '4', '5'], does: 'rate', where: 'gvck', help: 'Rating' },
  { keys: ['k'], does: 'cull', where: 'gv', help: 'Cull: judge one after the other' },
  { keys: [' '], does: 'pick', where: 'g', help: 'Pick for comparing' },
  { keys: ['c'], does: 'compare', where: 'gv', help: 'Compare those that are picked, or this one and the next' },
  { keys: ['n'], does: 'survey', where: 'gv', help: 'Look at those that are picked together, or at this one and the next three' },
  { keys: ['s'], does: 'slider', where: 'c', help: 'Two with a slider, or side by side' },
  { keys: ['b'], does: 'flicker', where: 'c', help: 'Two in turns, or side by side' },
  { keys: [' '], does: 'turn', where: 'c', help: 'In turns: stop, and show the other one' },
  { keys: ['r'], does: 'play', where: 'c', help: 'In turns: go on by itself, or stop' },
  { keys: ['d'], does: 'difference', where: 'c', help: 'The difference of two, or side by side' },
  { keys: ['a'], does: 'alone', where: 'c', help: 'Zoom and move one alone, or all together' },
  { keys: ['z'], does: 'zoom', where: 'vck', help: 'Pixel for pixel, or all of it' },
  { keys: ['+', '='], does: 'nearer', where: 'vc', help: 'Nearer' },
  { keys: ['-'], does: 'farther', where: 'vc', help: 'Farther' },
  { keys: ['l'], does: 'light', where: 'gvck', help: 'Grey around pictures: middle, dark, light' },
  { keys: ['Delete'], does: 'trash', where: 'gv', help: 'To the trash' },
  { keys: ['Escape'], does: 'close', where: 'gvck', help: 'Back' },
  { keys: ['?'], does: 'help', where: 'gvck', help: 'These keys' },
];
const NAMES = { ' ': 'Space', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', Delete: 'Del' };
const isTyping = (element) => element.closest?.('input:not([type=range]):not([type=checkbox]), textarea, select, dialog');

const DIGIT = /^(?:Digit|Numpad)(\d)$/;
const NOTES = {
  k: 'A mark goes on to the next picture; with Shift it stays. Ctrl+Z takes the last mark back.',
  g: 'Arrow keys, Home, End and the page keys move in the grid; Ctrl+Z takes the last mark back.',
};

/** Do what a key means. actions: by the table's "does", called with the event and the key. */
export function dispatch(event, where, actions) {
  if (isTyping(event.target) || event.altKey) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z' && actions.undo) {
    event.preventDefault();
    actions.undo();
    return;
  }
  if (event.ctrlKey || event.metaKey) return;
  if (event.target.type === 'range' && event.key.startsWith('Arrow')) return;
  if (event.key === ' ' && event.target.closest('button, input, summary')) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const find = (wanted) => KEYS.find((one) => one.where.includes(where) && one.does && one.keys.includes(wanted));
  const digit = DIGIT.exec(event.code)?.[1]; // with Shift, or on a keyboard that has digits behind it
  const row = find(key) ?? find(digit);
  if (!row || !actions[row.does]) return;
  if (row.help || event.shiftKey) event.preventDefault();
  actions[row.does](event, row.keys.includes(key) ? key : digit);
}

export function showHelp(where) {
  const rows = KEYS.filter((one) => one.where.includes(where) && one.help).map((one) =>
    h('tr', {},
      h('th', { attrs: { scope: 'row' } }, (one.does === 'rate' ? ['0', '–', '5'] : one.keys).map((key) =>
        (key === '–' ? ' – ' : [h('kbd', {}, NAMES[key] ?? key.toUpperCase()), ' '])).flat()),
      h('td', {}, one.help)));
  const dialog = h('dialog', { className: 'keys', aria: { label: 'Keys' } });
  fill(dialog, h('h2', {}, 'Keys'), h('table', {}, h('tbody', {}, rows)),
    h('p', { className: 'soft small' }, NOTES[where] ??
      'Shift with an arrow moves a picture that is zoomed, Shift with the mouse one alone; Ctrl+Z takes the last mark back.'),
    button('Close', () => dialog.close(), { autofocus: true }));
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('keydown', (event) => event.key === '?' && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

const LIGHTS = ['', 'dark', 'light'];
/** The grey around pictures, which is remembered. */
export function nextLight() {
  const data = document.documentElement.dataset;
  const next = LIGHTS[(LIGHTS.indexOf(data.stage ?? '') + 1) % LIGHTS.length];
  if (next) data.stage = next;
  else delete data.stage;
  save('stage', next);
}
export function recallLight() {
  const kept = load('stage');
  if (kept && LIGHTS.includes(kept)) document.documentElement.dataset.stage = kept;
}
