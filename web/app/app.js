// app.js - which view is shown: the address decides. A view is a module in a folder of its own with
// show(element, place), which returns what ends it; place: {path: [...], query}. The server has the same table
// (http/assets.c), so that its page names at once what the view imports.
import { root } from '../lib/api.js';
import * as events from '../lib/events.js';
import { entitle, fill } from '../lib/dom.js';
import { load as recall } from '../lib/store.js';

const VIEWS = {
  '': () => import('./draw/draw.js'),
  gallery: () => import('./gallery/wall.js'),
  picture: () => import('./gallery/picture.js'),
  cull: () => import('./cull/cull.js'),
  queue: () => import('./queue/queue.js'),
  run: () => import('./run/run.js'),
  night: () => import('./night/night.js'),
  duel: () => import('./duel/duel.js'),
  insights: () => import('./insights/insights.js'),
  system: () => import('./system/system.js'),
};
const NAMES = { '': 'draw', picture: 'gallery', cull: 'gallery', run: 'gallery' };

// Addresses of the document are relative to where it was loaded, which history.pushState changes.
for (const link of document.querySelectorAll('link[href]:not([rel=modulepreload]), a[href]')) link.setAttribute('href', link.href);

const view = document.getElementById('view');
let end = null;
let shown = null;

function placeOf(url) {
  const path = decodeURI(url.pathname.slice(root.pathname.length)).split('/').filter(Boolean);
  return { path, query: url.searchParams };
}

async function show() {
  const place = placeOf(new URL(location.href));
  const name = place.path[0] ?? '';
  const load = VIEWS[name] ?? VIEWS[''];
  const mine = (shown = {});
  end?.();
  end = null;
  for (const link of document.querySelectorAll('nav a')) {
    const isHere = link.dataset.view === (NAMES[name] ?? name);
    if (isHere) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  entitle((name || 'draw').replace(/^./, (first) => first.toUpperCase()));
  const module = await load();
  if (shown !== mine) return; // somebody went on meanwhile
  fill(view);
  end = module.show(view, place) ?? null;
}

/** Go to an address below the root; "replace" leaves no entry to go back to. */
export function go(path, replace = false) {
  history[replace ? 'replaceState' : 'pushState'](null, '', new URL(path, root));
  show();
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-view], a[data-go]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  history.pushState(null, '', link.href);
  show();
});
addEventListener('popstate', show);

const connection = document.getElementById('connection');
events.on('connection', (isThere) => fill(connection, isThere ? '' : 'no connection, trying again'));
// The view comes first; then the queue, whose state is the stream's first event, and marks that an earlier page has not sent.
show().finally(() => import('../lib/jobs.js').then(events.connect).then(() => recall('marks', []).length && import('./gallery/marks.js')));
