// summary.js - what became of the pictures that were judged, and the way of the rejected ones: together to the trash.
import { post } from '../../lib/api.js';
import { button, fill, h, plural, say } from '../../lib/dom.js';
import { forget } from '../gallery/details.js';
import * as marks from '../gallery/marks.js';
import { loadOrder } from '../gallery/order.js';
import { tellBelow } from '../gallery/trash.js';

const AT_ONCE = 100; // of pictures, in one call: what is being done can be told, and others are served in between

/** The same pictures whatever is thought of them. */
const ofAll = (filter) => new Map([...filter].filter(([param]) => !['judged', 'loved', 'rejected', 'min_rating', 'sort'].includes(param)));

/** Do something to many pictures; onMoved(n) after each part. Returns those of which it was done. */
async function each(path, ids, onMoved) {
  const done = [];
  let why = null;
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const part = ids.slice(at, at + AT_ONCE);
    const { failed } = await post(path, { pictures: part });
    const left = new Set(failed.map(({ picture }) => picture));
    done.push(...part.filter((id) => !left.has(String(id))));
    why ??= failed[0]?.message;
    onMoved(done.length);
  }
  if (why) say(`${plural(ids.length - done.length, 'picture')} stayed where it was: ${why}`, true);
  for (const id of done) forget(id);
  return { done, why };
}

/** hooks: leave(), onTrash(ids), onBack(ids). Returns {element, show(order)}. */
export function makeSummary(filter, hooks) {
  const element = h('section', { className: 'panel summary', id: 'summary', tabIndex: -1, hidden: true, aria: { label: 'How far you are' } });
  const progress = h('p', { className: 'soft', attrs: { role: 'status' } });
  let asked = 0;
  let order = null;

  function count() {
    const n = { picked: 0, rejected: 0, left: 0 };
    for (const id of order.ids) {
      const mark = marks.of(id);
      if (mark.favorite) n.picked++;
      if (mark.rejected) n.rejected++;
      if (!mark.favorite && !mark.rejected && !mark.rating) n.left++;
    }
    return n;
  }

  async function trash(ids) {
    fill(element, h('h2', {}, 'To the trash'), progress);
    try {
      const { done, why } = await each('pictures/trash', ids, (n) => fill(progress, `${n.toLocaleString('en')} of ${plural(ids.length, 'picture')}`));
      hooks.onTrash(done);
      tellBelow(`${plural(done.length, 'picture')} in the trash.${why ? ` Not all: ${why}` : ''}`, { text: 'Undo', run: () => back(done) });
    } catch (error) {
      say(error.message, true);
      tellBelow(`Not all are in the trash: ${error.message}`);
    }
    show(order);
  }

  async function back(ids) {
    try {
      const { done } = await each('pictures/restore', ids, () => {});
      hooks.onBack(done);
      tellBelow(`${plural(done.length, 'picture')} brought back.`);
    } catch (error) {
      say(error.message, true);
      tellBelow(`Not brought back: ${error.message}`);
    }
    if (!element.hidden) show(order);
  }

  /** The rejected ones of all times, as far as the filter goes: what was begun yesterday is finished today. */
  async function rejected() {
    const found = await loadOrder(new Map([...ofAll(filter), ['rejected', 'only']])).catch(() => null);
    return found ? [...found.ids] : null;
  }

  async function show(next) {
    const mine = ++asked;
    order = next;
    const n = count();
    const waits = marks.nUnsent();
    element.hidden = false;
    const head = [
      h('h2', {}, !order.n ? 'Nothing is left to judge' : n.left ? 'So far' : 'All are judged'),
      order.n > 0 && h('p', {}, `${n.picked.toLocaleString('en')} picked, ${n.rejected.toLocaleString('en')} rejected, ` +
        `${n.left.toLocaleString('en')} not judged, of ${plural(order.n, 'picture')}.`),
      waits > 0 && h('p', {}, `${plural(waits, 'mark')} not kept yet: the server does not answer.`)];
    const leave = button('Back to the gallery', hooks.leave, { id: 'leave' });
    fill(element, head, h('div', { className: 'row' }, leave));
    element.focus({ preventScroll: true });
    if (waits) return; // the server does not know all of them
    const ids = await rejected();
    if (mine !== asked || !ids?.length) return;
    const away = button(`Move ${plural(ids.length, 'rejected picture')} to the trash`, () => trash(ids), { id: 'trash', className: 'main' });
    fill(element, head, h('div', { className: 'row' }, away, leave));
  }

  return {
    element,
    show,
    hide() {
      asked++;
      element.hidden = true;
    },
    /** Something has changed that it tells. */
    refresh() {
      if (!element.hidden && order) show(order);
    },
  };
}
