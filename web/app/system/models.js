// models.js - which models are there, and bringing others here: a download goes on whatever the page does.
import { get, post, remove } from '../../lib/api.js';
import { button, duration, fill, h } from '../../lib/dom.js';
import * as events from '../../lib/events.js';
import { bytes, meter } from './meter.js';

const isOpen = (download) => download.state === 'waiting' || download.state === 'running';

export function models(element) {
  const downloads = new Map(); // by id
  const rows = new Map(); // by model
  const bars = h('div', { className: 'downloads' });
  const body = h('tbody');
  const told = h('p', { className: 'bad', attrs: { role: 'alert' } });
  const name = h('input', { name: 'model', required: true, placeholder: 'org/name', autocomplete: 'off', spellcheck: false, id: 'download-name' });

  const act = async (fn) => {
    try {
      put(await fn());
      fill(told);
    } catch (error) {
      fill(told, error.message);
    }
  };
  const begin = (model) => act(() => post('downloads', { model }));

  function amount(download) {
    if (download.state === 'waiting') return 'waits for the one before it';
    if (!download.bytes) return download.state === 'running' ? 'asking what there is' : download.state;
    const left = download.left_s ? `, ${duration(download.left_s)} left` : '';
    return `${bytes(download.bytes_there)} of ${bytes(download.bytes)}${left}`;
  }
  const action = (download) => (isOpen(download) ? button('Stop', () => act(() => remove(`downloads/${download.id}`)))
    : download.state !== 'done' && button('Go on', () => begin(download.model)));

  /** A row that lasts: a button that went with every word of progress could hardly be pressed. {element, show(download)} */
  function makeRow(model) {
    const state = h('span', { className: 'state soft' });
    const act = h('span', { className: 'act' });
    const bar = h('div');
    const why = h('p', { className: 'bad small', hidden: true });
    const element = h('section', { aria: { label: `Download of ${model}` } }, h('div', { className: 'row' }, h('strong', {}, model), state, act), bar, why);
    let shown = '';
    const show = (download) => {
      element.className = `panel download ${download.state}`;
      element.dataset.id = download.id;
      state.textContent = download.state;
      fill(bar, meter(`Download of ${model}`, download.bytes_there, download.bytes, amount(download)));
      why.hidden = !download.error;
      why.textContent = download.error ?? '';
      const now = `${download.id} ${isOpen(download)} ${download.state === 'done'}`;
      if (now === shown) return;
      const isAtHand = act.contains(document.activeElement);
      shown = now;
      fill(act, action(download));
      if (isAtHand) act.querySelector('button')?.focus();
    };
    return { element, show };
  }

  /** Only the newest download of a model is shown. */
  function render() {
    const newest = new Map();
    for (const download of [...downloads.values()].sort((a, b) => a.id - b.id)) {
      newest.delete(download.model); // the newest one stands first
      newest.set(download.model, download);
    }
    for (const [model, download] of newest) {
      if (!rows.has(model)) rows.set(model, makeRow(model));
      rows.get(model).show(download);
    }
    const order = [...newest.keys()].reverse().map((model) => rows.get(model).element);
    if (order.some((element, i) => bars.children[i] !== element)) fill(bars, order);
  }
  function put(download) {
    const before = downloads.get(download.id);
    if (before && !isOpen(before) && isOpen(download)) return; // an older event
    downloads.set(download.id, download);
    render();
    if (download.state === 'done' && before?.state !== 'done') list();
  }

  // Of one that is not here the button beside it says how it comes.
  const said = (model) => (model.state === 'incomplete' || model.state === 'unusable' ? model.why : model.about) ?? '';
  const modelRow = (model) => h('tr', { data: { model: model.key } }, h('td', {}, model.key),
    h('td', { className: model.state === 'unusable' ? 'bad' : model.state === 'ready' ? 'stays' : 'soft stays' }, model.state),
    h('td', { className: 'small' }, said(model)),
    h('td', { className: 'actions' }, model.state !== 'ready' && !model.folder && model.repository && button('Download', () => begin(model.key),
      { aria: { label: `Download ${model.key}` } })));
  async function list() {
    try {
      fill(body, (await get('models')).models.map(modelRow));
    } catch (error) {
      fill(told, error.message);
    }
  }

  const form = h('form', { className: 'row', onsubmit: (event) => {
    event.preventDefault();
    begin(name.value.trim());
  } }, h('label', { htmlFor: 'download-name' }, 'Another repository'), name, h('button', { type: 'submit' }, 'Download'));
  fill(element, bars, told, h('div', { className: 'scroll stack' }, h('table', {}, h('caption', { className: 'unseen' }, 'Models'), h('thead', {}, h('tr', {},
    ['Name', 'State', 'About', ''].map((text) => h('th', { attrs: { scope: 'col' } }, text)))), body)), form);
  const recall = () => get('downloads').then((reply) => reply.downloads.forEach(put), (error) => fill(told, error.message));
  list();
  recall();
  const ends = [events.on('download', put), events.on('reset', recall), events.on('state', recall)];
  return () => ends.forEach((end) => end());
}
