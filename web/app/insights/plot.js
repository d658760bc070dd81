// plot.js - a rate with its interval as a small drawing: a line for the average, a bar for the interval, a dot for the rate.
const NS = 'http://www.w3.org/2000/svg';
const WIDTH = 160;
const HEIGHT = 20;

function shape(name, attributes) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** The highest rate that rows reach: where a drawing's right edge is. */
export const reach = (rows, average) => Math.min(1, Math.max(average ?? 0, ...rows.map((row) => row.interval?.[1] ?? 0), 1e-6));

/** row: {rate, interval}; edge: reach(); said: what is drawn, in words. */
export function plot(row, edge, average, said) {
  const at = (value) => ((value ?? 0) / edge) * WIDTH;
  const svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, class: 'plot', role: 'img', 'aria-label': said });
  svg.append(shape('line', { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2, class: 'axis' }));
  const [low, high] = row.interval ?? [null, null];
  if (low !== null && high !== null)
    svg.append(shape('rect', { x: at(low), y: 6, width: Math.max(2, at(high) - at(low)), height: 8, rx: 2, class: 'interval' }));
  svg.append(shape('line', { x1: at(average), x2: at(average), y1: 1, y2: HEIGHT - 1, class: 'average' }));
  if (row.rate !== null) svg.append(shape('circle', { cx: Math.min(WIDTH - 3, Math.max(3, at(row.rate))), cy: HEIGHT / 2, r: 3, class: 'rate' }));
  return svg;
}
