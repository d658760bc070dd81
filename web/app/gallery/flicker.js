// flicker.js - two pictures in one place, in turns: what moves is what differs. Whoever asked for less motion turns
// them by hand until they ask for this.
import { button, fill, h } from '../../lib/dom.js';
import { load, save } from '../../lib/store.js';
import { LETTERS } from './differing.js';

/** Pictures a second; at five, light and dark alternate two and a half times, below the three that are safe for eyes. */
const SPEEDS = { min: 0.5, max: 5, step: 0.5 };
const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** onSeen(i): which picture is seen, onStop(i): it stays. Returns {sign, controls, setOn(is), turn(), toggle(), isPlaying(), end()}. */
export function makeFlicker(onSeen, onStop) {
  const sign = h('span', { className: 'sign', hidden: true, aria: { hidden: 'true' } });
  const said = h('span', { className: 'unseen', attrs: { role: 'status' } });
  const play = button('Play', () => toggle(), { id: 'play', title: 'R' });
  const speed = h('input', {
    type: 'range', id: 'speed', ...SPEEDS, value: load('gallery.speed', 2), title: 'Pictures a second', aria: { label: 'Pictures a second' },
    oninput: () => {
      save('gallery.speed', Number(speed.value));
      if (timer) start();
    },
  });
  let isOn = false;
  let seen = 0;
  let timer = 0;

  function see(i) {
    seen = i;
    fill(sign, LETTERS[i]);
    onSeen(i);
  }
  function start() {
    clearInterval(timer);
    timer = setInterval(() => see(1 - seen), 1000 / speed.value);
    fill(play, 'Stop');
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    fill(play, 'Play');
    onStop(seen);
  }
  function toggle() {
    if (!isOn) return;
    if (timer) stop();
    else start();
  }
  function turn() {
    if (!isOn) return;
    stop();
    see(1 - seen);
    onStop(seen);
    fill(said, `Picture ${LETTERS[seen]}`);
  }
  const onCalm = () => calm.matches && timer && stop();
  calm.addEventListener('change', onCalm);

  return {
    sign,
    controls: h('span', { className: 'mode-controls', hidden: true }, play,
      button('Turn', turn, { id: 'turn', title: 'Show the other one (Space)' }), speed, said),
    setOn(is) {
      clearInterval(timer);
      timer = 0;
      isOn = is;
      sign.hidden = this.controls.hidden = !is;
      fill(play, 'Play');
      if (!is) return;
      see(0);
      if (!calm.matches) start();
    },
    turn,
    toggle,
    isPlaying: () => timer !== 0,
    end() {
      clearInterval(timer);
      calm.removeEventListener('change', onCalm);
    },
  };
}
