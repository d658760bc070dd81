// api.js - asking the server. Addresses are relative to the root, wherever the page and a base path put it.
import { load, save } from './store.js';

// This file lies four folders below the root: assets/VERSION/lib/api.js.
export const root = new URL('../../../', import.meta.url);

/** What the server refused, or why it could not be asked. field: the setting that it is about, or null. */
export class ApiError extends Error {
  constructor(message, code, field) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

export const address = (path) => new URL(path, root);

async function ask(method, path, body, signal) {
  const options = { method, headers: {}, signal };
  if (body instanceof FormData) {
    options.body = body;
  } else if (body !== undefined) {
    options.headers['Content-Type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  let reply;
  try {
    reply = await fetch(address(path), options);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('the server does not answer', 0, null);
  }
  if (reply.status === 204) return null;
  const isJson = (reply.headers.get('Content-Type') ?? '').includes('json');
  const answer = isJson ? await reply.json() : null;
  if (reply.ok) return answer;
  const error = answer?.error;
  throw new ApiError(error?.message ?? `the server answered ${reply.status}`, reply.status, error?.field ?? null);
}

// signal: of an AbortController, for answers that nobody waits for any more.
export const get = (path, signal) => ask('GET', `api/v1/${path}`, undefined, signal);
export const post = (path, body = {}, signal) => ask('POST', `api/v1/${path}`, body, signal);
export const put = (path, body) => ask('PUT', `api/v1/${path}`, body);
export const remove = (path) => ask('DELETE', `api/v1/${path}`);

const AGAIN_MS = 3000;
const mayComeLater = ({ code }) => code === 0 || code === 429 || (code >= 502 && code <= 504);

/** What somebody said, on its way to the server: one thing after the other, each kept until it is there and sent again where the
 *  server was not. With a name it is also kept by the browser, for the next time that the page is open.
 *  deliver(item) asks the server; settled(item, error, answer): it is there (error is null), or was refused; or another tab has sent it
 *  (error and answer are null). Items with a name are what JSON can hold.
 *  Returns {waiting: what is not there yet, the oldest first; put(item); changed(item): it says more; send(): now, not after a
 *  while; recall(): what an earlier page has left, which is sent as well}. */
export function makeOutbox({ deliver, settled, name = null }) {
  const waiting = [];
  let isSending = false;
  let timer = 0;

  const kept = () => (name ? load(name, []) : []);
  const keep = (item) => {
    if (name) item.isKept = save(name, [...kept().filter((one) => one.key !== item.key), item]);
  };
  const drop = (item) => name && save(name, kept().filter((one) => one.key !== item.key));
  const isSentElsewhere = (item) => item.isLate && item.isKept && !kept().some((one) => one.key === item.key);

  async function send() {
    clearTimeout(timer);
    if (isSending) return;
    isSending = true;
    while (waiting.length) {
      const [item] = waiting;
      let refusal = null;
      let answer = null;
      try {
        if (!isSentElsewhere(item)) answer = await deliver(item);
      } catch (error) {
        item.isLate = true;
        if (mayComeLater(error)) break;
        refusal = error;
      }
      waiting.shift();
      drop(item);
      settled(item, refusal, answer);
    }
    isSending = false;
    if (waiting.length) timer = setTimeout(send, AGAIN_MS);
  }
  return {
    waiting,
    send,
    put(item) {
      Object.assign(item, { key: `${Date.now()}-${Math.random()}`, at: Date.now() });
      waiting.push(item);
      keep(item);
      send();
    },
    changed: (item) => waiting.includes(item) && keep(item),
    /** Items as they were put in; sending begins. */
    recall() {
      const left = kept().filter((one) => !waiting.some((other) => other.key === one.key));
      waiting.unshift(...left.map((one) => ({ ...one, isLate: true, isKept: true })));
      send();
    },
  };
}

/** Seconds since something was put in. */
export const ageOf = (item) => Math.max(0, (Date.now() - item.at) / 1000);

/** Addresses of a picture by its number or the id of its cell. */
export const pictureFile = (id) => address(`api/v1/pictures/${id}/file`).href;
export const thumbnail = (id, side) => address(`api/v1/pictures/${id}/thumbnail?side=${side}`).href;
