// queue.js - all jobs: those that wait and are drawn in their order, then those that have ended.
import { address } from '../../lib/api.js';
import { button, duration, fill, h, plural, say, style } from '../../lib/dom.js';
import * as lab from '../../lib/jobs.js';

const SHOWN = 200;

const quietly = (fn) => fn().catch((error) => say(error.message, true));

function actions(job, told) {
  const act = async (fn) => {
    try {
      await fn();
      fill(told);
    } catch (error) {
      fill(told, h('span', { className: 'bad', role: 'alert' }, error.message));
    }
  };
  if (!lab.isOpen(job))
    return job.state === 'done' ? [] : [button('Queue again', () => act(() => lab.restore(job.id)))];
  return [
    button('⤒', () => act(() => lab.move(job.id, { to: 'top' })), { title: 'To the top', aria: { label: 'To the top' } }),
    button('⤓', () => act(() => lab.move(job.id, { to: 'bottom' })), { title: 'To the bottom', aria: { label: 'To the bottom' } }),
    button('Cancel', () => act(() => lab.cancel(job.id))),
  ];
}

/** A row that lasts: a button that went with every step of a picture could hardly be pressed. {element, show(job)} */
function makeRow(id, told) {
  const cells = Object.fromEntries(['state', 'what', 'models', 'pictures', 'time', 'actions'].map((name) => [name, h('td', { className: name })]));
  const element = h('tr', { data: { id } }, Object.values(cells));
  const shown = {};
  /** key: what the cell is made of; as long as that stays, so does the cell. */
  const put = (name, key, make) => {
    if (shown[name] === key) return;
    const cell = cells[name];
    const isAtHand = cell.contains(document.activeElement);
    shown[name] = key;
    fill(cell, make());
    if (isAtHand) cell.querySelector('button, a')?.focus();
  };
  const show = (job) => {
    const now = lab.progress.get(id);
    const took = job.ended && job.started ? duration(job.ended - job.started) : '';
    const left = now?.job_left_s ? `${duration(now.job_left_s)} left` : '';
    const done = job.n_cells > 1 || job.state === 'running' ? `${job.n_done} of ${job.n_cells}` : plural(job.n_cells, 'picture');
    const run = job.n_cells > 1 ? job.run_dir?.split('/').pop() : null;
    cells.state.className = `state ${job.state}`;
    put('state', job.state, () => job.state);
    put('what', `${job.settings?.prompt}\n${job.error}`, () => [job.settings?.prompt ?? '', job.error && h('div', { className: 'bad small' }, job.error)]);
    put('models', (job.models ?? []).join(', '), () => (job.models ?? []).join(', '));
    put('pictures', `${done} ${run}`, () => (run ? h('a', { href: address(`run/${encodeURIComponent(run)}`).href, data: { go: '' } }, done) : done));
    put('time', left || took, () => left || took);
    put('actions', lab.isOpen(job) ? 'open' : job.state, () => actions(job, told));
  };
  return { element, show };
}

export function show(view) {
  const told = h('p', { className: 'told' });
  const body = h('tbody');
  const count = h('p', { className: 'soft' });
  const pause = button('', () => quietly(() => lab.pause(!lab.queue.paused)));
  const table = h('table', {}, h('caption', { className: 'unseen' }, 'Jobs'), h('thead', {}, h('tr', {},
    ['State', 'Prompt', 'Model', 'Pictures', 'Time', ''].map((text) => h('th', { attrs: { scope: 'col' } }, text)))), body);
  const rows = new Map(); // by id of the job
  let before = [];

  /** Cancelled jobs can be queued again for ten seconds by one click; afterwards one by one. */
  const cancelAll = async () => {
    before = lab.queue.order.slice();
    await quietly(lab.cancelAll);
    const undo = button('Undo', async () => {
      fill(told);
      for (const id of before) await quietly(() => lab.restore(id));
    });
    fill(told, `${plural(before.length, 'job')} cancelled. `, undo);
    setTimeout(() => undo.isConnected && fill(told), 10000);
  };
  const stop = button('Cancel all', cancelAll);

  const render = () => {
    const open = lab.queue.order.map((id) => lab.jobs.get(id)).filter((job) => job && lab.isOpen(job));
    const ended = [...lab.jobs.values()].filter((job) => !lab.isOpen(job)).sort((a, b) => b.ended - a.ended);
    pause.textContent = lab.queue.paused ? 'Go on' : 'Pause';
    stop.disabled = open.length === 0;
    fill(count, `${plural(open.length, 'job')} to draw`, lab.queue.held && h('span', { className: 'bad' }, ` – ${lab.queue.held}`));
    const order = [...open, ...ended].slice(0, SHOWN).map((job) => {
      if (!rows.has(job.id)) rows.set(job.id, makeRow(job.id, told));
      rows.get(job.id).show(job);
      return rows.get(job.id).element;
    });
    if (order.length === body.children.length && order.every((element, i) => body.children[i] === element)) return;
    const atHand = document.activeElement;
    fill(body, order);
    if (body.contains(atHand)) atHand.focus(); // one that is put elsewhere lets go of it
  };
  let isDue = false;
  const later = () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      render();
    }, 250);
  };
  const ends = [lab.on('jobs', later), lab.on('progress', later)];
  style('queue');
  fill(view, h('h1', {}, 'Queue'), h('div', { className: 'row' }, pause, stop, count), told, h('div', { className: 'scroll stack' }, table));
  render();
  return () => ends.forEach((end) => end());
}
