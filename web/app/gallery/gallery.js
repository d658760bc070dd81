// gallery.js - every picture that was made.
import { fill, h } from '../../lib/dom.js';

export function show(view) {
  fill(view, h('h1', {}, 'Gallery'));
}
