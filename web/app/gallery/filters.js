// filters.js - the column of filters: what there is, and how many pictures have it.
import { button, fill, h } from '../../lib/dom.js';
import { FIELDS, shortValue } from './query.js';

const SHOWN = 8;
const STATES = [
  ['loved', 'Favourites', [['', 'all'], ['true', 'only favourites']]],
  ['min_rating', 'Rating', [['', 'any'], ...[1, 2, 3, 4, 5].map((n) => [String(n), '★'.repeat(n) + (n < 5 ? ' or more' : '')])]],
  ['rejected', 'Rejected', [['', 'with'], ['without', 'without'], ['only', 'only']]],
  ['judged', 'Judged', [['', 'all'], ['without', 'not yet'], ['only', 'judged']]],
  ['trash', 'Trash', [['', 'not shown'], ['only', 'only the trash']]],
];

/** Fill an element; onChange(filter) with another filter. {set(filter, facets)} */
export function makeFilters(element, filter, onChange) {
  let now = new Map(filter);
  let facets = {};
  const open = new Set();
  const states = h('div', { className: 'states' });
  const groups = h('div', {});
  fill(element, states, groups);

  function change(param, value) {
    const next = new Map(now);
    if (value) next.set(param, value);
    else next.delete(param);
    onChange(next);
  }

  for (const [param, label, values] of STATES) {
    const select = h('select', { id: `by-${param}`, onchange: () => change(param, select.value) },
      values.map(([value, text]) => h('option', { value }, text)));
    states.append(h('label', { htmlFor: select.id }, label), select);
  }
  for (const param of ['since', 'until']) {
    const day = h('input', { type: 'date', id: `by-${param}`, onchange: () => change(param, day.value) });
    states.append(h('label', { htmlFor: day.id }, param === 'since' ? 'From' : 'To'), day);
  }

  function showStates() {
    for (const input of states.querySelectorAll('select, input')) {
      const value = now.get(input.id.slice(3)) ?? '';
      if (input !== document.activeElement || input.type !== 'date') input.value = value;
    }
  }

  function group(field) {
    const values = facets[field.facet] ?? [];
    const chosen = now.get(field.param);
    if (values.length < 2 && chosen === undefined) return null;
    const isAll = open.has(field.param);
    const shown = isAll ? values : values.slice(0, SHOWN);
    const choices = shown.map(({ value, loved }) => {
      const isChosen = chosen === value;
      return h('li', {}, button('', () => change(field.param, isChosen ? '' : value), {
        className: 'plain choice', title: loved ? `${value}: ${loved} favourites` : value, aria: { pressed: String(isChosen) },
        data: { param: field.param, value },
      }));
    });
    choices.forEach((item, i) => item.firstChild.append(
      h('span', {}, shortValue(field.param, shown[i].value)), h('span', { className: 'count' }, shown[i].pictures.toLocaleString('en'))));
    const more = values.length > SHOWN && button(isAll ? 'Fewer' : `All ${values.length}`, () => {
      if (isAll) open.delete(field.param);
      else open.add(field.param);
      showGroups();
    }, { className: 'plain small' });
    return h('section', {}, h('h2', {}, field.label), h('ul', {}, choices), more);
  }

  function showGroups() {
    const focused = document.activeElement?.dataset ?? {};
    const at = element.contains(document.activeElement) && focused.param ? [focused.param, focused.value] : null;
    fill(groups, FIELDS.filter((field) => field.facet).map(group));
    if (at) [...groups.querySelectorAll('.choice')].find((one) => one.dataset.param === at[0] && one.dataset.value === at[1])?.focus();
  }

  return {
    set(next, found) {
      now = new Map(next);
      facets = found;
      showStates();
      showGroups();
    },
  };
}
