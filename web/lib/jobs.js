// jobs.js - what the page knows of the queue, kept up by events. Views read `jobs`, `order`, `progress` and listen for
// "jobs" (something about them changed) and "progress" (of one that is being drawn).
import * as events from './events.js';
import { get, post, remove } from './api.js';

/** By id; pictures of a job: [cell, path, seconds]. */
export const jobs = new Map();
/** By id of a job: what the place draws now. */
export const progress = new Map();
export const queue = { revision: 0, paused: false, held: null, order: [] };

const target = new EventTarget();
export function on(type, fn) {
  const listener = (event) => fn(event.detail);
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
}
const tell = (type, detail) => target.dispatchEvent(new CustomEvent(type, { detail }));

export const isOpen = (job) => job.state === 'queued' || job.state === 'running';

/** Two events about one job may come in the wrong order. */
function take(job) {
  const known = jobs.get(job.id);
  if (known && known.revision > job.revision) return;
  jobs.set(job.id, { ...known, ...job, pictures: job.pictures ?? known?.pictures ?? [] });
  if (!isOpen(job)) progress.delete(job.id);
}

function takeState(state) {
  jobs.clear();
  for (const job of state.jobs) take(job);
  Object.assign(queue, { revision: state.revision, paused: state.paused, held: state.held });
  queue.order = state.jobs.filter(isOpen).map((job) => job.id);
  tell('jobs');
}

events.on('state', takeState);
events.on('reset', async () => takeState(await get('jobs')));
events.on('queue', (data) => {
  Object.assign(queue, data);
  tell('jobs');
});
events.on('job', (job) => {
  take(job);
  tell('jobs');
});
events.on('progress', (data) => {
  progress.set(data.job, data);
  tell('progress', data);
});
events.on('cell', (data) => {
  const job = jobs.get(data.job);
  if (job && data.path) job.pictures = [...job.pictures, [data.cell, data.path, data.seconds]];
  tell('cell', data);
});
events.on('preview', (data) => tell('preview', data));

/** All of a job, its pictures among it. */
export async function whole(id) {
  const job = await get(`jobs/${id}`);
  take(job);
  return jobs.get(id) ?? job;
}

export const cancel = (id) => remove(`jobs/${id}`);
export const restore = (id) => post(`jobs/${id}/restore`);
/** to: {to: "top"}, {to: "bottom"} or {before: id}. The order that is shown goes with it. */
export const move = (id, to) => post(`jobs/${id}/move`, { ...to, revision: queue.revision });
export const pause = (paused) => post('queue', { paused });
export const cancelAll = () => post('queue/cancel-all');
