// events.js - the server's stream of events, one for the whole page. A view listens while it is shown; after a gap
// everybody gets "state" anew. Between two attempts to connect it waits longer each time, at most half a minute.
import { address } from './api.js';

const TYPES = ['state', 'job', 'progress', 'cell', 'preview', 'queue', 'places', 'download', 'reset'];
const target = new EventTarget();
let source = null;
let waitMs = 1000;
let heardAt = performance.now();

/** Call fn(data) for each event of a type, also "connection" (true, false); returns what ends that. */
export function on(type, fn) {
  const listener = (event) => fn(event.detail);
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
}

const tell = (type, detail) => target.dispatchEvent(new CustomEvent(type, { detail }));

/** Seconds since the server was last heard. */
export const silence = () => (performance.now() - heardAt) / 1000;

export function connect() {
  source?.close();
  source = new EventSource(address('api/v1/events'));
  source.onopen = () => {
    waitMs = 1000;
    heardAt = performance.now();
    tell('connection', true);
  };
  source.onerror = () => {
    tell('connection', false);
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    setTimeout(connect, waitMs);
    waitMs = Math.min(2 * waitMs, 30000);
  };
  for (const type of TYPES)
    source.addEventListener(type, (event) => {
      heardAt = performance.now();
      tell(type, JSON.parse(event.data || 'null'));
    });
}

// A page that the browser keeps for "back" would keep its stream, and with six of them no request gets a connection.
addEventListener('pagehide', () => source?.close());
addEventListener('pageshow', (event) => event.persisted && connect());
