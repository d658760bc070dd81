// special.js - controls that are not what their option's type says: the size, by name or by two sliders; the seed, with
// dice; LoRAs, as rows of name, weight and a way out.
import { button, h } from '../../lib/dom.js';
import { framed } from './fields.js';

const OWN = 'own';
const SIDE = { min: 256, max: 2048, step: 64 };
const WEIGHT = { min: -1, max: 2, step: 0.05 };

/** A field of "square" or "1024x768". presets: [{value, text, width, height}] */
export function sizeField(option, presets) {
  const select = h('select', {}, h('option', { value: '' }, 'the model’s own'),
    presets.map((preset) => h('option', { value: preset.value }, preset.text)), h('option', { value: OWN }, 'Another size …'));
  const side = (label) => {
    const number = h('input', { type: 'number', min: 64, max: 16384, step: 8, value: 1024, aria: { label } });
    const slider = h('input', { type: 'range', ...SIDE, value: 1024, aria: { label: `${label}, slider` } });
    slider.oninput = () => (number.value = slider.value);
    number.oninput = () => (slider.value = number.value);
    return { element: h('div', { className: 'side' }, h('span', { className: 'soft small', aria: { hidden: 'true' } }, label),
      h('div', { className: 'slider' }, number, slider)),
    get: () => number.value, set: (value) => (number.value = slider.value = value) };
  };
  const width = side('Width');
  const height = side('Height');
  const sides = h('div', { className: 'sides', hidden: true }, width.element, height.element);
  select.addEventListener('change', () => {
    const preset = presets.find((one) => one.value === select.value);
    if (preset) {
      width.set(preset.width);
      height.set(preset.height);
    }
    sides.hidden = select.value !== OWN;
  });
  return framed(option, h('div', {}, select, sides),
    () => (select.value === OWN ? `${width.get()}x${height.get()}` : select.value || undefined), (value) => {
      const said = /^(\d+)\s*[x×*]\s*(\d+)$/.exec(value ?? '');
      const named = presets.find((one) => one.value === value)
        ?? (said && presets.find((one) => one.width === Number(said[1]) && one.height === Number(said[2])));
      select.value = named ? named.value : said ? OWN : '';
      if (said || named) {
        width.set(named?.width ?? said[1]);
        height.set(named?.height ?? said[2]);
      }
      sides.hidden = select.value !== OWN;
    });
}

/** With the dice each picture has a new one (the server throws it); the pin keeps that of the last picture. */
export function seedField(option, lastSeed) {
  const input = h('input', { type: 'text', inputMode: 'numeric', placeholder: 'a new one each time', pattern: '-?[0-9]*' });
  const set = (value) => {
    input.value = value ?? '';
    input.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const dice = button('⚄', () => set(''), { title: 'A new seed each time', aria: { label: 'A new seed each time' } });
  const pin = button('↺', () => set(lastSeed() ?? ''), { title: 'The seed of the last picture', aria: { label: 'The seed of the last picture' } });
  return framed(option, h('div', { className: 'row tight' }, input, dice, pin), () => input.value.trim() || undefined,
    (value) => (input.value = value ?? ''));
}

/** "glass:0.8" as name and weight; what has two weights, or none that reads, stays as it is written. */
function read(line) {
  const found = /^([^:]+)(?::(-?\d*\.?\d+))?$/.exec(line.trim());
  return found ? { name: found[1], weight: Number(found[2] ?? 1) } : { name: line.trim(), weight: null };
}

/** A field of texts; names: of the LoRAs that are there. */
export function loraField(option, names) {
  const list = h('ul', { className: 'lora-rows' });
  const add = h('select', {}, h('option', { value: '' }, names.length ? 'Add a LoRA …' : 'no LoRA is here'),
    names.map((name) => h('option', { value: name }, name)));
  add.disabled = !names.length;
  const tell = () => list.dispatchEvent(new Event('change', { bubbles: true }));

  const row = ({ name, weight }) => {
    const isHere = names.includes(name);
    const number = h('input', { type: 'number', step: 0.05, value: weight ?? 1, aria: { label: `Weight of ${name}` } });
    const slider = h('input', { type: 'range', ...WEIGHT, value: weight ?? 1, aria: { label: `Weight of ${name}` } });
    slider.oninput = () => (number.value = slider.value);
    number.oninput = () => (slider.value = number.value);
    const item = h('li', {}, h('span', { className: isHere ? 'name' : 'name bad' }, isHere || weight === null ? name : `${name} (not here)`),
      button('×', () => {
        item.remove();
        add.focus();
        tell();
      }, { className: 'plain', aria: { label: `Remove ${name}` } }),
      weight !== null && h('div', { className: 'slider' }, number, slider));
    item.line = () => (weight === null ? name : `${name}:${number.value === '' ? 1 : Number(number.value)}`);
    return item;
  };
  const put = button('Add', () => {
    const there = [...list.children].find((item) => item.line().split(':')[0] === add.value);
    if (there) there.querySelector('input')?.focus();
    else if (add.value) {
      list.append(row({ name: add.value, weight: 1 }));
      add.value = '';
      tell();
    }
  });
  add.onchange = (event) => event.stopPropagation(); // nothing is set yet
  return framed(option, h('div', {}, h('div', { className: 'row tight' }, add, put), list), () => {
    const lines = [...list.children].map((item) => item.line());
    return lines.length ? lines : undefined;
  }, (value) => {
    const lines = Array.isArray(value) ? value : value ? String(value).split(/\n| \+ /) : [];
    list.replaceChildren(...lines.filter((line) => line.trim()).map((line) => row(read(line))));
  }, 'LoRAs');
}
