// draw.js - the first view: settings on the left, the picture beside them, results below. Drawing goes on whatever the
// browser does; coming back finds it.
import { ApiError, get, post } from '../../lib/api.js';
import { button, duration, fill, h, plural, say, style } from '../../lib/dom.js';
import * as lab from '../../lib/jobs.js';
import { makeForm } from './form.js';
import { makeLive, wantPreviews } from './live.js';

/** What the settings would come to, told below the button; late answers are dropped. */
function planner(form, element) {
  let asked = 0;
  return async () => {
    const mine = ++asked;
    const settings = form.settings();
    if (!settings.prompt && !settings.prompt_generator) return fill(element);
    try {
      const plan = await post('jobs/check', { settings });
      if (mine !== asked) return;
      form.fail(null, null);
      const words = [plural(plan.n_cells, 'picture')];
      if (plan.estimate_s) words.push(`about ${duration(plan.estimate_s)}`);
      fill(element, words.join(', '), plan.notices.map((notice) => h('div', {}, notice)));
    } catch (error) {
      if (mine !== asked) return;
      fill(element, h('span', { className: 'bad' }, error.message));
    }
  };
}

/** What waits and is drawn, with a way to stop it. */
function makeOpenJobs() {
  const list = h('ul', { className: 'open-jobs', aria: { label: 'Jobs that wait or are drawn' } });
  const render = () => {
    const open = lab.queue.order.map((id) => lab.jobs.get(id)).filter((job) => job && lab.isOpen(job));
    fill(list, open.slice(0, 6).map((job) => h('li', {},
      h('span', { className: 'what' }, job.settings.prompt ?? job.id),
      h('span', { className: 'soft small' }, job.state === 'running' ? `${job.n_done} of ${job.n_cells}` : plural(job.n_cells, 'picture')),
      button('Cancel', () => fetchQuietly(() => lab.cancel(job.id)), { className: 'small' }))),
    open.length > 6 && h('li', { className: 'soft' }, `and ${open.length - 6} more`));
  };
  const end = lab.on('jobs', render);
  render();
  return { element: list, end };
}

const fetchQuietly = (fn) => fn().catch((error) => say(error.message, true));

/** Pictures of jobs, loaded when there is one. {element, end()} */
function resultsLater(onchoose) {
  const element = h('div', {});
  let results = null;
  let isOver = false;
  const look = async () => {
    if (results || ![...lab.jobs.values()].some((job) => job.n_done > 0)) return;
    const { makeResults } = await import('./results.js');
    if (results || isOver) return;
    results = makeResults(onchoose);
    element.replaceWith(results.element);
  };
  const stop = lab.on('jobs', look);
  look();
  return {
    element,
    end: () => {
      isOver = true;
      stop();
      results?.end();
    },
  };
}

/** The settings of a picture that the address asks for; null: it asks for none. */
async function settingsOf(query) {
  if (!query.has('from') && !query.has('init')) return null;
  return (await import('./reuse.js')).settingsOf(query);
}

async function build(view, place, isHere) {
  const [form] = await Promise.all([makeForm(), style('draw')]);
  if (!isHere()) return () => {};
  const live = makeLive();
  const results = resultsLater(live.showPicture);
  const open = makeOpenJobs();
  const told = h('p', { className: 'plan soft small', role: 'status' });
  const draw = h('button', { type: 'submit', className: 'main' }, 'Draw');
  const next = button('Draw next', () => submit(true), { title: 'before everything that waits (Ctrl+Shift+Enter)' });
  form.element.append(h('div', { className: 'go' }, draw, next, told));
  form.onchange = planner(form, told);

  const submit = async (isNext) => {
    draw.disabled = true;
    try {
      await wantPreviews();
      const job = await post('jobs', { settings: form.settings(), next: isNext });
      form.fail(null, null);
      say(`queued: ${plural(job.n_cells, 'picture')}`);
    } catch (error) {
      const isTold = error instanceof ApiError && form.fail(error.field, error.message);
      fill(told, h('span', { className: 'bad', role: 'alert' }, isTold ? '' : error.message));
    }
    draw.disabled = false;
  };
  form.element.addEventListener('submit', (event) => {
    event.preventDefault();
    submit(false);
  });
  form.element.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    submit(event.shiftKey);
  });
  fill(view, h('h1', { className: 'unseen' }, 'Draw'), h('div', { className: 'draw' }, form.element,
    h('div', { className: 'beside' }, live.element, open.element, results.element)));
  const from = await settingsOf(place.query).catch((error) => say(error.message, true));
  if (from) {
    form.write(from);
    form.changed();
  }
  form.onchange();
  return () => {
    form.end();
    live.end();
    results.end();
    open.end();
  };
}

export function show(view, place) {
  let isOver = false;
  let end = null;
  fill(view, h('p', { className: 'soft' }, 'Reading what may be set …'));
  build(view, place, () => !isOver).then((done) => {
    end = done;
    if (isOver) end();
  }, (error) => fill(view, h('p', { className: 'bad', role: 'alert' }, error.message),
    button('Try again', () => location.reload())));
  return () => {
    isOver = true;
    end?.();
  };
}
