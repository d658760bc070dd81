// log.js - the end of this instance's job log; it goes on while pictures are drawn.
import { get } from '../../lib/api.js';
import { duration, fill, h } from '../../lib/dom.js';
import * as events from '../../lib/events.js';

const LINES = 20;
const PAUSE_MS = 1000;

function row(text) {
  let line;
  try {
    line = JSON.parse(text);
  } catch {
    return h('tr', {}, h('td', { colSpan: 4, className: 'small' }, text));
  }
  return h('tr', {}, h('td', { className: 'small' }, new Date(line.logged_at).toLocaleTimeString('en-GB')), h('td', { className: 'what' }, line.prompt ?? ''),
    h('td', {}, line.model_key ?? line.model_id ?? ''), h('td', {}, line.error ? h('span', { className: 'bad' }, line.error) : duration(line.total_s)));
}

export function log(element) {
  const body = h('tbody');
  const told = h('p', { className: 'soft small' });
  let timer = null;
  const read = async () => {
    timer = null;
    try {
      const reply = await get(`log?lines=${LINES}`);
      fill(told, reply.lines.length ? reply.path : 'nothing was drawn yet');
      fill(body, reply.lines.reverse().map(row));
    } catch (error) {
      fill(told, h('span', { className: 'bad' }, error.message));
    }
  };
  const later = () => (timer ??= setTimeout(read, PAUSE_MS));
  fill(element, told, h('div', { className: 'scroll stack' }, h('table', {}, h('caption', { className: 'unseen' }, 'What was drawn last'), h('thead', {}, h('tr', {},
    ['Time', 'Prompt', 'Model', 'Took'].map((text) => h('th', { attrs: { scope: 'col' } }, text)))), body)));
  read();
  const ends = [events.on('cell', later), events.on('reset', later)];
  return () => {
    clearTimeout(timer);
    ends.forEach((end) => end());
  };
}
