// fields.js - a control for a row of the option table, as its type says. A field: {element, read(), write(value), fail(text)}; read gives
// undefined where nothing is said, so that the server's default counts.
import { button, h } from '../../lib/dom.js';

let number = 0;

/** The frame of all fields: label, control, help as a tooltip, a line for what is wrong. */
export function framed(option, control, read, write, label = titleOf(option)) {
  const id = `field-${number++}`;
  const error = h('p', { className: 'field-error', id: `${id}-error`, hidden: true });
  const target = control.matches('input, select, textarea') ? control : control.querySelector('input, select, textarea');
  target.id = id;
  target.title = option.help;
  const isSwitch = target.type === 'checkbox';
  const name = h('label', { htmlFor: id, title: option.help }, label);
  const element = h('div', { className: isSwitch ? 'field switch' : 'field', data: { key: option.key } },
    isSwitch ? [control, name] : [name, control], error);
  const fail = (text) => {
    error.hidden = !text;
    error.textContent = text ?? '';
    target.setAttribute('aria-invalid', text ? 'true' : 'false');
    if (text) target.setAttribute('aria-describedby', error.id);
    if (text) target.focus();
  };
  return { key: option.key, element, target, read, write, fail };
}

export const titleOf = (option) => option.name.replaceAll('-', ' ').replace(/^./, (first) => first.toUpperCase());

function textField(option) {
  const input = h('input', { type: 'text', placeholder: option.default ?? '' });
  return framed(option, input, () => input.value.trim() || undefined, (value) => (input.value = value ?? ''));
}

/** A slider over what people choose, and a number that may be anything allowed. */
function numberField(option, range) {
  const step = range?.step ?? (option.type === 'integer' ? 1 : 0.05);
  const input = h('input', { type: 'number', min: option.min, max: option.max, step: option.type === 'integer' ? 1 : 'any',
    placeholder: option.default ?? '', className: 'number' });
  const read = () => (input.value === '' ? undefined : Number(input.value));
  if (!range) return framed(option, input, read, (value) => (input.value = value ?? ''));
  const slider = h('input', { type: 'range', min: range.min, max: range.max, step, aria: { label: titleOf(option) } });
  slider.value = option.default ?? range.min;
  slider.oninput = () => (input.value = slider.value);
  input.oninput = () => (slider.value = input.value === '' ? option.default : input.value);
  const write = (value) => {
    input.value = value ?? '';
    slider.value = value ?? option.default ?? range.min;
  };
  return framed(option, h('div', { className: 'slider' }, input, slider), read, write);
}

function choiceField(option, choices) {
  const otherwise = option.default === 'default' ? 'the model’s own' : option.default ?? '–';
  const select = h('select', {}, h('option', { value: '' }, otherwise),
    choices.map((choice) => h('option', { value: choice.value ?? choice, disabled: Boolean(choice.isDisabled) }, choice.text ?? choice)));
  const write = (value) => {
    select.value = value ?? '';
    if (select.value === '' && value) { // one that is not in the list is named, not dropped
      select.append(h('option', { value }, `${value} (not here)`));
      select.value = value;
    }
  };
  return framed(option, select, () => select.value || undefined, write);
}

function switchField(option) {
  const input = h('input', { type: 'checkbox' });
  return framed(option, input, () => (input.checked ? true : undefined), (value) => (input.checked = Boolean(value)));
}

/** Texts, one a line. */
function listField(option, names) {
  const list = h('datalist', { id: `list-${option.key}` }, names.map((name) => h('option', { value: name })));
  const input = h('textarea', { rows: 2, spellcheck: false, placeholder: names.length ? `${names[0]}:0.8` : 'one a line' });
  const read = () => {
    const lines = input.value.split('\n').map((line) => line.trim()).filter(Boolean);
    return lines.length ? lines : undefined;
  };
  const field = framed(option, h('div', {}, input, list), read,
    (value) => (input.value = Array.isArray(value) ? value.join('\n') : value ?? ''));
  const help = h('p', { className: 'soft small chips' }, names.slice(0, 12).map((name) =>
    button(name, () => {
      input.value += `${input.value && !input.value.endsWith('\n') ? '\n' : ''}${name}`;
      input.dispatchEvent(new Event('input', { bubbles: true }));
    }, { className: 'plain small' })));
  if (names.length) field.element.append(help);
  return field;
}

/** The field of an option. lists: names by the list that the option points to; ranges: of sliders, by key. */
export function fieldOf(option, lists, ranges) {
  if (option.type === 'switch') return switchField(option);
  if (option.type === 'list') return listField(option, (lists[option.list] ?? []).map((one) => one.value ?? one));
  if (option.type === 'choice') return choiceField(option, option.choices);
  if (option.list && lists[option.list]) return choiceField(option, lists[option.list]);
  if (option.type === 'integer' || option.type === 'number') return numberField(option, ranges[option.key]);
  return textField(option);
}
