// marks.js - what is thought of pictures: shown at once, sent, and sent again when the server was not there or the page was
// closed; what is said elsewhere comes as events.
import { ApiError, ageOf, get, makeOutbox, put } from '../../lib/api.js';
import { say } from '../../lib/dom.js';
import * as events from '../../lib/events.js';
import { details, forget, known } from './details.js';
import { loadOrder } from './order.js';

const NONE = Object.freeze({ favorite: false, rating: 0, rejected: false });
const marks = new Map(); // by id
/** Of {id, cell, path: as far as they are known; change}. app.js has the name, too. */
const outbox = makeOutbox({ deliver, settled, name: 'marks' });
const done = []; // for undo: {id, before}
const target = new EventTarget();
const UNDO_MAX = 200;
let heard = null; // ids that something was said of while all are asked for

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

function hold(id, mark) {
  marks.set(id, mark);
  heard?.add(id);
  const picture = known(id); // whoever asks for its details gets these
  if (picture) Object.assign(picture, { loved: mark.favorite, rating: mark.rating, rejected: mark.rejected });
}

/** Note what holds on the server; what was not sent yet goes before. */
function note(id, mark) {
  const unsent = outbox.waiting.filter((one) => one.id === id).map((one) => one.change);
  hold(id, Object.assign({ ...NONE, ...mark }, ...unsent));
  tell(id);
}

/** What the server said of a picture. */
export const take = (picture) => note(picture.id, {
  favorite: picture.loved ?? picture.favorite ?? false, rating: picture.rating ?? 0, rejected: picture.rejected ?? false,
});

const placeOf = (picture) => ({ cell: picture?.cell, path: picture?.path });
function put1(id, change) {
  hold(id, { ...of(id), ...change });
  const later = outbox.waiting.findLast((one, i) => i > 0 && one.id === id); // the first one may be on its way
  const item = later ?? { id, ...placeOf(known(id)), change };
  if (later) {
    Object.assign(later, { change: { ...later.change, ...change }, at: Date.now() });
    outbox.changed(later);
  } else outbox.put(item);
  if (!item.path) details(id).then((picture) => outbox.changed(Object.assign(item, placeOf(picture))), () => {});
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

/** A number means one file, but once the server was started anew perhaps another one; a cell lasts, and a path tells. The age
 *  keeps a late one from counting before what was said since, here or elsewhere. */
async function deliver(item) {
  const { id, cell, path, change, isLate } = item;
  if (isLate && !cell && path && (await get(`pictures/${id}`)).path !== path) throw new ApiError('its picture has another number now', 404, null);
  return put(`pictures/${(isLate && (cell ?? known(id)?.cell)) || id}/mark`, { ...change, age_s: ageOf(item) });
}

function settled({ id }, error, answer) {
  if (answer?.id === id) take(answer);
  else askAnew(id, answer?.id);
  if (error) say(`The mark was not kept: ${error.message}`, true);
  tell(id);
}

/** What holds of one whose mark was refused, or that has another number now, or whose mark another tab has sent. */
function askAnew(...ids) {
  for (const id of ids.filter(Boolean)) {
    forget(id);
    if (!isUnsent(id)) details(id).then(take, () => note(id, NONE));
  }
}
events.on('connection', (isThere) => isThere && outbox.send());
events.on('marks', ({ pictures, all }) => {
  pictures?.forEach(take);
  if (all) loadAll().catch(() => {});
});
events.on('reset', () => loadAll().catch(() => {}));

/** Learn of all marks at once: few pictures are judged, so lists of those are short. */
export async function loadAll() {
  const found = new Map();
  const since = (heard = new Set());
  const look = async (filter, change) => {
    const order = await loadOrder(new Map(filter));
    for (const id of order.ids) found.set(id, { ...found.get(id), ...change });
    return order.n;
  };
  const { total } = await get('pictures/facets?judged=only');
  if (total) {
    await look([['loved', 'true']], { favorite: true });
    await look([['rejected', 'only']], { rejected: true });
    for (let rating = 1; rating <= 5; rating++) if (!(await look([['min_rating', rating]], { rating }))) break;
  }
  if (heard === since) heard = null;
  for (const id of new Set([...marks.keys(), ...found.keys()])) if (!since.has(id)) note(id, found.get(id));
}

outbox.recall();
for (const { id } of outbox.waiting) note(id, NONE);
