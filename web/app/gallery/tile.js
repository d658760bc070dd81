// tile.js - one picture of the grid: its element, its thumbnail, its marks. Tiles are used again and again.
import { thumbnail } from '../../lib/api.js';
import { h, plural } from '../../lib/dom.js';
import { altOf, known } from './details.js';
import * as marks from './marks.js';
import { want } from './thumbs.js';

/** From how many pixels of the screen on the larger thumbnail is worth its bytes. */
const LARGE = 400;

export function makeTile() {
  const badge = h('span', { className: 'badge', aria: { hidden: 'true' } });
  const link = h('a', { className: 'tile', tabIndex: -1, draggable: false }, badge);
  const cell = h('div', { className: 'g-cell', attrs: { role: 'gridcell' } }, link);
  return { cell, link, badge, id: 0, index: -1, callOff: null, image: null, isPainted: false, isBroken: false };
}

/** place: {index, id, left, width, height, column, n, href, isPicked} */
export function fillTile(tile, place) {
  const { cell, link } = tile;
  cell.style.left = `${place.left}px`;
  cell.style.width = `${place.width}px`;
  cell.style.height = `${place.height}px`;
  cell.setAttribute('aria-colindex', place.column + 1);
  tile.index = place.index;
  tile.n = place.n;
  link.href = place.href;
  link.dataset.index = place.index;
  link.dataset.id = place.id;
  const side = Math.max(place.width, place.height) * devicePixelRatio > LARGE ? 640 : 320;
  const src = thumbnail(place.id, side);
  if (tile.id !== place.id || tile.src !== src) load(tile, place.id, src);
  showPick(tile, place.isPicked);
  showMarks(tile);
}

function load(tile, id, src) {
  const isSame = tile.id === id; // only its size is another: the smaller one stays until the larger is there
  tile.callOff?.();
  if (!isSame) empty(tile);
  Object.assign(tile, { id, src });
  tile.link.classList.remove('broken');
  tile.callOff = want(src, (image) => {
    tile.callOff = null;
    tile.image?.remove();
    tile.image = image;
    image.alt = '';
    tile.link.prepend(image);
    tile.isPainted = true;
    tile.isBroken = false;
    tile.link.dataset.painted = id;
  }, () => {
    tile.callOff = null;
    tile.isBroken = true;
    tile.link.classList.add('broken');
  });
}

function empty(tile) {
  tile.image?.remove();
  tile.image = null;
  tile.isPainted = false;
  delete tile.link.dataset.painted;
}

/** Nobody sees it any more. */
export function clearTile(tile) {
  tile.callOff?.();
  tile.callOff = null;
  empty(tile);
  tile.id = 0;
  tile.cell.remove();
}

/** One whose picture did not come is asked for again. */
export function retryTile(tile) {
  if (tile.isBroken) load(tile, tile.id, tile.src);
}

export function showPick(tile, isPicked) {
  tile.isPicked = isPicked;
  tile.cell.setAttribute('aria-selected', String(isPicked));
  tile.link.classList.toggle('picked', isPicked);
}

/** Marks in signs. */
export function markText(mark, isUnsent) {
  const signs = [mark.favorite && '♥', mark.rating > 0 && '★'.repeat(mark.rating), mark.rejected && '✕', isUnsent && '•'];
  return signs.filter(Boolean).join(' ');
}

export function showMarks(tile) {
  const mark = marks.of(tile.id);
  const picture = known(tile.id);
  tile.badge.textContent = markText(mark, marks.isUnsent(tile.id));
  tile.badge.hidden = !tile.badge.textContent;
  tile.link.classList.toggle('rejected', mark.rejected);
  const said = [mark.favorite && 'favourite', mark.rating && plural(mark.rating, 'star'), mark.rejected && 'rejected',
    tile.isPicked && 'picked'].filter(Boolean);
  const name = picture ? altOf(picture) : `Picture ${tile.index + 1} of ${tile.n}`;
  tile.link.setAttribute('aria-label', [name, ...said].join(', '));
}
