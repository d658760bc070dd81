// events.js - the server's stream of events, one for all tabs of a browser: it allows six connections to a server, and
// with six streams open no request gets one. Where there are locks (https, this machine) one tab holds the stream and hands
// events on; when it is closed the next one goes on behind the last event. Elsewhere tabs that are not seen have none.
// A view listens while it is shown; after a gap everybody gets "state" anew, or "reset".
import { address, get, root } from './api.js';

const TYPES = ['state', 'job', 'progress', 'cell', 'preview', 'queue', 'places', 'download', 'marks', 'reset'];
const NAME = `sdxl-lab.events ${root.pathname}`; // of the lock and of the channel
const LONGEST_MS = 30000;
const target = new EventTarget();
let source = null; // this tab's stream
let channel = null; // to the other tabs
let leaving = null; // ends this tab's part in it
let timer = 0;
let waitMs = 1000;
let heardAt = performance.now();
let last = ''; // id of the event that was heard last
let hasState = false;
let early = null; // what comes while the state is asked for

/** Call fn(data) for each event of a type, also "connection" (true, false); returns what ends that. */
export function on(type, fn) {
  const listener = (event) => fn(event.detail);
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
}

const tell = (type, detail) => target.dispatchEvent(new CustomEvent(type, { detail }));

/** Seconds since the server was last heard. */
export const silence = () => (performance.now() - heardAt) / 1000;

// --- What comes ---

/** "EPOCH-12": the number counts within an epoch. When another tab goes on with the stream some come twice. */
function isOld(id) {
  const cut = id.lastIndexOf('-') + 1;
  return cut > 0 && last.startsWith(id.slice(0, cut)) && Number(id.slice(cut)) <= Number(last.slice(cut));
}

function hear({ type, text, id }) {
  heardAt = performance.now();
  const isWhole = type === 'state' || type === 'reset';
  if (!isWhole && isOld(id)) return;
  if (id) last = id;
  if (isWhole) hasState = true;
  if (early) early.push([type, text]);
  else tell(type, JSON.parse(text || 'null'));
}

function hearConnection(isThere) {
  heardAt = performance.now();
  tell('connection', isThere);
}

/** A tab that came later was not told the state: it asks for it, and hears what came meanwhile after that. */
async function catchUp() {
  early = [];
  let state = null;
  try {
    state = await get('jobs');
  } catch {
    hasState = false; // the next word of a connection asks again
  }
  const waiting = early;
  early = null;
  if (state) tell('state', state);
  for (const [type, text] of waiting) tell(type, JSON.parse(text || 'null'));
}

// --- This tab's stream ---

function open() {
  close();
  source = new EventSource(address(last ? `api/v1/events?after=${encodeURIComponent(last)}` : 'api/v1/events'));
  const handOn = (message) => channel?.postMessage(message);
  const say = (isThere) => {
    handOn({ isThere, id: last });
    hearConnection(isThere);
  };
  source.onopen = () => {
    waitMs = 1000;
    say(true);
  };
  source.onerror = () => {
    say(false);
    if (source?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    timer = setTimeout(open, waitMs);
    waitMs = Math.min(2 * waitMs, LONGEST_MS);
  };
  for (const type of TYPES)
    source.addEventListener(type, (event) => {
      const message = { type, text: event.data, id: event.lastEventId };
      handOn(message);
      hear(message);
    });
}

function close() {
  clearTimeout(timer);
  source?.close();
  source = null;
}

// --- Between tabs ---

/** messages: {isAsked} of one that came, {isThere, id} and {type, text, id} of the one that has the stream. */
function onMessage({ data }) {
  if (data.isAsked) {
    if (source) channel.postMessage({ isThere: source.readyState === EventSource.OPEN, id: last });
  } else if (data.type) {
    hear(data);
  } else {
    last ||= data.id;
    hearConnection(data.isThere);
    if (!data.isThere || hasState) return;
    hasState = true;
    catchUp();
  }
}

function share() {
  channel = new BroadcastChannel(NAME);
  channel.onmessage = onMessage;
  channel.postMessage({ isAsked: true });
  leaving = new AbortController();
  const { signal } = leaving;
  const hold = () => new Promise((resolve) => {
    signal.addEventListener('abort', resolve);
    open();
  });
  navigator.locks.request(NAME, { signal }, hold).catch(() => {}); // nobody waits for it any more
}

export function connect() {
  if (navigator.locks) share();
  else if (!document.hidden) open();
}

function leave() {
  close();
  leaving?.abort();
  channel?.close();
  channel = null;
}

// A page that the browser keeps for "back" would keep its stream, and its turn.
addEventListener('pagehide', leave);
addEventListener('pageshow', (event) => event.persisted && connect());
if (!navigator.locks) document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));
