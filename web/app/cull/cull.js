// cull.js - one picture after the other, large, and a key for each: picked, rejected, rated (cull/ID?filter). A mark goes
// on to the next picture; none is left that was not painted. What was judged is not in the list of the next visit.
import { address } from '../../lib/api.js';
import { button, fill, h, style } from '../../lib/dom.js';
import * as events from '../../lib/events.js';
import { altOf, details } from '../gallery/details.js';
import { fitHeight, leave, listenKeys } from '../gallery/frame.js';
import { nextLight, recallLight, showHelp } from '../gallery/keys.js';
import * as marks from '../gallery/marks.js';
import { loadOrder, shelf } from '../gallery/order.js';
import { makeMarkButtons } from '../gallery/panel.js';
import { pathOf, readFilter } from '../gallery/query.js';
import { makeStage, prefetch } from '../gallery/stage.js';
import { makeStrip } from './strip.js';

const ADDRESS_MS = 300; // browsers count how often an address changes

await Promise.all([style('gallery'), style('cull')]);
recallLight();

const PICK = Object.freeze({ favorite: true, rejected: false });
const REJECT = Object.freeze({ favorite: false, rejected: true });

/** Where to begin: at the picture that was asked for or, where it is not in the list, at the first behind it that is. */
function beginning(order, id) {
  const at = order.ids.indexOf(id);
  if (at >= 0) return at;
  const there = new Set(order.ids);
  const from = shelf.order.ids.indexOf(id);
  const next = from < 0 ? undefined : shelf.order.ids.subarray(from).find((one) => there.has(one));
  return next === undefined ? 0 : order.ids.indexOf(next);
}

export function show(view, place) {
  const filter = readFilter(place.query);
  const wanted = place.path[1] ?? '';
  let order = null;
  let i = 0;
  let isOver = false;
  let addressTimer = 0;
  let summary = null; // once it is wanted
  let isLeaving = false; // for the summary, or from it

  const stage = makeStage({ onPainted, onSwipe: (way) => step(way) });
  const strip = makeStrip((index) => mayLeave() && display(index));
  const position = h('span', { className: 'position', id: 'position', attrs: { role: 'status' } });
  const told = h('span', { className: 'soft small', id: 'told', attrs: { role: 'status' } });
  const markButtons = makeMarkButtons((changeOf) => mark(changeOf(id()), false));
  const middle = h('div', { className: 'cull-stage' }, stage.element);
  const element = h('section', { className: 'viewer cull', tabIndex: -1, aria: { label: 'Culling' } },
    h('h1', { className: 'unseen' }, 'Culling'),
    middle,
    strip.element,
    h('div', { className: 'bar' },
      button('Done', finish, { id: 'done', title: 'Esc' }),
      button('←', () => step(-1), { id: 'previous', title: 'Previous (←)', aria: { label: 'Previous picture' } }), position,
      button('→', () => step(1), { id: 'next', title: 'Next (→)', aria: { label: 'Next picture' } }),
      markButtons.element,
      h('div', { className: 'bar-end' }, told,
        button('Clear', () => mark({ favorite: false, rating: 0, rejected: false }, false), { id: 'clear', title: 'Take all marks away (U)' }),
        button('Undo', undo, { id: 'undo', title: 'Take the last mark back (Ctrl+Z)' }),
        button('1:1', () => stage.toggle(), { id: 'zoom', title: 'Pixel for pixel (Z)' }),
        button('?', () => showHelp('k'), { className: 'plain wide', aria: { label: 'Keys' } }))));
  fill(view, element);

  const id = () => order?.ids[i] ?? 0;
  const isEnd = () => Boolean(summary && !summary.element.hidden);
  /** Nobody goes on from what was never seen, but for what cannot be. */
  const mayLeave = () => isEnd() || stage.isPainted() || stage.isBroken();

  function keepAddress(cell) {
    clearTimeout(addressTimer);
    addressTimer = setTimeout(() => history.replaceState(null, '', address(pathOf(`cull/${cell}`, filter))), ADDRESS_MS);
  }

  async function display(index) {
    i = index;
    const mine = id();
    const before = marks.of(mine);
    summary?.hide();
    shelf.active = mine;
    stage.reset();
    stage.show(mine, order.widths[i], order.heights[i]);
    strip.show(order, i);
    markButtons.show(mine);
    fill(position, `${(i + 1).toLocaleString('en')} of ${order.n.toLocaleString('en')}`);
    element.focus({ preventScroll: true });
    try {
      const picture = await details(mine);
      if (isOver || id() !== mine) return;
      stage.setSize(picture.width, picture.height);
      stage.setAlt(altOf(picture));
      if (marks.of(mine) === before) marks.take(picture); // what was said meanwhile is newer
      keepAddress(picture.cell ?? mine);
    } catch {
      // it can be judged all the same, or says itself that it cannot be shown
    }
  }

  function onPainted(painted) {
    if (painted !== id()) return;
    for (const near of [i + 1, i + 2, i - 1]) prefetch(order.ids[near]);
    loadSummary().catch(() => {}); // it is there when the connection is not
  }

  async function loadSummary() {
    const { makeSummary } = await import('./summary.js');
    summary ??= makeSummary(filter, { leave: () => leave(filter), onTrash: drop, onBack: ([first]) => reload(first) });
    if (!summary.element.parentElement) middle.append(summary.element);
  }
  async function summarize() {
    await loadSummary();
    if (!isOver) summary.show(order);
  }

  function step(way) {
    if (!order || !mayLeave()) return;
    if (isEnd()) {
      if (way < 0 && order.n) display(i);
    } else if (i + way >= order.n) finish();
    else if (i + way >= 0) display(i + way);
  }

  /** change: {favorite, rating, rejected}, each or all. */
  function mark(change, isToStay) {
    if (isEnd() || !stage.isPainted() || stage.id !== id()) return;
    marks.set(id(), change);
    if (!isToStay) step(1);
  }
  const marking = (change) => (event) => mark(change, event.shiftKey);

  function undo() {
    const index = order ? order.ids.indexOf(marks.undo()) : -1;
    if (index >= 0 && (index !== i || isEnd())) display(index);
  }

  /** Tell how far one is; asked for again, also before that is there: leave. */
  function finish() {
    if (isLeaving || isEnd() || !order?.n) {
      if (!isOver) leave(filter);
      isOver = true;
    } else {
      isLeaving = true;
      summarize().catch((error) => fill(told, error.message)).finally(() => (isLeaving = false));
    }
  }

  function tell(isThere = true) {
    const n = marks.nUnsent();
    fill(told, n ? `${n.toLocaleString('en')} not kept yet` : isThere ? '' : 'no connection');
  }

  /** Those are in the trash. */
  function drop(ids) {
    const gone = new Set(ids);
    const keep = [...order.ids.keys()].filter((k) => !gone.has(order.ids[k]));
    const only = (list) => list.constructor.from(keep, (k) => list[k]);
    order = { n: keep.length, ids: only(order.ids), widths: only(order.widths), heights: only(order.heights) };
    i = Math.max(0, Math.min(i, order.n - 1));
    summarize();
  }

  /** Show what there is, from this picture on. */
  async function reload(from) {
    try {
      order = await loadOrder(filter);
      if (isOver) return;
      if (order.n) display(beginning(order, from));
      else await summarize();
    } catch (error) {
      if (!isOver) stage.tell(error.message);
    }
  }

  const ends = [
    fitHeight(element),
    listenKeys(view, 'k', {
      previous: () => step(-1),
      next: () => step(1),
      favorite: marking(PICK),
      reject: marking(REJECT),
      clear: marking(marks.toggled.clear()),
      rate: (event, key) => mark({ rating: Number(key) }, event.shiftKey),
      undo,
      zoom: () => stage.toggle(),
      light: nextLight,
      close: (event) => event.repeat || finish(),
      help: () => showHelp('k'),
    }),
    marks.on((marked) => {
      if (marked === id()) markButtons.show(marked);
      strip.showMarks(marked);
      tell();
      if (!marks.nUnsent()) summary?.refresh();
    }),
    events.on('connection', (isThere) => {
      tell(isThere);
      if (!isThere) return;
      stage.retry();
      strip.retry();
    }),
    () => stage.end(),
    () => strip.end(),
    () => clearTimeout(addressTimer),
  ];
  element.focus({ preventScroll: true });
  marks.loadAll().catch(() => {});
  if (/^\d{1,10}$/.test(wanted)) reload(Number(wanted));
  else details(wanted).then((picture) => reload(picture.id), () => reload(0));

  return () => {
    isOver = true;
    shelf.isStale = true; // what is judged now may not be in the gallery's filter any more
    for (const end of ends) end();
  };
}
