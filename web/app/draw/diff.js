// diff.js - which settings differ, from the defaults or from the last picture, each with a way back.
import { button, fill, h, plural } from '../../lib/dom.js';

const SHOWN = 60; // characters of a value

const inWords = (value) => {
  if (value === undefined || value === null || value === '') return 'not set';
  const text = Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
};

const isSame = (one, two) => inWords(one) === inWords(two) || (one !== '' && two !== '' && Number(one) === Number(two));

/** Fill a <details>. form: settings(), reset(key, value), title(key), byDefault(key); last(): settings of the last picture,
 *  or null. Returns what shows it anew. */
export function fillDiff(element, form, last) {
  const from = h('select', { aria: { label: 'Compare with' } }, h('option', { value: 'defaults' }, 'the defaults'),
    h('option', { value: 'last' }, 'the last picture'));
  const summary = h('summary', {});
  const list = h('ul', { className: 'diff-rows' });
  fill(element, summary, from, list);
  const render = () => {
    const now = form.settings();
    const other = from.value === 'last' ? last() : null;
    const isOfLast = Boolean(other);
    const keys = new Set([...Object.keys(now), ...Object.keys(other ?? {})]);
    const base = (key) => (isOfLast ? other[key] ?? form.byDefault(key) : form.byDefault(key));
    const rows = [...keys].filter((key) => form.title(key) && !isSame(now[key] ?? form.byDefault(key), base(key)));
    summary.textContent = rows.length ? `${plural(rows.length, 'setting differs', 'settings differ')} from ${isOfLast ? 'the last picture' : 'the defaults'}`
      : `Settings are those of ${isOfLast ? 'the last picture' : 'the defaults'}`;
    fill(list, rows.map((key) => h('li', { data: { diff: key } }, h('span', { className: 'name' }, form.title(key)),
      h('span', { className: 'change' }, h('del', {}, inWords(base(key))), ' ', h('ins', {}, inWords(now[key] ?? form.byDefault(key)))),
      button('Reset', () => form.reset(key, isOfLast ? other[key] : undefined),
        { className: 'plain small', aria: { label: `Reset ${form.title(key)}` } }))));
    from.options[1].disabled = !last();
  };
  from.onchange = (event) => {
    event.stopPropagation();
    render();
  };
  return render;
}
