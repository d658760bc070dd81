// zoom.js - a cell's picture large, over the table; the arrow keys go on along the axes.
import { address, pictureFile } from '../../lib/api.js';
import { button, fill, h } from '../../lib/dom.js';

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** cellAt(row, column): the cell there; captionOf(row, column); onClose(row, column). Returns {element, open(row, column)}. */
export function makeZoom({ cellAt, captionOf, onClose }) {
  const img = h('img', { alt: '' });
  const caption = h('p', { className: 'caption', role: 'status' });
  const link = h('a', { data: { go: '' } }, 'Open in the gallery');
  const close = button('Close', () => dialog.close(), { className: 'plain' });
  const arrows = Object.entries({ '←': 'ArrowLeft', '→': 'ArrowRight', '↑': 'ArrowUp', '↓': 'ArrowDown' })
    .map(([sign, key]) => button(sign, () => step(key), { aria: { label: { ArrowLeft: 'Left', ArrowRight: 'Right', ArrowUp: 'Up', ArrowDown: 'Down' }[key] } }));
  const dialog = h('dialog', { className: 'zoom', aria: { label: 'A picture of the run' } },
    h('div', { className: 'zoom-stage' }, img), h('div', { className: 'row' }, caption, arrows, link, close));
  let at = [0, 0];

  const show = (row, column) => {
    const cell = cellAt(row, column);
    if (cell?.state !== 'done') return false;
    at = [row, column];
    img.src = pictureFile(cell.id);
    img.alt = captionOf(row, column);
    link.href = address(`picture/${cell.id}`).href;
    fill(caption, captionOf(row, column));
    return true;
  };
  /** Over places without a picture to the next that has one. */
  function step(key) {
    const [down, right] = STEPS[key];
    for (let [row, column] = [at[0] + down, at[1] + right]; cellAt(row, column) !== null; row += down, column += right)
      if (show(row, column)) return;
  }
  dialog.onkeydown = (event) => {
    if (!STEPS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    step(event.key);
  };
  dialog.onclick = (event) => event.target === dialog && dialog.close();
  dialog.onclose = () => onClose(...at);
  link.onclick = () => dialog.close();
  return {
    element: dialog,
    open: (row, column) => show(row, column) && dialog.showModal(),
  };
}
