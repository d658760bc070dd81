// size.js - the size of a picture: by name, or by two sliders.
import { h } from '../../lib/dom.js';
import { framed } from './fields.js';

const OWN = 'own';
const STEP = 64;
const LEAST = 256;
const MOST = 2048;

/** A field of "square" or "1024x768". presets: [{value, text, width, height}] */
export function sizeField(option, presets) {
  const select = h('select', {}, h('option', { value: '' }, 'the model’s own'),
    presets.map((preset) => h('option', { value: preset.value }, preset.text)), h('option', { value: OWN }, 'Another size …'));
  const side = (label) => {
    const number = h('input', { type: 'number', min: 64, max: 16384, step: 8, value: 1024, aria: { label } });
    const slider = h('input', { type: 'range', min: LEAST, max: MOST, step: STEP, value: 1024, aria: { label: `${label}, slider` } });
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
