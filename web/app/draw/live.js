// live.js - the picture that is being drawn: what it looks like so far, how far it is, how long it will take. The last
// finished picture stays until the first preview of the next one is decoded.
import { address, pictureFile } from '../../lib/api.js';
import { silence } from '../../lib/events.js';
import { duration, entitle, fill, h, plural, say } from '../../lib/dom.js';
import * as lab from '../../lib/jobs.js';

const PHASES = { load: 'reading the model', encode: 'reading the prompt', sample: 'drawing', decode: 'decoding' };

/** One request for a preview at a time; the newest wins. */
function previewer(image) {
  let isAsking = false;
  let wanted = null;
  let number = 0;
  let url = null;
  const ask = async () => {
    isAsking = true;
    while (wanted) {
      const id = wanted;
      wanted = null;
      try {
        const reply = await fetch(address(`api/v1/jobs/${id}/preview?after=${number}`));
        if (reply.status !== 200) continue;
        number = Number(reply.headers.get('X-Preview') ?? 0);
        const next = URL.createObjectURL(await reply.blob());
        const probe = new Image();
        probe.src = next;
        await probe.decode();
        image.src = next;
        image.classList.add('preview');
        if (url) URL.revokeObjectURL(url);
        url = next;
      } catch {
        // the next one may come
      }
    }
    isAsking = false;
  };
  return (id) => {
    wanted = id;
    if (!isAsking) ask();
  };
}

/** Previews are made from the next picture on, for a minute after somebody asked; any id will do. */
export const wantPreviews = () => fetch(address('api/v1/jobs/any/preview')).catch(() => {});

/** {element, showPicture(cell, job), end()} */
export function makeLive() {
  const image = h('img', { alt: '', className: 'picture' });
  const empty = h('p', { className: 'stage-empty' }, 'What you draw appears here.');
  const stage = h('div', { className: 'stage' }, image, empty);
  const bar = h('progress', { max: 1, value: 0, aria: { label: 'This picture' } });
  const runBar = h('progress', { max: 1, value: 0, aria: { label: 'All pictures of the job' } });
  const text = h('span', { className: 'soft' });
  const meters = h('div', { className: 'meters', hidden: true }, bar, runBar, text);
  const element = h('section', { className: 'live', aria: { label: 'The picture' } }, stage, meters);
  const askPreview = previewer(image);
  let shownJob = null;
  let asked = 0;
  image.hidden = true;

  const showPicture = (cell, job) => {
    const next = new Image();
    next.src = pictureFile(cell);
    const settings = job?.settings ?? {};
    const tries = { left: 8 };
    const put = () => next.decode().then(() => {
      image.src = next.src;
      image.hidden = false;
      empty.hidden = true;
      image.classList.remove('preview');
      image.alt = `${settings.profile ?? 'no profile'}, ${settings.model ?? ''}: ${(settings.prompt ?? '').slice(0, 120)}`;
    }).catch(() => {
      if (tries.left-- > 0) setTimeout(() => { // the index hears of it a moment later
        next.src = `${pictureFile(cell)}?try=${tries.left}`;
        put();
      }, 400);
    });
    put();
  };

  const tell = (data) => {
    const job = lab.jobs.get(data.job);
    if (!job) return;
    shownJob = data.job;
    meters.hidden = false;
    const part = data.steps ? data.step / data.steps : 0;
    bar.value = data.phase === 'sample' ? part : data.phase === 'decode' ? 1 : 0;
    runBar.hidden = job.n_cells < 2;
    runBar.value = (job.n_done + (data.phase === 'sample' ? part : 0)) / Math.max(1, job.n_cells);
    const words = [PHASES[data.phase] ?? data.phase];
    if (data.phase === 'sample' && data.step) words.push(`step ${data.step} of ${data.steps}`);
    if (data.phase === 'sample' && data.step > 2 && data.rate) words.push(`${data.rate.toFixed(1)} steps/s`);
    if (data.left_s) words.push(`${duration(data.left_s)} left`);
    if (job.n_cells > 1) words.push(`picture ${Math.min(job.n_done + 1, job.n_cells)} of ${job.n_cells}`);
    text.textContent = words.join(', ');
    bar.setAttribute('aria-valuetext', text.textContent);
    entitle(`${Math.round(100 * (job.n_cells > 1 ? runBar.value : bar.value))} %`);
    say(text.textContent);
    if (performance.now() - asked > 500) {
      asked = performance.now();
      askPreview(data.job);
    }
  };

  const rest = () => {
    if (shownJob && lab.progress.has(shownJob)) return;
    meters.hidden = lab.progress.size === 0;
    if (!lab.progress.size) entitle('Draw');
  };

  const ends = [
    lab.on('progress', tell),
    lab.on('preview', (data) => {
      image.hidden = false;
      empty.hidden = true;
      askPreview(data.job);
    }),
    lab.on('cell', (data) => {
      const job = lab.jobs.get(data.job);
      if (data.path) showPicture(data.cell, job);
      if (data.error) say(data.error, true);
    }),
    lab.on('jobs', rest),
  ];
  const watch = setInterval(() => {
    const isSilent = lab.progress.size > 0 && silence() > 10;
    meters.classList.toggle('stale', isSilent);
    if (isSilent) fill(text, `no news for ${plural(Math.round(silence()), 'second')}, reconnecting`);
  }, 1000);
  wantPreviews();
  const want = setInterval(() => document.visibilityState === 'visible' && wantPreviews(), 40000);
  for (const data of lab.progress.values()) tell(data);
  return {
    element,
    showPicture,
    end: () => {
      ends.forEach((end) => end());
      clearInterval(watch);
      clearInterval(want);
    },
  };
}
