// wall.js - the gallery: bar on top, filters beside, the grid. Nothing that happens on the server moves what is looked at.
import { address, get } from '../../lib/api.js';
import { button, fill, h, plural, say, style } from '../../lib/dom.js';
import * as events from '../../lib/events.js';
import { load, save } from '../../lib/store.js';
import { details } from './details.js';
import { COMPARED_MOST, compare as openCompare, cull, fitHeight, listenKeys, open, toSurvey } from './frame.js';
import { makeGrid } from './grid.js';
import { nextLight, recallLight, showHelp } from './keys.js';
import * as marks from './marks.js';
import { orderOf, shelf, without } from './order.js';
import { pathOf, queryOf, readFilter, shortValue } from './query.js';
import { makeSearch } from './search.js';

const LOOK_MS = 700; // between something that may have come and asking for it
const SIDES = { min: 80, max: 480, step: 20 };
const PHONE = 700;
const WIDE = 1000;

await style('gallery');
recallLight();

export function show(view, place) {
  let now = readFilter(place.query);
  let asked = 0;
  let lookTimer = 0;
  let nameTimer = 0;
  let isPicking = false;
  let filters = null;
  let facets = {};

  const count = h('span', { className: 'count soft', id: 'count', attrs: { role: 'status' } });
  const fresh = button('', () => reload(true), { className: 'fresh', id: 'fresh', hidden: true });
  const nothing = h('div', { className: 'nothing', hidden: true });
  const problem = h('p', { className: 'bad', id: 'problem', attrs: { role: 'alert' }, hidden: true });
  const grid = makeGrid({ href: (id) => address(pathOf(`picture/${id}`, now)).href, onMove: nameActive });
  const search = makeSearch(now, change);
  const column = h('aside', { className: 'filters', id: 'filters', aria: { label: 'Filters' } });
  column.hidden = innerWidth < PHONE || !load('gallery.filters', innerWidth >= WIDE);
  const filterButton = button('Filters', toggleFilters, {
    id: 'show-filters', aria: { expanded: String(!column.hidden), controls: 'filters' },
  });
  const sort = h('select', { id: 'sort', aria: { label: 'Order' }, onchange: () => change(new Map([...now, ['sort', sort.value]])) },
    [['', 'Newest'], ['oldest', 'Oldest'], ['best', 'Best']].map(([value, text]) => h('option', { value }, text)));
  const size = h('input', {
    type: 'range', id: 'size', ...SIDES, value: load('gallery.side', innerWidth < PHONE ? 140 : 220),
    title: 'Size of the pictures', aria: { label: 'Size of the pictures' },
    oninput: () => {
      save('gallery.side', Number(size.value));
      grid.setSide(Number(size.value));
    },
  });
  const pick = button('Pick', () => setPicking(!isPicking), {
    id: 'pick', title: 'Choose pictures to compare (Space)', aria: { pressed: 'false' },
  });
  const compare = button('Compare', goCompare, { id: 'compare', hidden: true });
  const table = h('a', { className: 'button', hidden: true, data: { go: '' }, title: 'The run of the filter, by two of its settings' }, 'As a table');
  const culling = button('Cull', goCull, { id: 'cull', title: 'Judge one after the other (K)' });
  const help = button('?', () => showHelp('g'), { className: 'plain wide', aria: { label: 'Keys' } });
  const element = h('section', { className: 'gallery', aria: { label: 'Gallery' } },
    h('h1', { className: 'unseen' }, 'Gallery'),
    h('div', { className: 'bar' }, filterButton, search.element,
      h('div', { className: 'bar-end' }, count, table, sort, size, compare, pick, culling, help)),
    h('div', { className: 'wall' }, column,
      h('div', { className: 'wall-pictures' }, problem, nothing, fresh, grid.element)));
  fill(view, element);
  grid.setSide(Number(size.value));

  function toggleFilters() {
    column.hidden = !column.hidden;
    filterButton.setAttribute('aria-expanded', String(!column.hidden));
    if (innerWidth >= PHONE) save('gallery.filters', !column.hidden);
    showFilters();
  }

  /** What fills the column is loaded behind the pictures, once somebody sees it. */
  async function showFilters() {
    if (column.hidden) return;
    if (!filters) {
      const { makeFilters } = await import('./filters.js');
      filters ??= makeFilters(column, now, change);
    }
    filters.set(now, facets);
  }

  function change(next) {
    now = new Map([...next].filter(([, value]) => value));
    history.replaceState(null, '', address(pathOf('gallery', now)));
    search.set(now);
    reload(false);
  }

  function showTable() {
    const run = shortValue('run', now.get('run') ?? '');
    table.hidden = !run;
    table.href = address(`run/${encodeURIComponent(run)}`).href;
  }

  function showCount() {
    const { n } = shelf.order;
    showTable();
    fill(count, plural(n, 'picture'));
    nothing.hidden = n > 0;
    grid.element.hidden = n === 0;
    if (n) return;
    const removeAll = () => {
      search.box.value = '';
      change(new Map());
    };
    if (now.size) fill(nothing, h('p', {}, 'No picture matches.'), button('Remove all filters', removeAll));
    else
      fill(nothing, h('p', {}, 'No picture yet.'),
        h('a', { className: 'button main', href: address('').href, data: { go: '' } }, 'Draw one'));
  }

  /** isFresh: ask again though it is the same filter, and look at the top. */
  async function reload(isFresh) {
    const mine = ++asked;
    const isSame = shelf.key === queryOf(now);
    try {
      const order = await orderOf(now, isFresh);
      if (mine !== asked) return;
      problem.hidden = true;
      showCount();
      grid.setOrder(order, isFresh ? null : shelf.anchor, shelf.active);
      if (isFresh || !isSame) grid.toTop();
      fresh.hidden = true;
    } catch (error) {
      if (mine !== asked) return;
      problem.hidden = false;
      fill(problem, error.message);
    }
    showFilters();
    look();
  }

  /** Take what the server has now, and leave everything where it is. */
  async function takeQuietly() {
    const mine = ++asked;
    const isAtTop = grid.isAtTop();
    const place = grid.anchor();
    const order = await orderOf(now, true);
    if (mine !== asked) return;
    showCount();
    grid.setOrder(order, isAtTop ? null : place, shelf.active);
    if (isAtTop) grid.toTop();
    fresh.hidden = true;
  }

  /** How many there are now, of what kinds. New ones come in at the top, or wait for a click. */
  async function look() {
    clearTimeout(lookTimer);
    lookTimer = 0;
    const mine = asked;
    const query = new Map(now);
    query.delete('sort');
    if (now.get('sort') === 'best' && !query.has('min_rating')) query.set('min_rating', '1'); // those are the rated ones
    const found = await get(`pictures/facets?${queryOf(query)}`).catch(() => null);
    if (!found || mine !== asked) return;
    facets = found.facets;
    showFilters();
    const n = found.total - shelf.order.n;
    fresh.hidden = n <= 0;
    fill(fresh, `${n.toLocaleString('en')} new`);
    if (n <= 0) return;
    if (grid.isAtTop()) takeQuietly().catch(() => {});
    else say(`${plural(n, 'new picture')}`);
  }
  const lookSoon = () => {
    if (!lookTimer) lookTimer = setTimeout(look, LOOK_MS);
  };

  /** Its settings are its name for who hears it; those beside it are asked for before somebody comes to them. */
  function nameActive() {
    shelf.active = grid.active;
    clearTimeout(nameTimer);
    nameTimer = setTimeout(() => {
      for (const away of [0, 1, -1, 2]) {
        const id = shelf.order.ids[grid.index + away];
        if (id) details(id).then(marks.take, () => {});
      }
    }, 80);
  }

  // --- What is done to pictures ---

  /** Only what was seen is judged. */
  const mark = (changeOf) => () => {
    const id = grid.active;
    if (id && grid.isPainted()) marks.set(id, changeOf(id));
  };

  function setPicking(is) {
    isPicking = is;
    pick.setAttribute('aria-pressed', String(is));
  }

  function togglePick(id) {
    if (!id) return;
    if (!shelf.marked.delete(id)) {
      if (shelf.marked.size === COMPARED_MOST) shelf.marked.delete(shelf.marked.values().next().value);
      shelf.marked.add(id);
    }
    showPicked();
  }
  function showPicked() {
    grid.setPicked(shelf.marked);
    compare.hidden = !shelf.marked.size;
    compare.disabled = shelf.marked.size < 2;
    const n = shelf.marked.size;
    fill(compare, n < 2 ? 'Pick one more' : n === 2 ? 'Compare the two' : `Compare the ${n}`);
  }

  /** Those that were picked; the one that was and the one with the ring; that one and the next. */
  function goCompare() {
    const { ids, n } = shelf.order;
    const two = [...shelf.marked];
    for (const id of [grid.active, ids[Math.min(n - 1, grid.index + 1)]])
      if (two.length < 2 && id && !two.includes(id)) two.push(id);
    if (two.length > 1) openCompare(now, two);
  }
  function goSurvey() {
    const ids = toSurvey(shelf.order, grid.index, shelf.marked);
    if (ids.length > 1) openCompare(now, ids);
  }

  function goCull() {
    if (shelf.order.n) cull(now, grid.active);
  }

  async function trash() {
    const id = grid.active;
    if (!id || !grid.isPainted()) return;
    const { toTrash } = await import('./trash.js');
    if (!(await toTrash(id, () => takeQuietly().then(grid.focus, () => {})))) return;
    const place = grid.anchor();
    shelf.order = without(shelf.order, id);
    shelf.marked.delete(id);
    showCount();
    grid.setOrder(shelf.order, place, 0);
    shelf.active = grid.active;
    grid.focus();
  }

  grid.inner.addEventListener('click', (event) => {
    const link = event.target.closest('a.tile');
    if (!link || event.ctrlKey || event.metaKey || event.button) return;
    event.preventDefault();
    event.stopPropagation();
    const id = Number(link.dataset.id);
    shelf.active = id;
    if (isPicking || event.shiftKey) togglePick(id);
    else open(pathOf(`picture/${id}`, now));
  });

  const ends = [
    fitHeight(element),
    listenKeys(view, 'g', {
      search: () => search.box.focus(),
      favorite: mark(marks.toggled.favorite),
      reject: mark(marks.toggled.reject),
      clear: mark(marks.toggled.clear),
      rate: (_, key) => mark(() => ({ rating: Number(key) }))(),
      undo: () => marks.undo(),
      pick: () => togglePick(grid.active),
      compare: goCompare,
      survey: goSurvey,
      cull: goCull,
      light: nextLight,
      trash,
      close: () => (isPicking ? setPicking(false) : column.hidden || innerWidth >= PHONE || toggleFilters()),
      help: () => showHelp('g'),
    }),
    marks.on(grid.showMarks),
    events.on('cell', (data) => data.path && lookSoon()),
    events.on('reset', lookSoon),
    events.on('connection', (isThere) => {
      if (!isThere) return;
      grid.retry();
      lookSoon();
    }),
  ];
  search.box.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'Escape') grid.focus();
  });

  sort.value = now.get('sort') ?? '';
  showPicked();
  const isBack = shelf.key === queryOf(now) && shelf.anchor;
  reload(false).then(() => {
    const index = shelf.order.ids.indexOf(shelf.active);
    if (isBack && index >= 0) grid.moveTo(index, true, true);
  });
  marks.loadAll().catch(() => {});

  return () => {
    asked++;
    clearTimeout(lookTimer);
    clearTimeout(nameTimer);
    shelf.anchor = grid.anchor();
    for (const end of ends) end();
    grid.end();
  };
}
