// bundles.js - bundles that are loved, to be put into the form; they are counted when somebody looks.
import { get } from '../../lib/api.js';
import { button, fill, h } from '../../lib/dom.js';

/** choose(settings): one was taken. An element. */
export function makeBundles(choose) {
  const list = h('ul', { className: 'bundle-rows' });
  const element = h('details', { className: 'bundle-choice' }, h('summary', {}, 'Bundles you love'), list);
  const say = (text, className = 'soft small') => fill(list, h('li', { className }, text));
  element.addEventListener('toggle', async () => {
    if (!element.open) return;
    say('Counting …');
    try {
      const { bundles } = await get('insights');
      if (!bundles.length) return say('Not enough data: no combination is loved more than chance explains.');
      fill(list, bundles.map((bundle) => h('li', {}, button(bundle.name, () => choose(bundle.job)),
        h('span', { className: 'soft small' }, `${bundle.loved} of ${bundle.made} loved`))));
    } catch (error) {
      say(error.message, 'bad small');
    }
  });
  return element;
}
