// meter.js - amounts: bytes in words, and a bar with what it says.
import { h } from '../../lib/dom.js';

/** "812 MB", "1.5 TB": powers of ten, as disks and models are told. */
export function bytes(n) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1000;
  return `${i && n < 10 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

/** How much of something is used: a bar, and the same in words. */
export function meter(label, used, all, words) {
  return h('div', { className: 'meter' },
    h('progress', { max: all || 1, value: used ?? 0, aria: { label, valuetext: words } }), h('span', { className: 'small' }, words));
}
