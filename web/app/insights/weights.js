// weights.js - how what is loved weighs on prompts that are drawn from a theme: which entries come more often, and less.
import { get } from '../../lib/api.js';
import { fill, h } from '../../lib/dom.js';

const SHOWN = 12;

/** Entries whose factor moved, those that moved most first. */
function moved(weights) {
  const all = Object.entries(weights).flatMap(([list, entries]) => Object.entries(entries).map(([entry, factor]) => ({ list, entry, factor })));
  return all.filter(({ factor }) => Math.abs(Math.log(factor)) > 0.05).sort((a, b) => Math.abs(Math.log(b.factor)) - Math.abs(Math.log(a.factor)));
}

/** The section: a theme to choose, and what was learned for it. */
export function learnedWeights() {
  const select = h('select', { id: 'theme' }, h('option', { value: '' }, 'Choose a theme'));
  const list = h('ul', { className: 'learned' });
  const command = h('code', { className: 'command' }, 'sdxl-lab prompts generate THEME --learn-from favourites');
  get('themes').then(({ themes }) => select.append(...themes.filter((theme) => !theme.error).map(({ name }) => h('option', { value: name }, name))), () => {});
  select.onchange = async () => {
    const theme = select.value;
    command.textContent = `sdxl-lab prompts generate ${theme || 'THEME'} --learn-from favourites`;
    if (!theme) return fill(list);
    try {
      const { weights } = await get(`insights/weights?theme=${encodeURIComponent(theme)}`);
      if (theme !== select.value) return;
      const rows = moved(weights);
      fill(list, rows.length ? rows.slice(0, SHOWN).map(({ list: of, entry, factor }) =>
        h('li', {}, `${factor.toFixed(2)} × `, h('strong', {}, entry), h('span', { className: 'soft small' }, ` ${of}`)))
        : h('li', { className: 'soft' }, 'Not enough data: every entry counts as its theme has it.'));
    } catch (error) {
      fill(list, h('li', { className: 'bad' }, error.message));
    }
  };
  return [h('p', {}, 'What you love weighs more where prompts are drawn from a theme: an entry whose pictures are loved twice as often comes about twice as often, between a quarter and four times. Few pictures move it little.'),
    h('div', { className: 'field theme' }, h('label', { htmlFor: 'theme' }, 'Theme'), select), list, command];
}
