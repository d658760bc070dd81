// marks.js - what is thought of pictures: shown at once, sent, and sent again when the server was not there.
import { get, put } from '../../lib/api.js';
import { say } from '../../lib/dom.js';
import * as events from '../../lib/events.js';
import { known } from './details.js';
import { loadOrder } from './order.js';

const NONE = Object.freeze({ favorite: false, rating: 0, rejected: false });
const marks = new Map(); // by id
const unsent = new Map(); // by id: {change, before, isLate}
const sending = new Set();
const done = []; // for undo: {id, before}
const target = new EventTarget();
const AGAIN_MS = 3000;
const UNDO_MAX = 200;

export function on(fn) {
  const listener = (event) => fn(event.detail);
  target.addEventListener('mark', listener);
  return () => target.removeEventListener('mark', listener);
}
const tell = (id) => target.dispatchEvent(new CustomEvent('mark', { detail: id }));

export const of = (id) => marks.get(id) ?? NONE;
export const isUnsent = (id) => unsent.has(id);

/** What the server said of a picture; what was not sent yet goes before. */
export function take(picture) {
  if (unsent.has(picture.id)) return;
  marks.set(picture.id, {
    favorite: picture.loved ?? picture.favorite ?? false, rating: picture.rating ?? 0, rejected: picture.rejected ?? false,
  });
  tell(picture.id);
}

function put1(id, change) {
  const before = of(id);
  marks.set(id, { ...before, ...change });
  const earlier = unsent.get(id);
  unsent.set(id, { change: { ...earlier?.change, ...change }, before: earlier?.before ?? before, isLate: earlier?.isLate ?? false });
  tell(id);
  send(id);
}

export function set(id, change) {
  done.push({ id, before: of(id) });
  if (done.length > UNDO_MAX) done.shift();
  put1(id, change);
}

/** Take the last mark back; the id of its picture, or 0. */
export function undo() {
  const last = done.pop();
  if (last) put1(last.id, last.before);
  return last?.id ?? 0;
}

/** What a key does: {favorite, rating, rejected}. A favourite is not rejected, nor the other way round. */
export const toggled = {
  favorite: (id) => ({ favorite: !of(id).favorite, rejected: false }),
  reject: (id) => ({ rejected: !of(id).rejected, favorite: false }),
  clear: () => ({ ...NONE }),
};

async function send(id) {
  if (sending.has(id)) return;
  const wish = unsent.get(id);
  sending.add(id);
  let isToTryAgain = false;
  try {
    // A number means one file, but once the server was started anew perhaps another one; a cell lasts.
    await put(`pictures/${(wish.isLate && known(id)?.cell) || id}/mark`, wish.change);
    if (unsent.get(id) === wish) unsent.delete(id);
  } catch (error) {
    isToTryAgain = error.code === 0 || error.code === 429 || error.code === 503;
    wish.isLate = true;
    if (!isToTryAgain) {
      unsent.delete(id);
      marks.set(id, wish.before);
      say(`The mark was not kept: ${error.message}`, true);
    }
  }
  sending.delete(id);
  tell(id);
  if (isToTryAgain) setTimeout(sendAll, AGAIN_MS);
  else if (unsent.has(id)) send(id);
}

function sendAll() {
  for (const id of unsent.keys()) send(id);
}
events.on('connection', (isThere) => isThere && sendAll());

/** Learn of all marks at once: few pictures are judged, so lists of those are short. */
export async function loadAll() {
  const { total } = await get('pictures/facets?judged=only');
  if (!total) return;
  const found = new Map();
  const note = async (filter, change) => {
    const order = await loadOrder(new Map(filter));
    for (const id of order.ids) found.set(id, { ...NONE, ...found.get(id), ...change });
    return order.n;
  };
  await note([['loved', 'true']], { favorite: true });
  await note([['rejected', 'only']], { rejected: true });
  for (let rating = 1; rating <= 5; rating++) if (!(await note([['min_rating', rating]], { rating }))) break;
  for (const [id, mark] of found) {
    if (unsent.has(id)) continue;
    marks.set(id, mark);
    tell(id);
  }
}
