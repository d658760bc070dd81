// duel.js - two pictures, one key: which one is better. Choices are the marks of `sdxl-lab duel`. The pair that comes next
// is decoded while this one is looked at, and nothing can be chosen that was not painted.
import { get, makeOutbox, post, thumbnail } from '../../lib/api.js';
import { button, fill, h, plural, say, style } from '../../lib/dom.js';
import * as events from '../../lib/events.js';

const SIDE = 1024;
const PAIRS = 20;
const KEYS = { ArrowLeft: 0, 1: 0, ArrowRight: 1, 2: 1, ArrowDown: 'neither', s: 'neither', S: 'neither' };

await style('duel');

/** A picture that is decoded, or null where it cannot be. */
async function decoded(picture) {
  const image = new Image();
  image.src = thumbnail(picture.id, SIDE);
  image.alt = [picture.profile, picture.model_key, picture.prompt?.slice(0, 120)].filter(Boolean).join(', ');
  try {
    await image.decode();
    return image;
  } catch {
    return null;
  }
}

/** Pairs, one after the other; the next one is read ahead. */
function makePairs(told) {
  const pairs = [];
  const images = new Map();
  let asking = null;
  const ask = async () => {
    const reply = await get(`duel?limit=${PAIRS}&seed=${Math.floor(Math.random() * 1e9)}`);
    told(reply);
    pairs.push(...reply.pairs);
  };
  const more = () => (asking ??= ask().finally(() => (asking = null)));
  const load = (pair) => {
    if (!images.has(pair)) images.set(pair, Promise.all(pair.map(decoded)));
    return images.get(pair);
  };
  return {
    /** The n-th pair with its images, or null: there is none. */
    at: async (n) => {
      if (!pairs[n]) await more();
      const pair = pairs[n];
      if (!pair) return null;
      images.delete(pairs[n - 3]);
      return { pair, images: await load(pair) };
    },
    /** Reads the n-th pair while another one is looked at. */
    ahead: async (n) => {
      if (!pairs[n]) await more().catch(() => {}); // whoever comes to this pair asks again
      if (pairs[n]) await load(pairs[n]);
    },
  };
}

export function show(view) {
  const state = { n: 0, now: null, made: 0, before: 0, pictures: 0, isOver: false };
  const history = []; // of each pair: the index of the winner, or "neither"
  const progress = h('p', { className: 'soft duel-told' });
  const spoken = h('p', { className: 'unseen', attrs: { role: 'status' } });
  const sides = ['Left', 'Right'].map((name, side) => button('', () => choose(side), { className: 'side', data: { side } }));
  const neither = button('Neither ↓', () => choose('neither'), { title: 'Down or S' });
  const back = button('Undo', () => undo(), { title: 'Ctrl+Z or U' });
  const actions = h('div', { className: 'row duel-actions' }, neither, back, progress);
  const pair = h('div', { className: 'pair' }, sides);
  const element = h('section', { className: 'duel', tabIndex: -1, aria: { label: 'Which picture is better?' } },
    h('h1', {}, 'Which one is better?'), pair, actions, spoken);

  const tell = () => {
    const words = [`${plural(state.made, 'choice')} now, ${(state.before + state.made).toLocaleString('en')} in all`, plural(state.pictures, 'picture')];
    if (outbox.waiting.length) words.push(`${outbox.waiting.length} not saved yet`);
    progress.textContent = words.join(', ');
    back.disabled = history.length === 0;
  };
  const outbox = makeOutbox({
    deliver: ({ path, winner, loser }) => post(path, { winner, loser }),
    settled: (_, refusal) => {
      if (refusal) say(refusal.message, true);
      tell();
    },
  });
  const send = (path, winner, loser) => {
    outbox.put({ path, winner, loser });
    tell();
  };
  const pairs = makePairs((reply) => {
    state.pictures = reply.pictures;
    state.before = reply.choices - state.made + outbox.waiting.length;
    tell();
  });

  const paint = async () => {
    const mine = state.n;
    state.now = null;
    for (const side of sides) side.disabled = true;
    let next;
    try {
      next = await pairs.at(mine);
    } catch (error) {
      fill(pair, h('p', { className: 'bad', role: 'alert' }, error.message), button('Try again', () => location.reload()));
      return;
    }
    if (state.isOver || mine !== state.n) return;
    if (!next) {
      fill(pair, h('p', { className: 'empty' }, 'Two pictures have to be there before one can be the better one.'));
      neither.disabled = true;
      return;
    }
    if (next.images.includes(null)) { // a file that went meanwhile
      history.push('neither');
      state.n++;
      if (state.n < 1000) paint();
      return;
    }
    sides.forEach((side, i) => {
      fill(side, next.images[i], h('span', { className: 'key', aria: { hidden: 'true' } }, i ? '→' : '←'));
      side.setAttribute('aria-label', `${i ? 'Right' : 'Left'}: ${next.images[i].alt}`);
      side.disabled = false;
    });
    state.now = next.pair;
    element.dataset.pair = String(mine);
    await pairs.ahead(mine + 1);
    element.dataset.ahead = String(mine + 1);
  };

  const choose = (side) => {
    if (!state.now) return;
    const [one, two] = state.now;
    history.push(side);
    if (side !== 'neither') {
      state.made++;
      send('duel', (side ? two : one).id, (side ? one : two).id);
    }
    spoken.textContent = side === 'neither' ? 'neither' : side ? 'the right one' : 'the left one';
    state.n++;
    tell();
    paint();
  };

  const undo = async () => {
    if (!history.length) return;
    const side = history.pop();
    state.n--;
    const found = await pairs.at(state.n);
    if (side !== 'neither' && found) {
      const [one, two] = found.pair;
      state.made--;
      send('duel/undo', (side ? two : one).id, (side ? one : two).id);
    }
    spoken.textContent = 'taken back';
    tell();
    paint();
  };

  const onkey = (event) => {
    const isOurs = element.contains(event.target) || event.target === document.body;
    if (!isOurs || event.altKey || event.repeat) return;
    const isUndo = event.key === 'u' || event.key === 'U' || (event.key === 'z' && (event.ctrlKey || event.metaKey));
    if (isUndo) undo();
    else if (!event.ctrlKey && !event.metaKey && event.key in KEYS) choose(KEYS[event.key]);
    else return;
    event.preventDefault();
  };
  document.addEventListener('keydown', onkey);
  const unhear = events.on('connection', (isThere) => isThere && outbox.send());
  fill(view, element);
  element.focus({ preventScroll: true });
  tell();
  paint();
  return () => {
    state.isOver = true;
    unhear();
    document.removeEventListener('keydown', onkey);
  };
}
