// compare.js - two to eight pictures side by side, two also one over the other with a slider; one zoom and place for all,
// and a table of the settings that differ.
import { address } from '../../lib/api.js';
import { button, fill, h } from '../../lib/dom.js';
import { load as recall, save } from '../../lib/store.js';
import { altOf, details, flatten, mainFacts } from './details.js';
import { fitHeight, leave, listenKeys } from './frame.js';
import { nextLight, showHelp } from './keys.js';
import * as marks from './marks.js';
import { orderOf } from './order.js';
import { makeMarkButtons } from './panel.js';
import { pathOf } from './query.js';
import { makeStage } from './stage.js';

const LETTERS = [...'ABCDEFGH'];

/** What every picture has another of, and nobody compares. */
const OWN = /^(id|path|cell|made_at|loved|rating|rejected|Made|record\..*|run_dir)$/;
const NAMED = new Set(['prompt', 'negative', 'model_key', 'profile', 'width', 'height', 'steps', 'guidance', 'scheduler', 'seed',
  'lora', 'vae', 'strength']);
const factsOf = (picture) => {
  const { record, ...row } = picture;
  const others = flatten(row).filter(([name]) => !NAMED.has(name));
  return new Map([['Prompt', picture.prompt ?? ''], ...mainFacts(picture), ...others]
    .filter(([name]) => !OWN.test(name)).map(([name, value]) => [name, String(value)]));
};

const wordsOf = (text) => new Set(text.toLowerCase().split(/[^\p{L}\p{N}]+/u));
/** A text with the words marked that one of the others has not. */
function marked(text, others) {
  const sets = others.map(wordsOf);
  const isNew = (part) => /[\p{L}\p{N}]/u.test(part) && sets.some((words) => !words.has(part.toLowerCase()));
  return text.split(/([^\p{L}\p{N}]+)/u).map((part) => (isNew(part) ? h('mark', {}, part) : part));
}

function differences(pictures) {
  const all = pictures.map(factsOf);
  const names = [...new Set(all.flatMap((facts) => [...facts.keys()]))];
  const differing = names.filter((name) => all.some((facts) => facts.get(name) !== all[0].get(name)));
  const cell = (name, mine) => h('td', {}, /prompt/i.test(name)
    ? marked(mine.get(name) ?? '', all.filter((other) => other !== mine).map((other) => other.get(name) ?? '')) : mine.get(name) ?? '–');
  const rows = differing.map((name) =>
    h('tr', {}, h('th', { attrs: { scope: 'row' } }, name), all.map((facts) => cell(name, facts))));
  const equal = names.length - differing.length;
  return [
    rows.length ? h('table', { className: 'differences' },
      h('thead', {}, h('tr', {}, ['Setting', ...LETTERS.slice(0, all.length)].map((text) => h('th', { attrs: { scope: 'col' } }, text)))), h('tbody', {}, rows))
      : h('p', {}, 'All settings are equal.'),
    h('p', { className: 'soft small' }, `${equal} equal`)];
}

/** wanted: two to eight ids, as the address has them. */
export function showCompare(view, wanted, filter) {
  const isPair = wanted.length === 2;
  const title = isPair ? 'Two pictures' : `${wanted.length} pictures`;
  let isOver = false;
  let isSlider = isPair && recall('gallery.slider', false);
  let current = 0; // which of them keys are about
  let order = null;
  const panes = wanted.map((_, i) => makePane(i));
  const slider = h('input', {
    type: 'range', id: 'divide', min: 0, max: 100, step: 0.5, value: 50, aria: { label: 'How much of A is seen' }, oninput: divide,
  });
  const mode = button('Slider', toggleMode, { id: 'mode', title: 'S', hidden: !isPair, aria: { pressed: String(isSlider) } });
  const table = h('div', {
    className: 'compare-table', id: 'differences', attrs: { role: 'region' }, aria: { label: 'Settings that differ' },
  });
  const all = h('div', { className: isPair ? 'panes' : 'panes many', data: { n: wanted.length } }, panes.map((pane) => pane.element));
  const element = h('section', { className: 'viewer compare', tabIndex: -1, aria: { label: title } },
    h('h1', { className: 'unseen' }, title),
    h('div', { className: 'bar' }, button('Back', () => leave(filter), { id: 'close', title: 'Esc' }), mode, slider,
      h('div', { className: 'bar-end' },
        button('1:1', () => panes[current].stage.toggle(), { id: 'zoom', title: 'Z' }),
        button('−', () => panes[current].stage.farther(), { aria: { label: 'Farther' } }),
        button('+', () => panes[current].stage.nearer(), { aria: { label: 'Nearer' } }),
        button('?', () => showHelp('c'), { className: 'plain wide', aria: { label: 'Keys' } }))),
    all, table);
  fill(view, element);

  function makePane(i) {
    const stage = makeStage({ onView: (next) => panes.forEach((pane, k) => k !== i && pane.stage.setView(next, false)) });
    const markButtons = makeMarkButtons((changeOf) => {
      choose(i);
      mark(changeOf);
    });
    const name = h('strong', {}, LETTERS[i]);
    const paneElement = h('div', { className: 'pane', tabIndex: 0, attrs: { role: 'group' }, aria: { label: `Picture ${LETTERS[i]}` } },
      stage.element, h('div', { className: 'pane-bar' }, name, markButtons.element));
    paneElement.addEventListener('focusin', () => choose(i));
    paneElement.addEventListener('pointerdown', () => choose(i));
    return { stage, markButtons, element: paneElement, picture: null };
  }

  function choose(i) {
    current = i;
    panes.forEach((pane, k) => pane.element.classList.toggle('current', k === i));
  }

  function divide() {
    panes[0].stage.element.style.clipPath = isSlider ? `inset(0 ${100 - slider.value}% 0 0)` : '';
    slider.setAttribute('aria-valuetext', `${Math.round(slider.value)} percent`);
    all.style.setProperty('--divide', `${slider.value}%`);
  }
  function showMode() {
    element.classList.toggle('over', isSlider);
    slider.hidden = !isSlider;
    mode.setAttribute('aria-pressed', String(isSlider));
    divide();
  }
  function toggleMode() {
    if (!isPair) return;
    isSlider = !isSlider;
    save('gallery.slider', isSlider);
    showMode();
  }

  async function load(i, id) {
    const pane = panes[i];
    pane.wanted = id;
    try {
      const picture = await details(id);
      if (isOver || pane.wanted !== id) return;
      pane.picture = picture;
      marks.take(picture);
      pane.stage.show(picture.id, picture.width, picture.height);
      pane.stage.setAlt(altOf(picture));
      pane.markButtons.show(picture.id);
    } catch (error) {
      if (isOver || pane.wanted !== id) return;
      pane.picture = null;
      pane.stage.tell(error.message); // the others stay
    }
    const pictures = panes.map((one) => one.picture);
    fill(table, pictures.every(Boolean) ? differences(pictures) : null);
    if (pictures.every(Boolean)) {
      const [first, ...others] = pictures.map((one) => one.cell ?? one.id);
      history.replaceState(null, '', address(pathOf(`picture/${first}`, new Map([...filter, ['with', others.join(',')]]))));
    }
  }

  function mark(changeOf) {
    const { stage, picture } = panes[current];
    if (picture && stage.id === picture.id && stage.isPainted()) marks.set(picture.id, changeOf(picture.id));
  }

  /** Another picture in this pane, the others stay. */
  function step(way) {
    const { picture } = panes[current];
    const i = picture && order ? order.ids.indexOf(picture.id) : -1;
    const others = new Set(panes.map((pane, k) => k !== current && pane.picture?.id));
    let to = i + way;
    while (order && others.has(order.ids[to])) to += way;
    if (i >= 0 && to >= 0 && to < order.n) load(current, order.ids[to]);
  }
  const move = (way) => (event) => (event.shiftKey ? panes[current].stage.move(way, 0) : step(way));

  const ends = [
    fitHeight(element),
    listenKeys(view, 'c', {
      previous: move(-1),
      next: move(1),
      up: (event) => event.shiftKey && panes[current].stage.move(0, -1),
      down: (event) => event.shiftKey && panes[current].stage.move(0, 1),
      favorite: () => mark(marks.toggled.favorite),
      reject: () => mark(marks.toggled.reject),
      clear: () => mark(marks.toggled.clear),
      rate: (_, key) => mark(() => ({ rating: Number(key) })),
      undo: () => marks.undo(),
      mode: toggleMode,
      zoom: () => panes[current].stage.toggle(),
      nearer: () => panes[current].stage.nearer(),
      farther: () => panes[current].stage.farther(),
      light: nextLight,
      close: () => leave(filter),
      help: () => showHelp('c'),
    }),
    marks.on((id) => panes.forEach((pane) => pane.picture?.id === id && pane.markButtons.show(id))),
    ...panes.map((pane) => () => pane.stage.end()),
  ];
  showMode();
  choose(0);
  element.focus({ preventScroll: true });
  wanted.forEach((id, i) => load(i, id));
  orderOf(filter).then((found) => (order = found), () => {});

  return () => {
    isOver = true;
    for (const end of ends) end();
  };
}
