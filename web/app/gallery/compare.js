// compare.js - two to eight pictures side by side, two also one over the other; one zoom and place for all, of which each can be
// moved alone, and a table of the settings that differ.
import { address } from '../../lib/api.js';
import { button, fill, h } from '../../lib/dom.js';
import { altOf, details } from './details.js';
import { LETTERS, differing } from './differing.js';
import { fitHeight, leave, listenKeys } from './frame.js';
import { nextLight, showHelp } from './keys.js';
import * as marks from './marks.js';
import { makeModes } from './modes.js';
import { orderOf } from './order.js';
import { makeMarkButtons } from './panel.js';
import { pathOf } from './query.js';
import { makeStage } from './stage.js';
import { makeTogether } from './together.js';
import { tellBelow } from './trash.js';

/** wanted: two to eight ids, as the address has them. */
export function showCompare(view, wanted, filter) {
  const isPair = wanted.length === 2;
  const title = isPair ? 'Two pictures' : `${wanted.length} pictures`;
  let isOver = false;
  let current = 0; // which of them keys are about
  let order = null;
  const panes = wanted.map((_, i) => makePane(i));
  const alone = button('Alone', toggleAlone, { id: 'alone', title: 'Move one alone (A, or Shift with the mouse)', aria: { pressed: 'false' } });
  const align = button('Align', () => together.align(), { id: 'align', title: 'Put all at the same place again', disabled: true });
  const together = makeTogether(panes.map((pane) => pane.stage), (is) => (align.disabled = !is));
  const table = h('div', {
    className: 'compare-table', id: 'differences', attrs: { role: 'region' }, aria: { label: 'Settings that differ' },
  });
  const all = h('div', { className: isPair ? 'panes' : 'panes many', data: { n: wanted.length } }, panes.map((pane) => pane.element));
  const element = h('section', { className: 'viewer compare', tabIndex: -1, aria: { label: title } });
  const modes = isPair ? makeModes({ element, area: all, panes, choose }) : null;
  fill(element,
    h('h1', { className: 'unseen' }, title),
    h('div', { className: 'bar' }, button('Back', () => leave(filter), { id: 'close', title: 'Esc' }), modes?.buttons, modes?.controls,
      h('div', { className: 'bar-end' }, alone, align,
        button('1:1', () => panes[current].stage.toggle(), { id: 'zoom', title: 'Z' }),
        button('−', () => panes[current].stage.farther(), { aria: { label: 'Farther' } }),
        button('+', () => panes[current].stage.nearer(), { aria: { label: 'Nearer' } }),
        button('?', () => showHelp('c'), { className: 'plain wide', aria: { label: 'Keys' } }))),
    all, table);
  fill(view, element);

  function makePane(i) {
    const stage = makeStage({
      onView: (next, isOne) => {
        together.heard(i, next, isOne);
        modes?.draw();
      },
      onImage: () => modes?.draw(),
    });
    const markButtons = makeMarkButtons((changeOf) => {
      choose(i);
      mark(changeOf);
    });
    const name = h('strong', {}, LETTERS[i]);
    const paneElement = h('div', { className: 'pane', tabIndex: 0, attrs: { role: 'group' }, aria: { label: `Picture ${LETTERS[i]}` } },
      stage.element, h('div', { className: 'pane-bar' }, name, markButtons.element));
    paneElement.addEventListener('focusin', () => choose(i));
    paneElement.addEventListener('pointerdown', () => choose(i));
    return { stage, markButtons, element: paneElement, picture: null };
  }

  function choose(i) {
    current = i;
    panes.forEach((pane, k) => pane.element.classList.toggle('current', k === i));
  }

  function toggleAlone() {
    const isAlone = alone.getAttribute('aria-pressed') !== 'true';
    alone.setAttribute('aria-pressed', String(isAlone));
    together.setAlone(isAlone);
  }

  async function load(i, id) {
    const pane = panes[i];
    pane.wanted = id;
    try {
      const picture = await details(id);
      if (isOver || pane.wanted !== id) return;
      pane.picture = picture;
      marks.take(picture);
      pane.stage.show(picture.id, picture.width, picture.height);
      pane.stage.setAlt(altOf(picture));
      modes?.draw();
      pane.markButtons.show(picture.id);
    } catch (error) {
      if (isOver || pane.wanted !== id) return;
      pane.picture = null;
      pane.stage.tell(error.message); // the others stay
    }
    const pictures = panes.map((one) => one.picture);
    fill(table, pictures.every(Boolean) ? differing(pictures) : null);
    if (pictures.every(Boolean)) {
      const [first, ...others] = pictures.map((one) => one.cell ?? one.id);
      history.replaceState(null, '', address(pathOf(`picture/${first}`, new Map([...filter, ['with', others.join(',')]]))));
    }
  }

  /** What is seen is judged, not what was seen a moment ago. */
  function markByKey(changeOf) {
    if (modes?.isPlaying()) tellBelow('Stop the flicker before you judge by key.');
    else mark(changeOf);
  }
  function mark(changeOf) {
    const { stage, picture } = panes[current];
    if (picture && stage.id === picture.id && stage.isPainted()) marks.set(picture.id, changeOf(picture.id));
  }

  /** Another picture in this pane, the others stay. */
  function step(way) {
    const { picture } = panes[current];
    const i = picture && order ? order.ids.indexOf(picture.id) : -1;
    const others = new Set(panes.map((pane, k) => k !== current && pane.picture?.id));
    let to = i + way;
    while (order && others.has(order.ids[to])) to += way;
    if (i >= 0 && to >= 0 && to < order.n) load(current, order.ids[to]);
  }
  const move = (way) => (event) => (event.shiftKey ? panes[current].stage.move(way, 0) : step(way));

  const ends = [
    fitHeight(element),
    listenKeys(view, 'c', {
      previous: move(-1),
      next: move(1),
      up: (event) => event.shiftKey && panes[current].stage.move(0, -1),
      down: (event) => event.shiftKey && panes[current].stage.move(0, 1),
      favorite: () => markByKey(marks.toggled.favorite),
      reject: () => markByKey(marks.toggled.reject),
      clear: () => markByKey(marks.toggled.clear),
      rate: (_, key) => markByKey(() => ({ rating: Number(key) })),
      undo: () => marks.undo(),
      slider: () => modes?.toggle('slider'),
      flicker: () => modes?.toggle('flicker'),
      difference: () => modes?.toggle('difference'),
      turn: () => modes?.turn(),
      play: () => modes?.play(),
      alone: toggleAlone,
      zoom: () => panes[current].stage.toggle(),
      nearer: () => panes[current].stage.nearer(),
      farther: () => panes[current].stage.farther(),
      light: nextLight,
      close: () => leave(filter),
      help: () => showHelp('c'),
    }),
    marks.on((id) => panes.forEach((pane) => pane.picture?.id === id && pane.markButtons.show(id))),
    ...panes.map((pane) => () => pane.stage.end()),
    () => modes?.end(),
  ];
  choose(0);
  element.focus({ preventScroll: true });
  wanted.forEach((id, i) => load(i, id));
  orderOf(filter).then((found) => (order = found), () => {});

  return () => {
    isOver = true;
    for (const end of ends) end();
  };
}
