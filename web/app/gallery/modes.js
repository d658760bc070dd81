// modes.js - how two pictures are laid out: side by side, or one over the other with a slider, in turns, as their difference.
import { button, h } from '../../lib/dom.js';
import { load, save } from '../../lib/store.js';
import { makeDifference } from './difference.js';
import { makeFlicker } from './flicker.js';

/** By name: what its button says, and its title. */
const MODES = {
  side: ['Side', 'Side by side'],
  slider: ['Slider', 'One over the other with a slider (S)'],
  flicker: ['Flicker', 'In one place, in turns (B)'],
  difference: ['Difference', 'What they have not in common (D)'],
};

/** element: of the comparison, area: of the panes in it; panes: the two, {element, stage}; choose(i): keys are about that one.
 *  Returns {buttons, controls, toggle(name), turn(), play(), isPlaying(), draw(): something has moved, end()}. */
export function makeModes({ element, area, panes, choose }) {
  let mode = 'side';
  const slider = h('input', {
    type: 'range', id: 'divide', min: 0, max: 100, step: 0.5, value: 50, hidden: true, aria: { label: 'How much of A is seen' }, oninput: divide,
  });
  const flicker = makeFlicker((seen) => panes.forEach((pane, k) => pane.element.classList.toggle('seen', k === seen)), choose);
  const difference = makeDifference(panes.map((pane) => pane.stage));
  const buttons = Object.entries(MODES).map(([name, [text, title]]) =>
    button(text, () => setMode(name), { id: `mode-${name}`, title, aria: { pressed: 'false' } }));
  area.append(difference.canvas, difference.told, flicker.sign);

  function divide() {
    panes[0].stage.element.style.clipPath = mode === 'slider' ? `inset(0 ${100 - slider.value}% 0 0)` : '';
    slider.setAttribute('aria-valuetext', `${Math.round(slider.value)} percent`);
    area.style.setProperty('--divide', `${slider.value}%`);
  }

  function setMode(next) {
    if (next === mode) return;
    mode = next;
    save('gallery.mode', mode);
    show();
  }

  function show() {
    Object.keys(MODES).forEach((name, i) => {
      element.classList.toggle(name, name === mode);
      buttons[i].setAttribute('aria-pressed', String(name === mode));
    });
    element.classList.toggle('over', mode !== 'side');
    slider.hidden = mode !== 'slider';
    divide();
    flicker.setOn(mode === 'flicker');
    difference.setOn(mode === 'difference');
  }

  const kept = load('gallery.mode', 'side');
  if (kept in MODES) mode = kept;
  show();
  return {
    buttons: h('div', { className: 'modes', attrs: { role: 'group' }, aria: { label: 'How they are shown' } }, buttons),
    controls: [slider, flicker.controls, difference.controls],
    toggle: (name) => setMode(mode === name ? 'side' : name),
    turn: flicker.turn,
    play: flicker.toggle,
    isPlaying: flicker.isPlaying,
    draw: difference.draw,
    end() {
      flicker.end();
      difference.end();
    },
  };
}
