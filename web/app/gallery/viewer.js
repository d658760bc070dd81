// viewer.js - one picture, large. Keys judge what is seen, never one that was not painted yet.
import { address } from '../../lib/api.js';
import { button, fill, h } from '../../lib/dom.js';
import { altOf, details } from './details.js';
import { compare, cull, fitHeight, leave, listenKeys, toSurvey } from './frame.js';
import { nextLight, showHelp } from './keys.js';
import * as marks from './marks.js';
import { orderOf, shelf, without } from './order.js';
import { makeMarkButtons, showFacts } from './panel.js';
import { pathOf, queryOf } from './query.js';
import { makeStage, prefetch } from './stage.js';
import { restore, tellBelow, toTrash } from './trash.js';

/** wanted: a picture's number, or the id of its cell, as the address has it. */
export function showViewer(view, wanted, filter) {
  let order = shelf.key === queryOf(filter) ? shelf.order : null;
  let id = 0;
  let isOver = false;

  const stage = makeStage({ onPainted, onSwipe: (way) => step(way) });
  const position = h('span', { className: 'position', id: 'position', attrs: { role: 'status' } });
  const previous = button('←', () => step(-1), { id: 'previous', title: 'Previous (←)', aria: { label: 'Previous picture' } });
  const next = button('→', () => step(1), { id: 'next', title: 'Next (→)', aria: { label: 'Next picture' } });
  const markButtons = makeMarkButtons(mark);
  const panel = h('aside', { className: 'panel facts', id: 'facts', aria: { label: 'About this picture' } });
  const element = h('section', { className: 'viewer', tabIndex: -1, aria: { label: 'Picture' } },
    h('h1', { className: 'unseen' }, 'Picture'),
    h('div', { className: 'bar' },
      button('Back', () => leave(filter), { id: 'close', title: 'Esc' }), previous, position, next, markButtons.element,
      h('div', { className: 'bar-end' },
        button('Cull', () => cull(filter, id), { id: 'cull', title: 'Judge one after the other (K)' }),
        button('1:1', () => stage.toggle(), { id: 'zoom', title: 'Pixel for pixel (Z)' }),
        button('−', () => stage.farther(), { className: 'wide', aria: { label: 'Farther' } }),
        button('+', () => stage.nearer(), { className: 'wide', aria: { label: 'Nearer' } }),
        button('Compare', goCompare, { id: 'compare', className: 'wide', title: 'With the next, or with the one that was picked (C)' }),
        button('Trash', trash, { id: 'trash', title: 'To the trash (Delete)' }),
        button('?', () => showHelp('v'), { className: 'plain wide', aria: { label: 'Keys' } }))),
    h('div', { className: 'viewer-parts' }, stage.element, panel));
  fill(view, element);

  const index = () => (order ? order.ids.indexOf(id) : -1);
  const at = (i) => (order && i >= 0 && i < order.n ? order.ids[i] : 0);

  function showPosition() {
    const i = index();
    fill(position, i < 0 ? '' : `${(i + 1).toLocaleString('en')} of ${order.n.toLocaleString('en')}`);
    previous.disabled = !at(i - 1) || i < 0;
    next.disabled = !at(i + 1) || i < 0;
  }

  /** picture: what is known of it already, or null. */
  async function display(number, picture = null) {
    id = number;
    shelf.active = id;
    const i = index();
    stage.reset();
    stage.show(id, picture?.width ?? order?.widths[i], picture?.height ?? order?.heights[i]);
    showPosition();
    markButtons.show(id);
    try {
      const found = picture ?? (await details(id));
      if (isOver || id !== number) return;
      if (found.width) stage.setSize(found.width, found.height);
      stage.setAlt(altOf(found));
      marks.take(found);
      showFacts(panel, found);
      // The cell's id lasts longer than the number.
      history.replaceState(null, '', address(pathOf(`picture/${found.cell ?? id}`, filter)));
      if (found.trashed) showTrashed();
    } catch (error) {
      if (!isOver && id === number) fill(panel, h('p', { className: 'bad', attrs: { role: 'alert' } }, error.message));
    }
  }

  function showTrashed() {
    panel.prepend(h('p', { className: 'trashed' }, 'This picture is in the trash.'),
      button('Bring it back', () => restore(id, comeBack), { id: 'restore', className: 'main' }));
  }
  function comeBack(back) {
    orderOf(filter, true).then((fresh) => {
      if (isOver) return;
      order = fresh;
      display(back);
    }, () => {});
  }

  function onPainted(painted) {
    if (painted !== id) return;
    const i = index();
    if (i < 0) return;
    for (const near of [at(i + 1), at(i + 2), at(i - 1)]) prefetch(near);
  }

  function step(way) {
    const i = index();
    const other = i < 0 ? 0 : at(i + way);
    if (other) display(other);
  }
  /** A key that is held down skips nothing that was not seen. */
  const key = (way) => (event) => (!event.repeat || stage.isPainted()) && step(way);
  const move = (way) => (event) => (event.shiftKey ? stage.move(way, 0) : key(way)(event));

  function mark(changeOf) {
    if (stage.isPainted() && stage.id === id) marks.set(id, changeOf(id));
  }

  function goCompare() {
    const i = index();
    const picked = [...shelf.marked].filter((one) => one !== id);
    const other = picked[0] ?? (at(i + 1) || at(i - 1));
    if (other) compare(filter, [id, other]);
    else tellBelow('There is nothing to compare it with.');
  }
  function goSurvey() {
    const ids = order ? toSurvey(order, index(), shelf.marked) : [];
    if (ids.length > 1) compare(filter, ids);
    else goCompare();
  }

  async function trash() {
    if (!stage.isPainted() || stage.id !== id) return;
    const gone = id;
    const i = index();
    const near = at(i + 1) || at(i - 1);
    if (!(await toTrash(gone, comeBack)) || isOver) return;
    if (order) order = without(order, gone);
    if (shelf.key === queryOf(filter)) shelf.order = order ?? shelf.order;
    shelf.marked.delete(gone);
    if (near && i >= 0) display(near);
    else leave(filter);
  }

  const ends = [
    fitHeight(element),
    listenKeys(view, 'v', {
      previous: move(-1),
      next: move(1),
      up: (event) => event.shiftKey && stage.move(0, -1),
      down: (event) => event.shiftKey && stage.move(0, 1),
      favorite: () => mark(marks.toggled.favorite),
      reject: () => mark(marks.toggled.reject),
      clear: () => mark(marks.toggled.clear),
      rate: (_, key) => mark(() => ({ rating: Number(key) })),
      undo: () => {
        const back = marks.undo();
        if (back && back !== id) display(back);
      },
      cull: () => cull(filter, id),
      zoom: () => stage.toggle(),
      nearer: () => stage.nearer(),
      farther: () => stage.farther(),
      light: nextLight,
      compare: goCompare,
      survey: goSurvey,
      trash,
      close: () => leave(filter),
      help: () => showHelp('v'),
    }),
    marks.on((marked) => marked === id && markButtons.show(id)),
    () => stage.end(),
  ];
  element.focus({ preventScroll: true });
  begin();

  async function begin() {
    const number = /^\d{1,10}$/.test(wanted) ? Number(wanted) : 0;
    if (number && order) display(number);
    try {
      const picture = number && order ? null : await details(wanted);
      order ??= await orderOf(filter);
      if (isOver) return;
      if (picture) display(picture.id, picture);
      else showPosition();
    } catch (error) {
      if (!isOver) stage.tell(error.message);
    }
  }

  return () => {
    isOver = true;
    for (const end of ends) end();
  };
}
