// marks.js - what is thought of pictures: shown at once, sent, and sent again when the server was not there.
import { get, makeOutbox, put } from '../../lib/api.js';
import { say } from '../../lib/dom.js';
import * as events from '../../lib/events.js';
import { known } from './details.js';
import { loadOrder } from './order.js';

const NONE = Object.freeze({ favorite: false, rating: 0, rejected: false });
const marks = new Map(); // by id
const outbox = makeOutbox({ deliver, settled }); // of {id, change, before}
const done = []; // for undo: {id, before}
const target = new EventTarget();
const UNDO_MAX = 200;

export function on(fn) {
  const listener = (event) => fn(event.detail);
  target.addEventListener('mark', listener);
  return () => target.removeEventListener('mark', listener);
}
const tell = (id) => target.dispatchEvent(new CustomEvent('mark', { detail: id }));

export const of = (id) => marks.get(id) ?? NONE;
export const isUnsent = (id) => outbox.waiting.some((one) => one.id === id);
/** How many the server has not heard of. */
export const nUnsent = () => outbox.waiting.length;

/** What the server said of a picture; what was not sent yet goes before. */
export function take(picture) {
  if (isUnsent(picture.id)) return;
  marks.set(picture.id, {
    favorite: picture.loved ?? picture.favorite ?? false, rating: picture.rating ?? 0, rejected: picture.rejected ?? false,
  });
  tell(picture.id);
}

function put1(id, change) {
  const before = of(id);
  marks.set(id, { ...before, ...change });
  const later = outbox.waiting.findLast((one, i) => i > 0 && one.id === id); // the first one may be on its way
  if (later) later.change = { ...later.change, ...change };
  else outbox.put({ id, change, before });
  tell(id);
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

/** A number means one file, but once the server was started anew perhaps another one; a cell lasts. */
function deliver({ id, change, isLate }) {
  return put(`pictures/${(isLate && known(id)?.cell) || id}/mark`, change);
}

function settled({ id, before }, error) {
  if (error) {
    if (!isUnsent(id)) marks.set(id, before);
    say(`The mark was not kept: ${error.message}`, true);
  }
  tell(id);
}
events.on('connection', (isThere) => isThere && outbox.send());

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
    if (isUnsent(id)) continue;
    marks.set(id, mark);
    tell(id);
  }
}
