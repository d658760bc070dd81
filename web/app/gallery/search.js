// search.js - the box that takes words and "steps:30", and what was taken as chips that can be removed.
import { button, fill, h } from '../../lib/dom.js';
import { chipsOf, readWords } from './query.js';

const TYPING_MS = 200;

/** onChange(filter): called a moment after the last key, at once for chips. */
export function makeSearch(filter, onChange) {
  let now = new Map(filter);
  let timer = 0;
  const hint = h('p', { className: 'hint small', id: 'search-hint', hidden: true });
  const box = h('input', {
    type: 'search', id: 'search', placeholder: 'Search: words, -word, steps:>20, stars:>=3', value: now.get('text') ?? '',
    autocomplete: 'off', spellcheck: false, aria: { label: 'Search pictures', describedby: 'search-hint', keyshortcuts: '/' },
  });
  const chips = h('ul', { className: 'g-chips', aria: { label: 'Filters that are on' } });
  const element = h('div', { className: 'search' }, box, chips, hint);

  function take(isWhole) {
    const { found, excluded, rest, hint: what } = readWords(box.value, isWhole);
    const next = new Map(now);
    for (const [param, value] of found) next.set(param, value);
    if (excluded.length) next.set('exclude', [...new Set([...(next.get('exclude')?.split(' ') ?? []), ...excluded])].join(' '));
    if (rest) next.set('text', rest);
    else next.delete('text');
    if (found.length || excluded.length) box.value = rest + (rest && !isWhole ? ' ' : '');
    hint.hidden = !what;
    fill(hint, what ?? '');
    now = next;
    showChips();
    // A word that nothing is would find nothing, one that is to be excluded is not whole yet: both are left in the box.
    const asked = new Map(next);
    const words = rest.split(' ').filter((word) => !/^(-|[a-z]+:)/i.test(word)).join(' ');
    if (words) asked.set('text', words);
    else asked.delete('text');
    onChange(asked);
  }

  function showChips() {
    fill(chips, chipsOf(now).map(({ param, text, rest }) => h('li', {}, button(`${text} ✕`, () => {
      if (rest) now.set(param, rest);
      else now.delete(param);
      showChips();
      onChange(now);
      box.focus();
    }, { className: 'chip', aria: { label: `${text}, remove` }, data: { param } }))));
    chips.hidden = !chips.childElementCount;
  }

  box.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => take(false), TYPING_MS);
  });
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      clearTimeout(timer);
      take(true);
    }
    if (event.key === 'Backspace' && !box.value && chips.lastElementChild) chips.lastElementChild.firstElementChild.click();
  });
  showChips();
  return {
    element,
    box,
    set(next) {
      now = new Map(next);
      showChips();
    },
  };
}
