// night.js - nights: a new one, those there are, and one of them as it is drawn or as it was.
import { address, get } from '../../lib/api.js';
import { duration, fill, h, style } from '../../lib/dom.js';
import { form } from './form.js';
import { watch } from './watch.js';

const LOOK_MS = 3000;

/** "30 Nov, 22:14" of an ISO time. */
export const moment = (text) => new Date(text).toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** A state in a word, with a colour only where something went wrong. */
export const pill = (night) => h('span', { className: `pill ${night.state.replace(' ', '-')}` }, night.state);

const head = (texts) => h('thead', {}, h('tr', {}, texts.map((text) => h('th', { attrs: { scope: 'col' } }, text))));

function row(night) {
  return h('tr', { data: { id: night.id } },
    h('td', {}, h('a', { href: address(`night/${night.id}`).href, data: { go: '' } }, moment(night.begun))),
    h('td', {}, pill(night), night.why && h('div', { className: 'soft small' }, night.why)),
    h('td', {}, night.n_done.toLocaleString('en')), h('td', { className: night.n_failed ? 'bad' : '' }, night.n_failed.toLocaleString('en')),
    h('td', {}, duration(night.elapsed_s)));
}

function overview(view) {
  const list = h('div');
  const ends = [];
  const beginning = h('section', { className: 'panel', aria: { label: 'A new night' } });
  fill(view, h('h1', {}, 'Night'),
    h('p', { className: 'soft' }, 'Prompts that write themselves, drawn on everything that is idle, until the morning. ' +
      'A night is a process of its own: it goes on when this page, or the server, is closed.'),
    h('div', { className: 'night' }, beginning, h('section', { aria: { label: 'Nights' } }, h('h2', {}, 'Nights'), list)));
  ends.push(form(beginning));
  const look = async () => {
    try {
      const { nights } = await get('nights');
      fill(list, nights.length === 0 ? h('p', { className: 'soft' }, 'None yet. What was drawn in one will be listed here, with its report.')
        : h('div', { className: 'scroll' }, h('table', {}, h('caption', { className: 'unseen' }, 'Nights'),
          head(['Begun', 'State', 'Drawn', 'Failed', 'It ran']), h('tbody', {}, nights.map(row)))));
    } catch (error) {
      fill(list, h('p', { className: 'bad' }, error.message));
    }
  };
  look();
  const timer = setInterval(() => document.hidden || list.contains(document.activeElement) || look(), LOOK_MS);
  ends.push(() => clearInterval(timer));
  return () => ends.forEach((end) => end());
}

export function show(view, place) {
  style('night');
  return place.path[1] ? watch(view, place.path[1]) : overview(view);
}
