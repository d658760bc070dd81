// panel.js - what is told of a picture beside it: marks that can be clicked, what to do with it, how it was made.
import { address } from '../../lib/api.js';
import { button, fill, h, plural } from '../../lib/dom.js';
import { flatten, mainFacts } from './details.js';
import * as marks from './marks.js';

const STARS = 5;

/** Buttons for the marks of a picture. hooks: mark(changeOf) as keys do it. Returns {element, show(id)}. */
export function makeMarkButtons(mark) {
  const one = (sign, label, key, changeOf, className = 'mark') =>
    button(sign, () => mark(changeOf), { className, title: `${label} (${key})`, aria: { label } });
  const favorite = one('♡', 'Favourite', 'F', marks.toggled.favorite);
  const stars = Array.from({ length: STARS }, (_, i) =>
    one('☆', plural(i + 1, 'star'), i + 1, (id) => ({ rating: marks.of(id).rating === i + 1 ? 0 : i + 1 }), 'mark star'));
  const reject = one('✕', 'Reject', 'X', marks.toggled.reject);
  const unsent = h('span', { className: 'unsent', title: 'Not kept yet: the server does not answer' });
  const element = h('div', { className: 'marks', attrs: { role: 'group' }, aria: { label: 'Marks' } },
    favorite, h('span', { className: 'stars' }, stars), reject, unsent);
  return {
    element,
    show(id) {
      const mark = marks.of(id);
      favorite.setAttribute('aria-pressed', String(mark.favorite));
      fill(favorite, mark.favorite ? '♥' : '♡');
      reject.setAttribute('aria-pressed', String(mark.rejected));
      stars.forEach((star, i) => {
        star.setAttribute('aria-pressed', String(mark.rating === i + 1));
        star.classList.toggle('on', i < mark.rating);
        fill(star, i < mark.rating ? '★' : '☆');
      });
      fill(unsent, marks.isUnsent(id) ? '• not kept yet' : '');
    },
  };
}

const table = (rows) => h('table', {}, h('tbody', {}, rows.map(([name, value]) =>
  h('tr', {}, h('th', { attrs: { scope: 'row' } }, name), h('td', {}, String(value))))));

/** Where a picture's settings go: the view that draws reads them from the address. */
function actionsOf(picture) {
  const id = picture.cell ?? picture.id;
  const link = (text, query) => h('a', { className: 'button', href: address(`?${query}`).href, data: { go: '' } }, text);
  return h('div', { className: 'actions' },
    link('Use these settings', `from=${id}`), link('Vary the seed', `from=${id}&vary=1`), link('Image to image', `init=${id}`),
    h('a', { className: 'button', href: address(`api/v1/pictures/${id}/file?download`).href, attrs: { download: '' } }, 'Download'));
}

/** Fill the panel with a picture. */
export function showFacts(element, picture) {
  const isOpen = element.querySelector('details')?.open ?? false;
  const { record, ...row } = picture;
  const prompt = picture.prompt ?? picture.styled_prompt;
  const isStyled = picture.styled_prompt && picture.styled_prompt !== prompt;
  fill(element,
    h('h2', { className: 'unseen' }, 'Settings'),
    prompt && h('p', { className: 'prompt' }, prompt),
    isStyled && h('p', { className: 'soft small' }, picture.styled_prompt),
    actionsOf(picture),
    table(mainFacts(picture)),
    h('details', { open: isOpen }, h('summary', {}, 'Everything that was recorded'), table([...flatten(row), ...flatten(record, 'record.')])));
}
