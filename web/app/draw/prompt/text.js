// text.js - a prompt as text: attention weights around what is selected, brackets without a partner, and changing a field
// so that the browser's own undo takes it back. Nothing here knows the page.

const STEP = 0.05;
const OPEN = { '(': ')', '[': ']', '{': '}' };
const CLOSED = new Set(Object.values(OPEN));

/** Put text in the place of [start, end) of a text area and leave [from, to) of the whole selected. */
export function replace(area, start, end, text, from = start + text.length, to = from) {
  area.focus();
  area.setSelectionRange(start, end);
  const isDone = document.execCommand(text ? 'insertText' : 'delete', false, text);
  if (!isDone && start !== end + text.length) {
    area.setRangeText(text, start, end, 'end');
    area.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }
  area.setSelectionRange(from, to);
}

/** Places of brackets that have no partner. A backslash makes a sign of the next one. */
export function unbalanced(text) {
  const open = [];
  const wrong = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (OPEN[c]) open.push([c, i]);
    else if (CLOSED.has(c)) {
      if (open.length && OPEN[open.at(-1)[0]] === c) open.pop();
      else wrong.push(i);
    }
  }
  return [...wrong, ...open.map(([, at]) => at)].sort((a, b) => a - b);
}

const isOfWord = (c) => c !== undefined && /[\p{L}\p{N}_'’-]/u.test(c);

/** The word at a place of a text. */
function wordAt(text, at) {
  let start = at;
  let end = at;
  while (start > 0 && isOfWord(text[start - 1])) start--;
  while (end < text.length && isOfWord(text[end])) end++;
  return [start, end];
}

const number = (value) => String(Math.round(value * 100) / 100);

/** The tag of a LoRA around a place, as [start, end, name, weight]. */
function tagAround(text, start, end) {
  for (const found of text.matchAll(/<(lora|lyco):([^<>:]+)(?::(-?[\d.]+))?>/g)) {
    const [from, to] = [found.index, found.index + found[0].length];
    if (from <= start && end <= to) return { from, to, before: `<${found[1]}:${found[2]}`, weight: Number(found[3] ?? 1) };
  }
  return null;
}

/** The innermost weighted brackets around a place: {from, to, inner, weight}. isCompel: (x)1.1, else (x:1.1). */
function weightedAround(text, start, end, isCompel) {
  const pattern = isCompel ? /\(([^()]*)\)(-?\d*\.?\d+)/g : /\(([^()]*):(-?\d*\.?\d+)\)/g;
  for (const found of text.matchAll(pattern)) {
    const [from, to] = [found.index, found.index + found[0].length];
    if (from <= start && end <= to) return { from, to, inner: found[1], weight: Number(found[2]) };
  }
  return null;
}

/** Weigh what is selected, or the word at the caret, more (1) or less (-1): {start, end, text, from, to}, to be handed to
 *  replace(); null where there is nothing to weigh. At 1 the brackets go. */
export function weigh(text, start, end, direction, isCompel = false) {
  const tag = tagAround(text, start, end);
  if (tag) {
    const next = `${tag.before}:${number(tag.weight + direction * STEP)}>`;
    return { start: tag.from, end: tag.to, text: next, from: tag.from, to: tag.from + next.length };
  }
  const around = weightedAround(text, start, end, isCompel);
  if (!around && start === end) [start, end] = wordAt(text, start);
  while (!around && start < end && /\s/.test(text[start])) start++;
  while (!around && start < end && /\s/.test(text[end - 1])) end--;
  if (!around && start === end) return null;
  const inner = around?.inner ?? text.slice(start, end);
  const [from, to] = around ? [around.from, around.to] : [start, end];
  const weight = number((around?.weight ?? 1) + direction * STEP);
  const isPlain = weight === '1';
  const next = isPlain ? inner : isCompel ? `(${inner})${weight}` : `(${inner}:${weight})`;
  const begin = from + (isPlain ? 0 : 1);
  return { start: from, end: to, text: next, from: begin, to: begin + inner.length };
}

/** Whether a text says weights as A1111's users write them. */
export const hasWeights = (text) => /\([^()]+:-?\d*\.?\d+\)/.test(text);

/** After an edit: where a place of the old text is in the new one. */
export function moved(at, before, after) {
  let same = 0;
  while (same < before.length && same < after.length && before[same] === after[same]) same++;
  return at <= same ? at : Math.max(same, at + after.length - before.length);
}

/** The place of the n-th character (code point) of a text. */
export const placeOf = (text, n) => [...text].slice(0, n).join('').length;
