// results.js - pictures as they come, the newest first: of the jobs that the queue still knows.
import { pictureFile, thumbnail } from '../../lib/api.js';
import { button, h } from '../../lib/dom.js';
import * as lab from '../../lib/jobs.js';

const MOST = 60;
const IN_FLIGHT = 4;

/** Thumbnails are asked for a few at a time and shown once they are decoded. */
function loader() {
  const waiting = [];
  let n = 0;
  const next = () => {
    while (n < IN_FLIGHT && waiting.length) {
      const { image, src, tries } = waiting.shift();
      n++;
      image.src = src;
      image.decode().catch(() => {
        if (tries < 6) setTimeout(() => {
          waiting.push({ image, src: `${src.split('&try')[0]}&try=${tries}`, tries: tries + 1 });
          next();
        }, 500);
      }).finally(() => {
        n--;
        next();
      });
    }
  };
  return (image, src) => {
    waiting.push({ image, src, tries: 0 });
    next();
  };
}

/** onchoose(cell, job): a picture was clicked. {element, end()} */
export function makeResults(onchoose) {
  const list = h('ul', { className: 'results', aria: { label: 'Pictures of this session' } });
  const load = loader();
  const there = new Set();

  const add = (cell, job) => {
    if (there.has(cell)) return;
    there.add(cell);
    const settings = job.settings ?? {};
    const image = h('img', { alt: `${settings.prompt ?? ''}`.slice(0, 120), width: 128, height: 128, loading: 'lazy' });
    const open = button('', () => onchoose(cell, job), { className: 'tile', aria: { label: `Show: ${image.alt}` } });
    open.append(image);
    const link = h('a', { href: pictureFile(cell).replace('/api/v1/pictures/', '/picture/').replace(/\/file$/, ''), data: { go: '' },
      className: 'small soft' }, 'details');
    list.prepend(h('li', {}, open, link));
    while (list.children.length > MOST) list.lastElementChild.remove();
    load(image, thumbnail(cell, 320));
  };
  const known = async () => {
    const recent = [...lab.jobs.values()].filter((job) => job.n_done > 0).sort((a, b) => a.created - b.created).slice(-12);
    for (const job of recent) {
      const full = job.pictures?.length ? job : await lab.whole(job.id).catch(() => job);
      for (const [cell] of full.pictures ?? []) add(cell, full);
      const newest = full.pictures?.at(-1)?.[0];
      if (newest && job === recent.at(-1) && !lab.progress.size) onchoose(newest, full);
    }
  };
  let hasAsked = false;
  const ends = [
    lab.on('cell', (data) => data.path && add(data.cell, lab.jobs.get(data.job) ?? {})),
    lab.on('jobs', () => {
      if (hasAsked) return;
      hasAsked = true;
      known();
    }),
  ];
  if (lab.jobs.size) {
    hasAsked = true;
    known();
  }
  return { element: list, end: () => ends.forEach((end) => end()) };
}
