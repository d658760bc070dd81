// system.js - who draws, and with which models.
import { get } from '../../lib/api.js';
import { fill, h } from '../../lib/dom.js';
import * as events from '../../lib/events.js';

const table = (caption, heads, rows) => h('table', {}, h('caption', { className: 'unseen' }, caption),
  h('thead', {}, h('tr', {}, heads.map((text) => h('th', { attrs: { scope: 'col' } }, text)))), h('tbody', {}, rows));

const placeRows = (places) => places.map((place) => h('tr', {},
  h('td', {}, place.name || place.label || `place ${place.place}`), h('td', {}, place.state), h('td', {}, place.model ?? ''),
  h('td', {}, place.job ?? '')));

export function show(view) {
  const places = h('div');
  const models = h('div');
  const info = h('p', { className: 'soft' });
  const tell = (list) => fill(places, table('Who draws', ['Place', 'State', 'Model at hand', 'Job'], placeRows(list)));
  const fails = (element) => (error) => fill(element, h('p', { className: 'bad' }, error.message));
  fill(view, h('h1', {}, 'System'), info, h('h2', {}, 'Who draws'), places, h('h2', {}, 'Models'), models);
  get('places').then((reply) => tell(reply.places), fails(places));
  get('info').then((reply) => fill(info, `${reply.name} ${reply.version}, instance ${reply.instance ?? ''}`), fails(info));
  get('models').then((reply) => fill(models, table('Models', ['Name', 'State', 'Repository', 'About'], reply.models.map((model) =>
    h('tr', {}, h('td', {}, model.key), h('td', { className: model.state === 'not cached' ? 'soft' : '' }, model.state),
      h('td', { className: 'small' }, model.repository ?? model.dir ?? ''),
      h('td', { className: 'small' }, model.state === 'not cached' ? model.why ?? '' : model.about ?? ''))))), fails(models));
  return events.on('places', (data) => tell(data.places ?? data));
}
