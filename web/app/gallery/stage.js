// stage.js - one large picture: a small one enlarged at once, then a better one, the original where pixels are looked at.
// Zoom and place are relative to the picture, so that two stages of different sizes can share them.
import { pictureFile, thumbnail } from '../../lib/api.js';
import { fill, h } from '../../lib/dom.js';
import { painted } from './thumbs.js';

const MOST_ENLARGED = 3; // when all of a small picture is shown
const NEAREST = 32;
const FARTHEST = 0.25;
const SWIPE_PX = 60;
const EDGE_PX = 24;
const WHOLE = Object.freeze({ factor: 1, x: 0.5, y: 0.5 });

/** hooks: onView(view, isOne) when somebody zoomed or moved, isOne: with Shift and the mouse; onSwipe(1 or -1); onPainted(id);
 *  onImage(): a better one is there, or the room for it is another. */
export function makeStage(hooks = {}) {
  const pictures = h('div', { className: 'stage-picture' });
  const word = h('p', { className: 'stage-word', hidden: true });
  const element = h('div', { className: 'g-stage' }, pictures, word);
  let shown = { id: 0, width: 1, height: 1, level: -1, asked: new Set() };
  let alt = '';
  let view = WHOLE;
  let pointer = null; // where it is, relative to the stage
  let drag = null;

  const fit = () => Math.min(element.clientWidth / shown.width, element.clientHeight / shown.height, MOST_ENLARGED) || 1;

  function place() {
    const scale = fit() * view.factor;
    const box = [shown.width * scale, shown.height * scale];
    const room = [element.clientWidth, element.clientHeight];
    const at = [view.x, view.y].map((centre, i) => (box[i] <= room[i] ? (room[i] - box[i]) / 2
      : Math.min(0, Math.max(room[i] - box[i], room[i] / 2 - centre * box[i]))));
    pictures.style.width = `${box[0]}px`;
    pictures.style.height = `${box[1]}px`;
    pictures.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
    pictures.classList.toggle('pixels', scale * devicePixelRatio >= 3 && view.factor !== 1);
    element.classList.toggle('zoomed', box[0] > room[0] + 1 || box[1] > room[1] + 1);
    return { box, at, room };
  }

  function setView(next, isTold = true, isOne = false) {
    const factor = Math.min(NEAREST, Math.max(FARTHEST, next.factor));
    view = { factor, x: Math.min(1, Math.max(0, next.x)), y: Math.min(1, Math.max(0, next.y)) };
    place();
    if (view.factor !== 1) load(2);
    if (isTold) hooks.onView?.(view, isOne);
  }

  /** Zoom so that what is below the pointer stays there. */
  function zoomTo(factor, at = pointer, isOne = false) {
    const { box, at: corner, room } = place();
    const p = at ?? [room[0] / 2, room[1] / 2];
    const bounded = Math.min(NEAREST, Math.max(FARTHEST, factor));
    const next = box.map((side) => (side / view.factor) * bounded);
    const [x, y] = [0, 1].map((i) => (p[i] - corner[i]) / box[i] - (p[i] - room[i] / 2) / next[i]);
    setView({ factor: bounded, x, y }, true, isOne);
  }

  async function load(level) {
    const mine = shown;
    if (mine.level >= level || mine.asked.has(level) || !mine.id) return;
    mine.asked.add(level);
    const image = new Image();
    image.draggable = false;
    image.alt = '';
    image.src = level === 2 ? pictureFile(mine.id) : thumbnail(mine.id, level === 1 ? 1024 : 320);
    try {
      await image.decode();
    } catch {
      mine.asked.delete(level);
      if (mine !== shown || level !== 1 || mine.level >= 0) return;
      mine.isBroken = true;
      if (word.hidden) tell('This picture cannot be shown.');
      return;
    }
    if (mine !== shown || mine.level >= level) return;
    mine.level = level;
    if (mine.width <= 1) setSize(image.naturalWidth, image.naturalHeight); // nobody knew
    image.alt = alt;
    fill(pictures, image);
    word.hidden = true;
    hooks.onImage?.();
    await painted();
    if (mine !== shown || mine.isPainted) return;
    mine.isPainted = true;
    element.dataset.painted = mine.id;
    hooks.onPainted?.(mine.id);
  }

  function setSize(width, height) {
    Object.assign(shown, { width: width || 1, height: height || 1 });
    place();
  }

  function tell(text) {
    word.hidden = false;
    fill(word, text);
  }

  element.addEventListener('wheel', (event) => {
    event.preventDefault();
    const way = event.deltaY || event.deltaX; // with Shift a wheel turns sideways
    zoomTo(view.factor * Math.exp(-way * 0.002), pointer, event.shiftKey);
  }, { passive: false });
  element.addEventListener('dblclick', () => stage.toggle());
  element.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    drag = { x: event.clientX, y: event.clientY, from: view, isTouch: event.pointerType === 'touch' };
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener('pointermove', (event) => {
    const bounds = element.getBoundingClientRect();
    pointer = [event.clientX - bounds.left, event.clientY - bounds.top];
    if (!drag || !element.classList.contains('zoomed')) return;
    const scale = fit() * view.factor;
    setView({
      ...view,
      x: drag.from.x - (event.clientX - drag.x) / (shown.width * scale),
      y: drag.from.y - (event.clientY - drag.y) / (shown.height * scale),
    }, true, event.shiftKey);
  });
  element.addEventListener('pointerup', (event) => {
    const way = drag ? event.clientX - drag.x : 0;
    const isEdge = !drag || drag.x < EDGE_PX || drag.x > innerWidth - EDGE_PX;
    const isFlat = drag && Math.abs(event.clientY - drag.y) < Math.abs(way) / 2;
    const isSwipe = drag?.isTouch && !isEdge && isFlat && Math.abs(way) > SWIPE_PX;
    if (isSwipe && !element.classList.contains('zoomed')) hooks.onSwipe?.(way < 0 ? 1 : -1);
    drag = null;
  });
  element.addEventListener('pointercancel', () => (drag = null));
  element.addEventListener('pointerleave', () => (pointer = null));
  const resize = new ResizeObserver(() => {
    place();
    hooks.onImage?.();
  });
  resize.observe(element);

  const stage = {
    element,
    get id() { return shown.id; },
    isPainted: () => Boolean(shown.isPainted),
    /** What is seen, and where in the stage: {image, isFile, isPixels, left, top, width, height}, or null while nothing is. */
    sight() {
      const image = pictures.querySelector('img');
      if (!image) return null;
      const { box, at } = place();
      return {
        image, isFile: shown.level === 2, isPixels: pictures.classList.contains('pixels'), left: at[0], top: at[1], width: box[0], height: box[1],
      };
    },
    /** Have the file itself, not a smaller one. */
    wantFile() { load(2); },
    /** There is nothing to be painted, as far as is known. */
    isBroken: () => Boolean(shown.isBroken) && !shown.isPainted,
    /** Ask again for one that did not come. */
    retry() {
      if (shown.isPainted) return;
      load(0);
      load(1);
    },
    /** Show a picture; what is remembered of the one before goes. */
    show(id, width, height) {
      shown = { id, width: width || 1, height: height || 1, level: -1, asked: new Set(), isPainted: false, isBroken: false };
      alt = '';
      fill(pictures);
      word.hidden = true;
      delete element.dataset.painted;
      place();
      load(0);
      load(1);
      if (view.factor !== 1) load(2);
    },
    setAlt(text) {
      alt = text;
      for (const image of pictures.children) image.alt = text;
    },
    setSize,
    tell,
    setView,
    reset() { setView(WHOLE); },
    /** Pixel for pixel, or all of it. */
    toggle() {
      const exact = 1 / (fit() * devicePixelRatio);
      const near = Math.abs(exact - 1) < 0.02 ? 2 : exact;
      if (view.factor !== 1) setView(WHOLE);
      else zoomTo(near);
    },
    nearer() { zoomTo(view.factor * 1.25, null); },
    farther() { zoomTo(view.factor / 1.25, null); },
    /** Move what is seen by a tenth of it. */
    move(x, y) {
      const { box, room } = place();
      setView({ ...view, x: view.x + (x * 0.1 * room[0]) / box[0], y: view.y + (y * 0.1 * room[1]) / box[1] });
    },
    end() { resize.disconnect(); },
  };
  return stage;
}

const ahead = new Map(); // by id: an image that is held decoded
const MOST_AHEAD = 6;
/** Have a picture decoded before somebody comes to it. */
export function prefetch(id) {
  if (!id || ahead.has(id)) return;
  const image = new Image();
  image.src = thumbnail(id, 1024);
  image.decode().catch(() => {});
  ahead.set(id, image);
  if (ahead.size > MOST_AHEAD) ahead.delete(ahead.keys().next().value);
}
