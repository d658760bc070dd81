// bundles.js - bundles that are loved, counted when somebody looks.
import { get } from '../../lib/api.js';
import { button, fill, h } from '../../lib/dom.js';

/** Fill a list with them; choose(settings): one was taken. */
export async function listBundles(list, choose) {
  const say = (text, className = 'soft small') => fill(list, h('li', { className }, text));
  say('Counting …');
  try {
    const { bundles } = await get('insights');
    if (!bundles.length) return say('Not enough data: no combination is loved more than chance explains.');
    fill(list, bundles.map((bundle) => h('li', {}, button(bundle.name, () => choose(bundle.job)),
      h('span', { className: 'soft small' }, `${bundle.loved} of ${bundle.made} loved`))));
  } catch (error) {
    say(error.message, 'bad small');
  }
}
