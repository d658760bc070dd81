// watch.js - one night: how far it is, who draws, the newest pictures, what happened; and its report, which is the same
// once it is over.
import { address, get, post, thumbnail } from '../../lib/api.js';
import { button, duration, fill, h, plural, say } from '../../lib/dom.js';
import { bars } from './bars.js';
import { moment, pill } from './night.js';

const LOOK_MS = 2000;
const NEWEST = 24;

const number = (value, digits = 0) => value.toLocaleString('en', { maximumFractionDigits: digits });
const energy = (joules) => (joules >= 3.6e6 ? `${number(joules / 3.6e6, 2)} kWh` : joules >= 3600 ? `${number(joules / 3600, 1)} Wh` : `${number(joules)} J`);
const size = (bytes) => (bytes >= 1e9 ? `${number(bytes / 1e9, 1)} GB` : `${number(bytes / 1e6, 1)} MB`);
const figure = (name, value, className = '') => h('div', { className: `figure ${className}` }, h('strong', {}, value), h('span', { className: 'soft small' }, name));

function figures(night) {
  const { report } = night;
  const until = night.until && night.is_running ? new Date(night.until * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' }) : null;
  return [figure('drawn', number(report.drawn)), figure('failed', number(report.failed), report.failed ? 'bad' : ''),
    figure('pictures an hour', number(report.pictures_an_hour, 1)), figure('it ran', duration(report.ran_s) || '0 s'),
    until && figure('until', until), figure('on the disk', size(report.bytes)), report.energy_j && figure('energy', energy(report.energy_j))];
}

const table = (caption, heads, rows) => h('div', { className: 'scroll' }, h('table', {}, h('caption', { className: 'unseen' }, caption),
  h('thead', {}, h('tr', {}, heads.map((text) => h('th', { attrs: { scope: 'col' } }, text)))), h('tbody', {}, rows)));
const cells = (...texts) => h('tr', {}, texts.map((text) => h('td', {}, text ?? '')));

function workers(night) {
  if (night.is_running && night.at_work?.length)
    return table('Who draws', ['Worker', 'State', 'Pictures', '°C', 'W'], night.at_work.map((one) =>
      cells(one.name || one.worker || 'a worker', one.state, one.pictures, one.temperature > 0 ? one.temperature : '', one.power_w > 0 ? number(one.power_w) : '')));
  return table('Who drew', ['Worker', 'Pictures', 'An hour', 'Energy'], night.report.workers.map((one) =>
    cells(one.name || one.worker, one.pictures, number(one.pictures_an_hour, 1), one.energy_j ? energy(one.energy_j) : '')));
}

function failures(report) {
  const items = [...report.failures.map((one) => h('li', {}, h('span', { className: 'bad' }, one.error), ` – ${plural(one.times, 'picture')}`)),
    ...report.losses.map((one) => h('li', {}, `${one.at}: ${one.how}`, one.name && ` (${one.name})`, `: ${one.error}`,
      `; ${plural(one.then_drawn.length, 'picture')} drawn again`))];
  return items.length ? [h('h2', {}, 'What went wrong'), h('ul', {}, items)] : [];
}

const picture = (one) => h('li', {}, h('a', { href: address(`picture/${one.cell ?? one.id}`).href, data: { go: '' } },
  h('img', { src: thumbnail(one.id, 320), alt: one.prompt ?? '', loading: 'lazy', decoding: 'async' })));

/** What can be done with it now. act: asks the server, and shows the night as it answers. */
function actions(night, act) {
  const stop = (now) => () => act(() => post(`nights/${night.id}/stop`, { now }));
  const report = h('a', { className: 'button', href: address(`api/v1/nights/${night.id}/report`).href, attrs: { download: '' } }, 'Report to keep');
  if (night.is_running)
    return [button('Stop after these pictures', stop(false)), button('Stop now', stop(true)), report];
  return [night.state !== 'done' && button('Go on', () => act(() => post(`nights/${night.id}/resume`)), { className: 'main' }), report];
}

function adding(id, told) {
  const input = h('input', { type: 'text', placeholder: 'a prompt to draw next', aria: { label: 'A prompt to draw next' } });
  const form = h('form', { className: 'row adding' }, input, h('button', { type: 'submit' }, 'Add'));
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (!input.value.trim()) return;
    try {
      await post(`nights/${id}/jobs`, { jobs: [{ prompt: input.value.trim() }] });
      fill(told, 'It is drawn next.');
      input.value = '';
    } catch (error) {
      fill(told, h('span', { className: 'bad' }, error.message));
    }
  };
  return form;
}

export function watch(view, id) {
  const place = Object.fromEntries(['title', 'why', 'does', 'numbers', 'plot', 'who', 'wrong', 'events'].map((name) => [name, h('div', { className: name })]));
  const newest = h('ul', { className: 'newest', aria: { label: 'The newest pictures' } });
  const told = h('p', { className: 'told', role: 'status' });
  const add = adding(id, told);
  const all = h('a', { className: 'button', href: address(`gallery?run=${encodeURIComponent(id)}`).href, data: { go: '' } }, 'All of them in the gallery');
  let shown = '';

  const showPictures = async (n) => {
    if (shown === n) return;
    shown = n;
    const { pictures } = await get(`pictures?run=${encodeURIComponent(id)}&limit=${NEWEST}`);
    fill(newest, pictures.map(picture));
  };
  const render = (night) => {
    const { report } = night;
    fill(place.title, h('h1', {}, `The night of ${moment(night.begun)}`), pill(night));
    fill(place.why, night.why && h('p', { className: 'soft' }, night.why));
    if (!place.does.contains(document.activeElement)) fill(place.does, actions(night, act));
    add.hidden = !night.is_running;
    fill(place.numbers, figures(night));
    fill(place.plot, bars(report.bars));
    fill(place.who, h('h2', {}, night.is_running ? 'Who draws' : 'Who drew'), workers(night));
    fill(place.wrong, failures(report));
    fill(place.events, h('h2', {}, 'What happened'), h('ol', { className: 'small' }, report.events.slice(-20).reverse().map((one) =>
      h('li', {}, h('time', { className: 'soft' }, moment(one.at)), ` ${one.text}`))));
    return showPictures(report.drawn);
  };
  const look = async () => {
    try {
      await render(await get(`nights/${id}`));
    } catch (error) {
      fill(place.title, h('h1', {}, 'Night'), h('p', { className: 'bad' }, error.message));
    }
  };
  const act = async (fn) => {
    try {
      const night = await fn();
      place.does.querySelector(':focus')?.blur();
      if (night.report) await render(night);
    } catch (error) {
      fill(told, h('span', { className: 'bad' }, error.message));
      say(error.message, true);
    }
  };
  fill(view, h('p', { className: 'small' }, h('a', { href: address('night').href, data: { go: '' } }, '← all nights')), place.title, place.why,
    h('div', { className: 'row' }, place.does), add, told, place.numbers, place.plot,
    h('div', { className: 'row' }, h('h2', {}, 'The newest'), all), newest, h('div', { className: 'two' }, place.who, place.events), place.wrong);
  look();
  const timer = setInterval(() => document.hidden || look(), LOOK_MS);
  return () => clearInterval(timer);
}
