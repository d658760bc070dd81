// box.js - the field of a prompt: what is typed, with what is cut off and brackets without a partner marked behind it;
// how many tokens it has; what it may go on with; weights by Ctrl+Up and Down; earlier prompts by Alt+Up and Down.
import { button, h, plural } from '../../../lib/dom.js';
import { framed } from '../fields.js';
import { hasWeights, moved, placeOf, replace, unbalanced, weigh } from './text.js';

const isPart = (node, [kind, text]) => (node.className ?? '') === kind && node.textContent === text;

/** Texts and marks of a kind as what is in an element: a key changes one of them, and the others stay as they are. */
function showParts(element, parts) {
  const there = [...element.childNodes];
  const least = Math.min(there.length, parts.length);
  let before = 0;
  let behind = 0;
  while (before < least && isPart(there[before], parts[before])) before++;
  while (behind < least - before && isPart(there.at(-1 - behind), parts.at(-1 - behind))) behind++;
  const old = there.slice(before, there.length - behind);
  const next = parts.slice(before, parts.length - behind);
  if (old.length === 1 && next.length === 1 && (old[0].className ?? '') === next[0][0]) {
    (old[0].firstChild ?? old[0]).data = next[0][1];
    return;
  }
  const end = there[there.length - behind] ?? null;
  for (const node of old) node.remove();
  for (const [kind, text] of next) element.insertBefore(kind ? h('mark', { className: kind }, text) : document.createTextNode(text), end);
}

/** The same text behind the text area, in which places can be marked. Both wrap alike: same font, padding and width. */
function makeBack(area) {
  const back = h('div', { className: 'prompt-back', aria: { hidden: 'true' } });
  const fit = () => {
    back.style.width = `${area.clientWidth}px`;
    back.style.height = `${area.clientHeight}px`;
    back.scrollTop = area.scrollTop;
  };
  const mark = (cut, wrong) => {
    const value = area.value;
    const ends = [...wrong.filter((at) => at < cut).flatMap((at) => [at, at + 1]), Math.min(cut, value.length)];
    const parts = [];
    let from = 0;
    ends.forEach((end, i) => {
      if (end > from) parts.push([i % 2 ? 'bracket' : '', value.slice(from, end)]);
      from = Math.max(from, end);
    });
    if (from < value.length) parts.push(['cut', value.slice(from)]);
    parts.push(['', '\u200b']); // a line break at the end takes a line
    showParts(back, parts);
  };
  /** Below the line of a place. */
  const place = (at) => {
    const walker = document.createTreeWalker(back, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    let left = at;
    let node = walker.nextNode();
    while (node && left > node.length) {
      left -= node.length;
      node = walker.nextNode();
    }
    if (!node) return { top: area.offsetHeight };
    range.setStart(node, left);
    range.collapse(true);
    const line = range.getClientRects()[0] ?? range.getBoundingClientRect();
    const below = line.bottom - area.getBoundingClientRect().top + 4;
    return { top: Math.min(Math.max(below, 24), area.offsetHeight) };
  };
  area.addEventListener('scroll', () => (back.scrollTop = area.scrollTop));
  new ResizeObserver(fit).observe(area);
  return { element: back, mark, place };
}

/** "63/75", or of each encoder where they differ. */
function inWords(count, limit, syntax) {
  const said = (one) => (syntax === 'plain' ? `${one.tokens}/${limit} tokens`
    : `${plural(one.tokens, 'token')} in ${plural(one.chunks, 'chunk')} of ${limit}`);
  const [one, two] = count.encoders.map(said);
  return one === two ? one : `CLIP-L ${one}, CLIP-G ${two}`;
}

/** What is wrong with a prompt, as sentences. */
function findings(count, wrong, syntax, hasCut) {
  const out = [];
  if (count?.cut) out.push(`${plural(count.cut, 'token is', 'tokens are')} cut off${hasCut ? ', from the mark on' : ': words of the profile'}`);
  if (wrong.length && syntax !== 'plain') out.push(`${plural(wrong.length, 'bracket has', 'brackets have')} no partner`);
  return out;
}

/** Earlier prompts by Alt+Up and Down, the newest first; what was typed comes back at the end. */
function makeHistory(area, earlier) {
  let at = -1;
  let draft = '';
  area.addEventListener('input', () => (at = -1));
  return (direction) => {
    const list = earlier();
    if (at < 0) draft = area.value;
    const next = Math.max(-1, Math.min(list.length - 1, at + direction));
    if (next === at) return;
    replace(area, 0, area.value.length, next < 0 ? draft : list[next]);
    at = next;
  };
}

/** What the prompt may go on with: loaded when somebody is about to type. asked: see suggest.js. {isOpen(), close()} */
function suggestLater(area, box, ...asked) {
  let list = null;
  let hasTyped = false;
  area.addEventListener('input', () => (hasTyped = true), { once: true });
  area.addEventListener('focus', async () => {
    const { makeSuggestions } = await import('./suggest.js');
    list = makeSuggestions(area, ...asked);
    box.append(list.element);
    if (hasTyped) list.ask();
  }, { once: true });
  return { isOpen: () => list?.isOpen() ?? false, close: () => list?.close() };
}

/** context: {setting(key), set(key, value), earlier()}: the form around it. A field, with count(counts, why). */
export function promptField(option, context) {
  const isLong = option.key === 'prompt';
  const area = h('textarea', { rows: isLong ? 5 : 2, spellcheck: false, placeholder: isLong ? 'what the picture shows' : '' });
  const back = makeBack(area);
  const box = h('div', { className: 'prompt-box' }, back.element, area);
  const field = framed(option, box, () => area.value.trim() || undefined, (value) => {
    area.value = value ?? '';
    known = { count: null, cut: Infinity, text: area.value };
    render();
  });
  const counted = h('span', {});
  const wrongs = h('span', { className: 'bad' });
  const reader = button('Read weights', () => context.set('prompt_syntax', 'a1111'),
    { className: 'plain small', title: 'Weights such as (word:1.2) are words in the plain syntax' });
  const told = h('p', { className: 'prompt-told soft small' }, counted, wrongs, reader);
  const spoken = h('p', { className: 'unseen', attrs: { role: 'status' } });
  const suggestions = suggestLater(area, box, back.place, (item) => context.set('profile', item.name), () => render());
  const earlier = makeHistory(area, context.earlier);
  let known = { count: null, cut: Infinity, text: '' };
  let last = { counts: null, why: null };
  let timer = 0;
  field.element.append(told, spoken);

  const render = () => {
    const syntax = context.setting('prompt_syntax') ?? 'plain';
    const wrong = unbalanced(area.value);
    const problems = findings(known.count, wrong, syntax, known.cut < area.value.length);
    back.mark(known.cut, wrong);
    counted.textContent = known.count ? inWords(known.count, last.counts.limit, syntax) : '–';
    counted.title = known.count?.text ?? '';
    const why = suggestions.isOpen() ? null : last.why?.replace(/^settings: (prompt|negative): /, ''); // half typed: not yet wrong
    wrongs.textContent = [...problems, why].filter(Boolean).join('; ');
    reader.hidden = syntax !== 'plain' || !hasWeights(area.value);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const text = problems.join('. ');
      if (spoken.textContent !== text) spoken.textContent = text;
    }, 1000);
  };

  area.addEventListener('input', () => {
    if (known.cut < Infinity) known.cut = moved(known.cut, known.text, area.value);
    known.text = area.value;
    render();
  });
  area.addEventListener('keydown', (event) => {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!direction || event.shiftKey) return;
    if (event.altKey && !event.ctrlKey && isLong) {
      earlier(direction);
    } else if ((event.ctrlKey || event.metaKey) && !event.altKey) {
      const isCompel = context.setting('prompt_syntax') === 'compel';
      const change = weigh(area.value, area.selectionStart, area.selectionEnd, direction, isCompel);
      if (change) replace(area, change.start, change.end, change.text, change.from, change.to);
      suggestions.close();
    } else {
      return;
    }
    event.preventDefault();
  });
  field.count = (counts, why) => {
    last = { counts, why: counts ? null : why };
    const count = counts?.[option.key] ?? null;
    const cutAt = count?.cut_at ?? null;
    known = { count, cut: cutAt === null ? Infinity : placeOf(area.value.trimStart(), cutAt) + area.value.search(/\S|$/), text: area.value };
    render();
  };
  render();
  return field;
}
