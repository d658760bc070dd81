// strip.js - the pictures around the one that is looked at, small and with their marks. Few elements, used again.
import { thumbnail } from '../../lib/api.js';
import { button, fill, h, plural } from '../../lib/dom.js';
import * as marks from '../gallery/marks.js';
import { want } from '../gallery/thumbs.js';
import { markText } from '../gallery/tile.js';

const WIDTH = 76; // of a cell, with the gap; cull.css has it, too

/** onGo(index): somebody chose one. */
export function makeStrip(onGo) {
  const element = h('div', { className: 'strip', attrs: { role: 'group' }, aria: { label: 'Pictures around this one' } });
  const cells = new Map(); // by id
  let order = null;
  let at = 0;

  function makeCell(id) {
    const badge = h('span', { className: 'badge', aria: { hidden: 'true' } });
    const cell = { id, index: 0, badge, callOff: null, isBroken: false };
    cell.element = h('button', { type: 'button', className: 'strip-cell', tabIndex: -1, onclick: () => onGo(cell.index), data: { id } }, badge);
    load(cell);
    return cell;
  }

  function load(cell) {
    cell.isBroken = false;
    cell.callOff = want(thumbnail(cell.id, 320), (image) => {
      image.alt = '';
      cell.element.prepend(image);
    }, () => (cell.isBroken = true));
  }

  function showMarks(cell) {
    const mark = marks.of(cell.id);
    const said = [mark.favorite && 'picked', mark.rating && plural(mark.rating, 'star'), mark.rejected && 'rejected'].filter(Boolean);
    fill(cell.badge, markText(mark, marks.isUnsent(cell.id)));
    cell.element.classList.toggle('rejected', mark.rejected);
    cell.element.setAttribute('aria-label', [`Picture ${cell.index + 1}`, ...said].join(', '));
  }

  function draw() {
    if (!order) return;
    const away = Math.max(1, Math.ceil(element.clientWidth / WIDTH / 2));
    const seen = [];
    for (let index = Math.max(0, at - away); index <= Math.min(order.n - 1, at + away); index++) {
      const id = order.ids[index];
      const cell = cells.get(id) ?? makeCell(id);
      cells.set(id, cell);
      cell.index = index;
      if (index === at) cell.element.setAttribute('aria-current', 'true');
      else cell.element.removeAttribute('aria-current');
      cell.element.style.transform = `translateX(${(index - at) * WIDTH}px)`;
      showMarks(cell);
      seen.push(cell);
    }
    for (const [id, cell] of cells) {
      if (seen.includes(cell)) continue;
      cell.callOff();
      cells.delete(id);
    }
    fill(element, seen.map((cell) => cell.element));
  }

  const resize = new ResizeObserver(draw);
  resize.observe(element);
  return {
    element,
    /** Put the picture of this index in the middle. */
    show(next, index) {
      order = next;
      at = index;
      draw();
    },
    showMarks(id) {
      if (cells.has(id)) showMarks(cells.get(id));
    },
    retry() {
      for (const cell of cells.values()) if (cell.isBroken) load(cell);
    },
    end() {
      resize.disconnect();
      for (const cell of cells.values()) cell.callOff();
    },
  };
}
