// run.js - one run, a sweep or a night, as a table of any two of its axes (run/ID?rows=...&cols=...): filled in while it is
// drawn. The other axes are chosen above it; all of that is in the address.
import { address, get } from '../../lib/api.js';
import { button, fill, h, plural, style } from '../../lib/dom.js';
import * as lab from '../../lib/jobs.js';
import { load, save } from '../../lib/store.js';
import { axesOf, chooseTwo, valueOf } from './axes.js';
import { makeTable } from './table.js';
import { makeZoom } from './zoom.js';

const SOON_MS = 700;
const SIDE = 'run.side';

const select = (label, value, choices, onchange) => h('label', { className: 'axis' }, label,
  h('select', { value, onchange: (event) => onchange(event.target.value) }, choices.map(([key, text]) => h('option', { value: key, selected: key === value }, text))));

export function show(view, place) {
  const id = place.path[1] ?? '';
  const query = new URLSearchParams(place.query);
  const controls = h('div', { className: 'row axes-controls' });
  const told = h('p', { className: 'soft', role: 'status' });
  const title = h('h1', {}, 'Run');
  const again = h('div', { className: 'row' });
  let state = { run: {}, cells: [] };
  let shown = null; // {rows, columns}
  let timer = 0;
  let isOver = false;

  const zoom = makeZoom({
    cellAt: (row, column) => (shown && row >= 0 && column >= 0 && row < shown.rows.values.length && column < shown.columns.values.length ? table.at(row, column) : null),
    captionOf: (row, column) => `${shown.rows.caption} ${shown.rows.values[row]}, ${shown.columns.caption} ${shown.columns.values[column]}`,
    onClose: (row, column) => table.focus(row, column),
  });
  const table = makeTable({ open: (cell, row, column) => zoom.open(row, column) });
  const side = h('input', { type: 'range', min: 96, max: 320, step: 16, value: load(SIDE, 160), aria: { label: 'Size of the pictures' } });
  side.oninput = () => {
    table.element.style.setProperty('--side', `${side.value}px`);
    save(SIDE, Number(side.value));
  };
  side.oninput();

  const keep = (changes) => {
    for (const [name, value] of Object.entries(changes)) query.set(name, value);
    history.replaceState(null, '', address(`run/${encodeURIComponent(id)}?${query}`));
    render();
  };

  const tell = () => {
    const { run, cells } = state;
    const n = (name) => cells.filter((cell) => cell.state === name).length;
    const parts = [plural(n('done'), 'picture'), n('waiting') && `${n('waiting')} to come`, n('failed') && `${n('failed')} failed`, run.state];
    fill(title, run.title ?? id);
    fill(told, parts.filter(Boolean).join(', '), run.message && `: ${run.message}`, run.prompt && h('span', { className: 'prompt' }, ` – ${run.prompt}`));
    const job = [...lab.jobs.values()].find((one) => one.run_dir?.endsWith(`/${id}`) && (one.state === 'failed' || one.state === 'cancelled'));
    fill(again, h('a', { className: 'button', href: address(`gallery?run=${encodeURIComponent(id)}`).href, data: { go: '' } }, 'In the gallery'),
      job && button('Draw what is missing', () => lab.restore(job.id).catch((error) => fill(told, h('span', { className: 'bad' }, error.message)))));
  };

  const render = () => {
    const { run, cells } = state;
    const axes = axesOf(run, cells);
    const two = chooseTwo(run, axes, cells, { rows: query.get('rows'), cols: query.get('cols') });
    tell();
    if (!two) {
      fill(controls);
      shown = null;
      fill(table.element.firstChild, h('tbody', {}, h('tr', {}, h('td', {}, 'The pictures of this run do not differ in two settings, so there is no table of them.'))));
      return;
    }
    const [rows, columns] = two;
    const others = axes.filter((axis) => axis !== rows && axis !== columns);
    const chosen = others.map((axis) => (axis.values.includes(query.get(axis.name)) ? query.get(axis.name) : axis.values[0]));
    const left = cells.filter((cell) => others.every((axis, i) => valueOf(cell, axis.field) === chosen[i]));
    const names = axes.map((axis) => [axis.name, axis.caption]);
    shown = { rows, columns };
    const held = controls.contains(document.activeElement);
    if (!held)
      fill(controls, select('Rows', rows.name, names, (name) => keep({ rows: name, cols: name === columns.name ? rows.name : columns.name })),
        select('Columns', columns.name, names, (name) => keep({ cols: name, rows: name === rows.name ? columns.name : rows.name })),
        button('Swap', () => keep({ rows: columns.name, cols: rows.name })),
        others.map((axis, i) => select(axis.caption, chosen[i], axis.values.map((value) => [value, value]), (value) => keep({ [axis.name]: value }))),
        h('label', { className: 'axis' }, 'Size', side));
    table.show(rows, columns, left.length ? left : cells);
  };

  const look = async () => {
    timer = 0;
    try {
      state = await get(`runs/${encodeURIComponent(id)}`);
      isOver = Boolean(state.run.state);
      render();
    } catch (error) {
      fill(told, h('span', { className: 'bad' }, error.message));
    }
  };
  /** Something of it may have come: soon, and once. */
  const later = () => {
    if (!timer && !zoom.element.open) timer = setTimeout(look, SOON_MS);
  };
  style('run').then(look);
  fill(view, title, told, again, controls, table.element, zoom.element);
  const end = lab.on('cell', (data) => isOver || !data.path || (data.path.includes(`/${id}/`) && later()));
  const ended = lab.on('jobs', () => isOver || later());
  return () => {
    clearTimeout(timer);
    end();
    ended();
  };
}
