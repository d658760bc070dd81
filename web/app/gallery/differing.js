// differing.js - the table below a comparison: the settings in which its pictures differ, prompts word by word.
import { h } from '../../lib/dom.js';
import { flatten, mainFacts } from './details.js';

/** What the pictures are called, in the table and beside it. */
export const LETTERS = [...'ABCDEFGH'];

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

/** The table and how many settings are equal, as elements. pictures: as the server tells of them. */
export function differing(pictures) {
  const all = pictures.map(factsOf);
  const names = [...new Set(all.flatMap((facts) => [...facts.keys()]))];
  const differ = names.filter((name) => all.some((facts) => facts.get(name) !== all[0].get(name)));
  const cell = (name, mine) => h('td', {}, /prompt/i.test(name)
    ? marked(mine.get(name) ?? '', all.filter((other) => other !== mine).map((other) => other.get(name) ?? '')) : mine.get(name) ?? '–');
  const rows = differ.map((name) =>
    h('tr', {}, h('th', { attrs: { scope: 'row' } }, name), all.map((facts) => cell(name, facts))));
  const heads = ['Setting', ...LETTERS.slice(0, all.length)].map((text) => h('th', { attrs: { scope: 'col' } }, text));
  return [
    rows.length ? h('table', { className: 'differences' }, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, rows))
      : h('p', {}, 'All settings are equal.'),
    h('p', { className: 'soft small' }, `${names.length - differ.length} equal`)];
}
