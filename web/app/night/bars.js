// bars.js - how many pictures came when, as bars.
import { h } from '../../lib/dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 96;
const WIDTH = 960;

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

/** data: {from (seconds since 1970), seconds (of a bar), n: pictures in each}. */
export function bars({ from, seconds, n }) {
  const most = Math.max(1, ...n);
  if (n.length < 2) return null;
  const width = WIDTH / n.length;
  const each = n.map((count, i) => {
    const height = (count / most) * HEIGHT;
    const rect = svg('rect', { x: i * width + 0.5, y: HEIGHT - height, width: Math.max(1, width - 1), height });
    rect.append(svg('title', {}, `${clock(from + i * seconds)}: ${count}`));
    return rect;
  });
  const label = `Pictures in each ${seconds >= 60 ? `${Math.round(seconds / 60)} min` : `${seconds} s`}, at most ${most}`;
  return h('figure', { className: 'bars' },
    svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label }, ...each),
    h('figcaption', { className: 'soft small' }, h('span', {}, clock(from)), h('span', {}, label), h('span', {}, clock(from + n.length * seconds))));
}
