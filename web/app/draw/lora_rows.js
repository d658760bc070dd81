// lora_rows.js - LoRAs as rows of name, weight and a way out. What is written is a line each, "glass:0.8".
import { button, h } from '../../lib/dom.js';
import { framed } from './fields.js';

const LEAST = -1;
const MOST = 2;

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
    const slider = h('input', { type: 'range', min: LEAST, max: MOST, step: 0.05, value: weight ?? 1, aria: { label: `Weight of ${name}` } });
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
