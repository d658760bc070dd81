// gallery.js - every picture that was made: the grid (gallery?...), one of them (picture/ID), two side by side
// (picture/ID?with=ID). The address says which, and which filter the arrow keys go through.
import { style } from '../../lib/style.js';
import { showCompare } from './compare.js';
import { recallLight } from './keys.js';
import { readFilter } from './query.js';
import { showViewer } from './viewer.js';
import { showWall } from './wall.js';

await style('gallery');
recallLight();

export function show(view, place) {
  const filter = readFilter(place.query);
  const [name, id] = place.path;
  const other = place.query.get('with');
  if (name !== 'picture' || !id) return showWall(view, filter);
  return other ? showCompare(view, [id, other], filter) : showViewer(view, id, filter);
}
