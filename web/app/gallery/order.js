// order.js - the pictures of a filter in their order, eight bytes each, and the one list that gallery and viewer share.
import { ApiError, address } from '../../lib/api.js';
import { queryOf } from './query.js';

const EMPTY = { n: 0, ids: new Uint32Array(0), widths: new Uint16Array(0), heights: new Uint16Array(0) };

/** Ask for the order of a filter: {n, ids, widths, heights}. */
export async function loadOrder(filter) {
  const query = queryOf(new Map([...filter, ['format', 'binary']]));
  let reply;
  try {
    reply = await fetch(address(`api/v1/pictures/order?${query}`));
  } catch {
    throw new ApiError('the server does not answer', 0, null);
  }
  if (!reply.ok) {
    const error = (await reply.json().catch(() => null))?.error;
    throw new ApiError(error?.message ?? `the server answered ${reply.status}`, reply.status, error?.field ?? null);
  }
  const bytes = await reply.arrayBuffer();
  const n = Math.floor(bytes.byteLength / 8);
  const order = { n, ids: new Uint32Array(bytes, 0, n), widths: new Uint16Array(bytes, 4 * n, n), heights: new Uint16Array(bytes, 6 * n, n) };
  for (let i = 0; i < n; i++) {
    if (i) order.ids[i] += order.ids[i - 1]; // what comes is how far they are apart
    order.widths[i] ||= 1; // not known: a square
    order.heights[i] ||= 1;
  }
  return order;
}

/** The same without one picture. */
export function without(order, id) {
  const at = order.ids.indexOf(id);
  if (at < 0) return order;
  const cut = (list) => {
    const shorter = list.slice(0, -1);
    shorter.set(list.subarray(at + 1), at);
    return shorter;
  };
  return { n: order.n - 1, ids: cut(order.ids), widths: cut(order.widths), heights: cut(order.heights) };
}

/** What is looked at: kept while the viewer is open, so that going back finds everything as it was.
 *  anchor: {id, offset} of a picture that is at the top; active: id of the one with the ring; isStale: the order has to
 *  be asked for again, and the rest stays. */
export const shelf = { key: null, order: EMPTY, anchor: null, active: 0, marked: new Set(), isStale: false };

/** The order of a filter: the one that is there, or asked for. */
export async function orderOf(filter, isFresh = false) {
  const key = queryOf(filter);
  if (!isFresh && !shelf.isStale && shelf.key === key) return shelf.order;
  const order = await loadOrder(filter);
  if (shelf.key !== key) Object.assign(shelf, { anchor: null, active: order.ids[0] ?? 0 });
  Object.assign(shelf, { key, order, isStale: false });
  return order;
}
