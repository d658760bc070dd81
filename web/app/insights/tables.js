// tables.js - tables of how much of what is loved, each row with its interval drawn.
import { button, fill, h, plural } from '../../lib/dom.js';
import { plot, reach } from './plot.js';
import { VERDICTS, between, count, percent, times } from './words.js';

const SHOWN = 8;

function verdictOf(row) {
  const words = [VERDICTS[row.verdict] ?? ''];
  if (row.explained && row.comes_with) words.push(`mostly comes with ${row.comes_with.value}`);
  return words.join('; ');
}

function rowOf(row, name, edge, average) {
  const said = `${percent(row.rate)}, ${between(row.interval)}; on average ${percent(average)}`;
  return h('tr', { className: row.verdict ?? '' },
    h('th', { attrs: { scope: 'row' } }, name),
    h('td', { className: 'number' }, count(row.made)), h('td', { className: 'number' }, count(row.loved)),
    h('td', { className: 'number' }, percent(row.rate)), h('td', {}, plot(row, edge, average, said)),
    h('td', { className: 'number wide' }, times(row.lift)), h('td', { className: 'verdict' }, verdictOf(row)));
}

/** first: what the first column is of; nameOf(row): its text; average: the rate of all. */
export function table(first, rows, average, nameOf = (row) => row.value) {
  const edge = reach(rows, average);
  const body = h('tbody', {});
  const element = h('div', { className: 'scroll' }, h('table', { className: 'rates' }, h('thead', {}, h('tr', {},
    [[first], ['Made', 'number'], ['Loved', 'number'], ['Rate', 'number'], ['Interval'], ['Of average', 'number wide'], ['']].map(([text, className]) =>
      h('th', { className: className ?? '', attrs: { scope: 'col' } }, text)))), body));
  const put = (n) => fill(body, rows.slice(0, n).map((row) => rowOf(row, nameOf(row), edge, average)));
  put(SHOWN);
  if (rows.length > SHOWN) {
    const more = button(`All ${plural(rows.length, 'row')}`, () => {
      put(rows.length);
      more.remove();
    }, { className: 'plain small' });
    element.append(more);
  }
  return element;
}
