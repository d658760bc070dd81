// grid.js - the rows of pictures that can be seen and one screen around them, as elements that are used again. Below it
// lie the layout's numbers, never an element for each picture.
import { h } from '../../lib/dom.js';
import { boxesOf, layOut, rowAt, rowOf } from './layout.js';
import { clearTile, fillTile, makeTile, retryTile, showMarks, showPick } from './tile.js';

const GAP = 4;
const MOST_SPARE = 200;
/** Browsers cap how high an element may be: above it, the bar scrolls over less than there is. */
const highest = () => 15e6 / devicePixelRatio;

/** hooks: href(id), onMove(index) when the ring went to another picture. */
export function makeGrid(hooks) {
  const inner = h('div', { className: 'g-inner', attrs: { role: 'grid' }, aria: { label: 'Pictures', multiselectable: 'true' } });
  const scroller = h('div', { className: 'g-scroller', tabIndex: -1 }, inner);
  const rows = new Map(); // by number: {element, tiles}
  const spare = [];
  const picked = new Set();
  let order = null;
  let layout = null;
  let side = 200;
  let active = 0; // index
  let shift = 0; // virtual place minus the bar's, where the bar is too short
  let lastTop = 0;
  let isAsked = false;

  const barHeight = () => Math.min(layout.height, highest());
  const top = () => scroller.scrollTop + shift;

  function scrollTo(y) {
    const most = Math.max(0, layout.height - scroller.clientHeight);
    const wanted = Math.min(most, Math.max(0, y));
    const barMost = Math.max(0, barHeight() - scroller.clientHeight);
    const bar = most > barMost ? Math.round((wanted / most) * barMost) : wanted;
    shift = wanted - bar;
    lastTop = bar;
    scroller.scrollTop = bar;
    draw();
  }

  /** Small steps move by what they say; a jump of the bar goes to the same part of the whole. */
  function onScroll() {
    const bar = scroller.scrollTop;
    const barMost = barHeight() - scroller.clientHeight;
    const most = layout ? layout.height - scroller.clientHeight : 0;
    if (layout && most > barMost) {
      const isJump = Math.abs(bar - lastTop) > scroller.clientHeight || bar <= 0 || bar >= barMost - 1;
      if (isJump) shift = Math.min(1, bar / barMost) * most - bar;
    } else shift = 0;
    lastTop = bar;
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      draw();
    });
  }
  scroller.addEventListener('scroll', onScroll, { passive: true });

  function release(number) {
    const row = rows.get(number);
    rows.delete(number);
    row.element.remove();
    for (const tile of row.tiles) {
      clearTile(tile);
      if (spare.length < MOST_SPARE) spare.push(tile);
    }
  }

  function drawRow(number) {
    const { height, boxes } = boxesOf(layout, order, number);
    const from = layout.first[number];
    let row = rows.get(number);
    if (!row) {
      row = { element: h('div', { className: 'g-row', attrs: { role: 'row' } }), tiles: [] };
      rows.set(number, row);
      // In their order, which a screen reader follows.
      const next = [...inner.children].find((other) => Number(other.ariaRowIndex) > number + 1);
      row.element.setAttribute('aria-rowindex', number + 1);
      inner.insertBefore(row.element, next ?? null);
    }
    while (row.tiles.length > boxes.length) {
      const tile = row.tiles.pop();
      clearTile(tile);
      spare.push(tile);
    }
    row.element.style.height = `${height}px`;
    row.top = layout.tops[number];
    boxes.forEach((box, column) => {
      const index = from + column;
      let tile = row.tiles[column];
      if (!tile) {
        tile = spare.pop() ?? makeTile();
        row.tiles.push(tile);
        row.element.append(tile.cell);
      }
      const id = order.ids[index];
      fillTile(tile, { index, id, ...box, height, column, n: order.n, href: hooks.href(id), isPicked: picked.has(id) });
      tile.link.tabIndex = index === active ? 0 : -1;
    });
  }

  /** isAll: also rows that are there already. */
  function draw(isAll = false) {
    if (!layout) return;
    const view = scroller.clientHeight;
    const from = layout.rows ? rowAt(layout, Math.max(0, top() - view)) : 0;
    const to = layout.rows ? rowAt(layout, top() + 2 * view) : -1;
    const kept = layout.rows ? rowOf(layout, active) : -1; // the one tab stop is never taken away
    for (const number of [...rows.keys()]) if ((number < from || number > to) && number !== kept) release(number);
    // What is seen comes first, then what lies around it.
    const seen = layout.rows ? rowAt(layout, top()) : 0;
    for (let number = seen; number <= to; number++) if (isAll || !rows.has(number)) drawRow(number);
    for (let number = seen - 1; number >= from; number--) if (isAll || !rows.has(number)) drawRow(number);
    if (kept >= 0 && (kept < from || kept > to) && (isAll || !rows.has(kept))) drawRow(kept);
    for (const row of rows.values()) row.element.style.transform = `translateY(${row.top - shift}px)`;
  }

  function arrange() {
    const width = inner.clientWidth;
    if (!order || !width) return;
    layout = layOut(order, width, side, GAP);
    for (const number of [...rows.keys()]) if (number >= layout.rows) release(number);
    inner.style.height = `${barHeight()}px`;
    inner.setAttribute('aria-rowcount', layout.rows);
  }

  const tileAt = (index) => layout && order.n && rows.get(rowOf(layout, index))?.tiles.find((tile) => tile.index === index);

  /** The picture at the top and how far it sticks out: what stays where it is when anything changes. */
  function anchor() {
    if (!layout || !layout.rows) return null;
    const row = rowAt(layout, top());
    return { id: order.ids[layout.first[row]], offset: top() - layout.tops[row] };
  }
  function toAnchor(place) {
    const index = place ? order.ids.indexOf(place.id) : -1;
    scrollTo(index < 0 ? top() : layout.tops[rowOf(layout, index)] + place.offset);
  }

  /** isPart: it is enough when a part of it is seen. */
  function reveal(index, isPart) {
    const row = rowOf(layout, index);
    const view = scroller.clientHeight;
    if (isPart && layout.tops[row + 1] > top() && layout.tops[row] < top() + view) return;
    if (layout.tops[row] < top()) scrollTo(layout.tops[row]);
    else if (layout.tops[row + 1] > top() + view) scrollTo(layout.tops[row + 1] - view);
  }

  function moveTo(index, isFocused = true, isPart = false) {
    if (!order?.n || !layout) return;
    const next = Math.min(order.n - 1, Math.max(0, index));
    const before = tileAt(active);
    if (before) before.link.tabIndex = -1;
    active = next;
    reveal(next, isPart);
    draw();
    const tile = tileAt(next);
    if (!tile) return;
    tile.link.tabIndex = 0;
    if (isFocused) tile.link.focus({ preventScroll: true });
    hooks.onMove(next);
  }

  /** The picture in another row that lies nearest. */
  function beside(rowsAway) {
    const row = rowOf(layout, active);
    const other = Math.min(layout.rows - 1, Math.max(0, row + rowsAway));
    if (other === row) return rowsAway < 0 ? 0 : order.n - 1;
    const here = boxesOf(layout, order, row).boxes[active - layout.first[row]];
    const middle = here.left + here.width / 2;
    const { boxes } = boxesOf(layout, order, other);
    const column = boxes.findIndex((box) => box.left + box.width > middle);
    return layout.first[other] + (column < 0 ? boxes.length - 1 : column);
  }

  const moves = {
    ArrowLeft: () => active - 1,
    ArrowRight: () => active + 1,
    ArrowUp: () => beside(-1),
    ArrowDown: () => beside(1),
    PageUp: () => beside(-Math.max(1, Math.floor(scroller.clientHeight / side) - 1)),
    PageDown: () => beside(Math.max(1, Math.floor(scroller.clientHeight / side) - 1)),
    Home: (event) => (event.ctrlKey ? 0 : layout.first[rowOf(layout, active)]),
    End: (event) => (event.ctrlKey ? order.n - 1 : layout.first[rowOf(layout, active) + 1] - 1),
  };
  inner.addEventListener('keydown', (event) => {
    if (!moves[event.key] || !order?.n || event.altKey) return;
    event.preventDefault();
    moveTo(moves[event.key](event));
  });
  inner.addEventListener('focusin', (event) => {
    const index = Number(event.target.dataset.index);
    if (Number.isInteger(index) && index !== active) moveTo(index, false, true);
  });

  const resize = new ResizeObserver(() => {
    if (!layout) return arrangeAndKeep(null);
    if (inner.clientWidth !== layout.width) arrangeAndKeep(anchor());
    else draw();
  });
  resize.observe(scroller);

  function arrangeAndKeep(place) {
    arrange();
    if (!layout) return;
    toAnchor(place);
    draw(true);
  }

  return {
    element: scroller,
    inner,
    anchor,
    moveTo,
    get active() { return order?.n ? order.ids[active] : 0; },
    get index() { return active; },
    isAtTop: () => top() < 8,
    isPainted: () => tileAt(active)?.isPainted ?? false,
    /** Show an order; what is at `place` stays there, the ring stays on the picture `id`. */
    setOrder(next, place, id) {
      order = next;
      const index = order.ids.indexOf(id);
      active = index >= 0 ? index : Math.min(active, Math.max(0, order.n - 1));
      arrangeAndKeep(place);
    },
    setSide(next) {
      const place = layout ? anchor() : null;
      side = next;
      if (order) arrangeAndKeep(place);
    },
    toTop() { scrollTo(0); },
    focus() { (tileAt(active)?.link ?? scroller).focus({ preventScroll: true }); },
    showMarks(id) {
      for (const row of rows.values()) for (const tile of row.tiles) if (tile.id === id) showMarks(tile);
    },
    setPicked(ids) {
      picked.clear();
      for (const id of ids) picked.add(id);
      for (const row of rows.values())
        for (const tile of row.tiles) {
          showPick(tile, picked.has(tile.id));
          showMarks(tile);
        }
    },
    retry() { for (const row of rows.values()) row.tiles.forEach(retryTile); },
    end() {
      resize.disconnect();
      for (const number of [...rows.keys()]) release(number);
    },
  };
}
