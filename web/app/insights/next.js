// next.js - the suggested next sweep: what is in it and why, what it comes to, and a button that queues it.
import { post } from '../../lib/api.js';
import { button, duration, fill, h, plural, say } from '../../lib/dom.js';
import { load } from '../../lib/store.js';
import { titleOf } from './words.js';

const WAIT_MS = 300;

const valuesOf = (next) => Object.entries(next.axes).map(([column, values]) => [column, values.map((value) => ({ value,
  why: next.reasons.find((reason) => reason.column === column && reason.value === value)?.text ?? '' }))]);

/** The section for a document's "next". */
export function nextSweep(next) {
  if (!next) return h('p', { className: 'soft' }, 'Not enough data: nothing stands out yet that would be worth a sweep.');
  const prompt = h('textarea', { id: 'next-prompt', rows: 2, value: load('draft', {}).prompt ?? '' });
  const told = h('p', { className: 'soft told', attrs: { role: 'status' } }, plural(next.pictures, 'picture'));
  const queue = button('Queue it', () => submit(), { className: 'main', disabled: true });
  const settings = () => ({ ...next.job, prompt: prompt.value.trim() });
  let timer = 0;
  let asked = 0;
  const check = async () => {
    const mine = ++asked;
    queue.disabled = true;
    if (!prompt.value.trim()) return fill(told, `${plural(next.pictures, 'picture')} of what you write above`);
    try {
      const plan = await post('jobs/check', { settings: settings() });
      if (mine !== asked) return;
      const time = plan.estimate_s === null ? 'nobody knows yet how long that takes' : `about ${duration(plan.estimate_s)}`;
      fill(told, `${plural(plan.n_cells, 'picture')}, ${time}`);
      queue.disabled = false;
    } catch (error) {
      if (mine === asked) fill(told, h('span', { className: 'bad' }, error.message));
    }
  };
  const submit = async () => {
    queue.disabled = true;
    try {
      const job = await post('jobs', { settings: settings() });
      fill(told, `queued: ${plural(job.n_cells, 'picture')}`);
      say(told.textContent, true);
    } catch (error) {
      fill(told, h('span', { className: 'bad', role: 'alert' }, error.message));
      queue.disabled = false;
    }
  };
  prompt.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(check, WAIT_MS);
  });
  check();
  return h('div', { className: 'next panel' },
    h('dl', {}, valuesOf(next).flatMap(([column, values]) => [h('dt', {}, titleOf(column)),
      ...values.map(({ value, why }) => h('dd', {}, value, ' ', h('span', { className: 'soft small' }, why)))])),
    h('div', { className: 'field' }, h('label', { htmlFor: 'next-prompt' }, 'Prompt'), prompt),
    h('div', { className: 'row' }, queue, told),
    h('details', {}, h('summary', {}, 'The same on a command line'), h('code', { className: 'command' }, next.command)));
}
