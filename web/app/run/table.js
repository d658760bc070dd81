// table.js - the cells of a run as a table of two axes: headings stay in sight, one cell at a time is in the tab order, and
// the arrow keys follow the axes.
import { address, thumbnail } from '../../lib/api.js';
import { fill, h } from '../../lib/dom.js';
import { valueOf } from './axes.js';

const words = { waiting: 'waits', skipped: 'left out' };

/** What a place of the table shows of its cell. more: other cells at this place. */
function face(cell, more) {
  if (!cell) return h('span', { className: 'cell none' }, '');
  const badge = more > 0 && h('span', { className: 'more small' }, `+${more}`);
  if (cell.state === 'failed') return h('span', { className: 'cell failed', title: cell.error ?? '' }, h('strong', {}, 'failed'), h('span', { className: 'small why' }, cell.error ?? ''), badge);
  if (cell.state !== 'done') return h('span', { className: `cell ${cell.state}` }, words[cell.state] ?? cell.state, badge);
  const img = h('img', { src: thumbnail(cell.id, 320), alt: '', loading: 'lazy', decoding: 'async' });
  const element = h('span', { className: 'cell done' }, img, badge);
  img.onerror = () => {
    element.classList.add('gone');
    fill(element, 'not here any more');
  };
  return element;
}

/** hooks: open(cell, row, column). Returns {element, show(rows, columns, cells), focus(row, column)}. */
export function makeTable(hooks) {
  const table = h('table', { className: 'axes' });
  const element = h('div', { className: 'axes-scroller' }, table);
  let places = []; // [row][column] {link, cell}
  let at = [0, 0];

  const move = (row, column) => {
    const place = places[row]?.[column];
    if (!place) return false;
    const before = places[at[0]]?.[at[1]];
    if (before) before.link.tabIndex = -1;
    at = [row, column];
    place.link.tabIndex = 0;
    place.link.focus();
    return true;
  };
  element.onkeydown = (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    const [row, column] = at;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (step && move(row + step[0], column + step[1])) event.preventDefault();
    if (event.key === 'Home' && move(row, 0)) event.preventDefault();
    if (event.key === 'End' && move(row, places[0].length - 1)) event.preventDefault();
  };

  return {
    element,
    focus: move,
    at: (row, column) => places[row]?.[column]?.cell,
    /** cells: those that the other axes leave. */
    show(rows, columns, cells) {
      const held = element.contains(document.activeElement);
      const byPlace = new Map();
      for (const cell of cells) {
        const key = `${valueOf(cell, rows.field)}\n${valueOf(cell, columns.field)}`;
        byPlace.set(key, [...(byPlace.get(key) ?? []), cell]);
      }
      const head = h('thead', {}, h('tr', {}, h('th', { className: 'corner small' }, `${rows.caption} ↓ ${columns.caption} →`),
        columns.values.map((value) => h('th', { attrs: { scope: 'col' }, title: value }, h('span', { className: 'heading' }, value)))));
      places = [];
      const body = h('tbody', {}, rows.values.map((row, i) => {
        places.push([]);
        return h('tr', {}, h('th', { attrs: { scope: 'row' }, title: row }, h('span', { className: 'heading' }, row)), columns.values.map((column, k) => {
          const here = byPlace.get(`${row}\n${column}`) ?? [];
          const cell = here.find((one) => one.state === 'done') ?? here[0];
          const label = `${row}, ${column}: ${cell ? cell.state : 'nothing'}${cell?.error ? `: ${cell.error}` : ''}`;
          const link = h('a', { className: 'place', tabIndex: -1, aria: { label } }, face(cell, here.length - 1));
          if (cell?.state === 'done') link.href = address(`picture/${cell.id}`).href;
          link.onclick = (event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey || event.button || cell?.state !== 'done') return;
            event.preventDefault();
            event.stopPropagation();
            hooks.open(cell, i, k);
          };
          link.onfocus = () => (at = [i, k]);
          places[i].push({ link, cell });
          return h('td', {}, link);
        }));
      }));
      const top = element.scrollTop;
      const left = element.scrollLeft;
      fill(table, h('caption', { className: 'unseen' }, `${rows.caption} by ${columns.caption}`), head, body);
      element.scrollTop = top;
      element.scrollLeft = left;
      if (!places[at[0]]?.[at[1]]) at = [0, 0];
      if (places[at[0]]?.[at[1]]) places[at[0]][at[1]].link.tabIndex = 0;
      if (held) move(...at);
    },
  };
}
