// picture.js - a picture that was made (picture/ID), or up to eight side by side (picture/ID?with=ID,ID). The address says which, and
// which filter the arrow keys go through.
import { entitle, style } from '../../lib/dom.js';
import { COMPARED_MOST } from './frame.js';
import { recallLight } from './keys.js';
import { readFilter } from './query.js';
import { showViewer } from './viewer.js';

await style('gallery');
recallLight();

export function show(view, place) {
  const filter = readFilter(place.query);
  const id = place.path[1];
  const other = place.query.get('with');
  if (!other) return showViewer(view, id, filter);
  entitle('Compare');
  let end = null;
  let isOver = false;
  import('./compare.js').then(({ showCompare }) => {
    if (!isOver) end = showCompare(view, [id, ...other.split(',')].slice(0, COMPARED_MOST), filter);
  });
  return () => {
    isOver = true;
    end?.();
  };
}
