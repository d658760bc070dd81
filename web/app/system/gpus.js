// gpus.js - the GPUs of the machine, read anew every few seconds while somebody looks.
import { get } from '../../lib/api.js';
import { fill, h, plural } from '../../lib/dom.js';
import { bytes, meter } from './meter.js';

const LOOK_MS = 3000;

const known = (value, unit) => (value === null ? '–' : `${Math.round(value)} ${unit}`);
const memory = (gpu) => (gpu.used_bytes === null || gpu.memory_bytes === null ? '–' : `${bytes(gpu.used_bytes)} of ${bytes(gpu.memory_bytes)}`);

/** Idle, or what keeps it from being so, in words. */
function states(gpu) {
  const said = [gpu.fault, gpu.busy, gpu.locked_by && `locked by ${gpu.locked_by}`].filter(Boolean);
  return said.length ? said.map((text) => h('div', { className: gpu.fault === text ? 'bad' : '' }, text)) : ['idle'];
}

const card = (gpu) => h('section', { className: 'panel gpu', aria: { label: `GPU ${gpu.index}` } },
  h('h3', {}, `${gpu.index} · ${gpu.name ?? 'a GPU that does not answer'}`),
  meter('Memory', gpu.used_bytes, gpu.memory_bytes, memory(gpu)),
  h('dl', {}, [['Busy', known(gpu.utilization, '%')], ['Temperature', known(gpu.temperature, '°C')], ['Power', known(gpu.power_w, 'W')],
    ['Processes', gpu.processes ?? '–']].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
  h('div', { className: 'small' }, states(gpu)));

/** Shows them in an element; returns what ends that. */
export function gpus(element) {
  const list = h('div', { className: 'gpus' });
  const told = h('p', { className: 'soft' });
  let timer = null;
  let isOver = false;
  const look = async () => {
    clearTimeout(timer);
    if (!document.hidden)
      try {
        const reply = await get('gpus');
        fill(told, reply.gpus.length ? `${plural(reply.gpus.length, 'GPU')}, by ${reply.source}` : reply.why ?? `no GPU (${reply.source})`);
        fill(list, reply.gpus.map(card));
        if (!reply.gpus.length) return; // a driver does not come while one looks
      } catch (error) {
        fill(told, h('span', { className: 'bad' }, error.message));
      }
    if (!isOver) timer = setTimeout(look, LOOK_MS);
  };
  fill(element, told, list);
  look();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
