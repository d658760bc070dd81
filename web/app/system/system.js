// system.js - the machine: who draws, its GPUs and disk, the models that are there or on their way, what was drawn last.
import { get } from '../../lib/api.js';
import { fill, h, plural, style } from '../../lib/dom.js';
import * as events from '../../lib/events.js';
import { gpus } from './gpus.js';
import { log } from './log.js';
import { bytes, meter } from './meter.js';
import { models } from './models.js';

const placeRows = (places) => places.map((place) => h('tr', {},
  h('td', {}, place.name || place.label || `place ${place.place}`), h('td', {}, place.state), h('td', {}, place.model ?? ''),
  h('td', {}, place.job ?? '')));

const fails = (element) => (error) => fill(element, h('p', { className: 'bad' }, error.message));

function places(element) {
  const tell = (list) => fill(element, h('div', { className: 'scroll stack' }, h('table', {}, h('caption', { className: 'unseen' }, 'Who draws'), h('thead', {}, h('tr', {},
    ['Place', 'State', 'Model at hand', 'Job'].map((text) => h('th', { attrs: { scope: 'col' } }, text)))), h('tbody', {}, placeRows(list)))));
  get('places').then((reply) => tell(reply.places), fails(element));
  return events.on('places', (data) => tell(data.places ?? data));
}

function disk(element) {
  get('disk').then((told) => fill(element,
    meter('Disk', told.total_bytes - told.free_bytes, told.total_bytes, `${bytes(told.free_bytes)} free of ${bytes(told.total_bytes)}`),
    h('p', { className: 'soft small' }, `${told.output_dir}: ${bytes(told.output_bytes)} in ${plural(told.output_files, 'file')}`)), fails(element));
}

export function show(view) {
  style('queue'); // tables
  style('system');
  const info = h('p', { className: 'soft' });
  const parts = [['Who draws', places], ['GPUs', gpus], ['Disk', disk], ['Models', models], ['Drawn last', log]].map(([title, fn]) => {
    const element = h('div');
    return { fn, element, section: h('section', { className: 'part', aria: { label: title } }, h('h2', {}, title), element) };
  });
  fill(view, h('h1', {}, 'System'), info, parts.map((part) => part.section));
  get('info').then((reply) => fill(info, `${reply.name} ${reply.version}, instance ${reply.instance ?? ''}`), fails(info));
  const ends = parts.map((part) => part.fn(part.element));
  return () => ends.forEach((end) => end?.());
}
