// frame.js - what the views of pictures share: their height below the page's bar, their keys, their way back.
import { go } from '../app.js';
import { dispatch } from './keys.js';
import { pathOf } from './query.js';

let isFromHere = false;

/** Go to a picture so that Back comes back. */
export function open(path) {
  isFromHere = true;
  go(path);
}

export const COMPARED_MOST = 8;
const COMPARED = 4; // where nobody picked any
/** Pictures side by side: two to eight, as they were picked. */
export function compare(filter, ids) {
  const [first, ...others] = ids.slice(0, COMPARED_MOST);
  open(pathOf(`picture/${first}`, new Map([...filter, ['with', others.join(',')]])));
}
/** Those that were picked or, where fewer than two were, this one and the next ones. */
export function toSurvey(order, index, picked) {
  return picked.size > 1 ? [...picked] : [...order.ids.slice(index, index + COMPARED)];
}

/** Judge the pictures of a filter one after the other, from this one on; those that were judged are left out, unless
 *  the filter is about that. */
export function cull(filter, id) {
  const isAbout = ['judged', 'loved', 'rejected', 'min_rating'].some((param) => filter.has(param));
  const next = new Map(filter);
  if (!isAbout) next.set('judged', 'without');
  if (!isAbout && next.get('sort') === 'best') next.delete('sort'); // that is of rated ones
  open(pathOf(`cull/${id}`, next));
}

/** Leave a picture: back where somebody came from, or to the gallery when that was nowhere. */
export function leave(filter) {
  if (isFromHere) history.back();
  else go(pathOf('gallery', filter), true);
  isFromHere = false;
}

/** As high as what is left of the window. Returns what ends it. */
export function fitHeight(element) {
  const fit = () => {
    const bar = document.querySelector('.top nav');
    const below = bar && getComputedStyle(bar).position === 'fixed' ? bar.offsetHeight : 0;
    element.style.height = `${Math.max(240, innerHeight - element.offsetTop - below)}px`;
  };
  fit();
  addEventListener('resize', fit);
  return () => removeEventListener('resize', fit);
}

/** Keys of a view while nothing outside of it has the focus; a focus that got lost does no harm. */
export function listenKeys(view, where, actions) {
  const listener = (event) => {
    const isOurs = view.contains(event.target) || event.target === document.body;
    if (isOurs && !event.defaultPrevented && !document.querySelector('dialog[open]')) dispatch(event, where, actions);
  };
  document.addEventListener('keydown', listener);
  return () => document.removeEventListener('keydown', listener);
}
