// layout.js - justified rows: every row as wide as the page, its pictures uncut and of one height. Typed arrays and
// arithmetic only; fifty thousand pictures take some milliseconds.

const NARROWEST = 0.25;
const WIDEST = 4;
const ratioOf = (order, i) => Math.min(WIDEST, Math.max(NARROWEST, order.widths[i] / order.heights[i]));

/** side: the height that rows should have. Returns {rows, first: of each row its first picture, tops, height}; both
 *  lists have one more entry for the end. */
export function layOut(order, width, side, gap) {
  const { n } = order;
  const first = new Uint32Array(n + 1);
  const tops = new Float64Array(n + 1);
  let rows = 0;
  let top = 0;
  for (let at = 0; at < n; rows++) {
    let ratio = 0;
    let end = at;
    let isFull = false;
    while (end < n && !isFull) {
      ratio += ratioOf(order, end++);
      isFull = ratio * side + (end - at - 1) * gap >= width;
    }
    let height = isFull ? (width - (end - at - 1) * gap) / ratio : side;
    if (isFull && end - at > 1) { // without its last picture it may be nearer to what it should be
      const less = ratio - ratioOf(order, end - 1);
      const other = (width - (end - at - 2) * gap) / less;
      if (other / side < side / height) {
        height = other;
        end--;
      }
    }
    first[rows] = at;
    tops[rows] = top;
    top += Math.max(1, Math.round(height)) + gap;
    at = end;
  }
  first[rows] = n;
  tops[rows] = top;
  return { rows, first: first.subarray(0, rows + 1), tops: tops.subarray(0, rows + 1), height: Math.max(0, top - gap), width, gap };
}

/** Which place of an ascending list holds a value: the last that is not above it. */
function placeOf(list, n, value) {
  let low = 0;
  let high = n;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}
export const rowAt = (layout, y) => placeOf(layout.tops, layout.rows, y);
export const rowOf = (layout, index) => placeOf(layout.first, layout.rows, index);

/** Height of a row, and left edge and width of each of its pictures, in whole pixels. */
export function boxesOf(layout, order, row) {
  const from = layout.first[row];
  const to = layout.first[row + 1];
  const height = layout.tops[row + 1] - layout.tops[row] - layout.gap;
  const boxes = [];
  let left = 0;
  for (let i = from; i < to; i++) {
    const end = left + ratioOf(order, i) * height;
    boxes.push({ left: Math.round(left), width: Math.round(end) - Math.round(left) });
    left = end + layout.gap;
  }
  const last = boxes[boxes.length - 1];
  const isFull = Math.abs(last.left + last.width - layout.width) < 2 * boxes.length;
  if (isFull || last.left + last.width > layout.width) last.width = layout.width - last.left;
  return { height, boxes };
}
