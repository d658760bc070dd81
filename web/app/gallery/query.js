// query.js - which pictures are meant: words that people type, parameters of the address and of the API. A filter is a
// Map of the API's parameters; the address of the gallery has the same names, so that it can be read.

const STATES = {
  loved: ['loved', 'true', 'favourites'],
  rejected: ['rejected', 'only', 'rejected'],
  kept: ['rejected', 'without', 'not rejected'],
  judged: ['judged', 'only', 'judged'],
  unjudged: ['judged', 'without', 'not judged'],
  trash: ['trash', 'only', 'in the trash'],
};
const isAny = () => true;
/** "30", ">20", ">=20", "<40", "<=40", "20..40". */
const isRange = (text) => /^((>=?|<=?)?\d+(\.\d+)?|\d+(\.\d+)?\.\.\d+(\.\d+)?)$/.test(text);
const isWholeRange = (text) => isRange(text) && !/\d\.\d/.test(text);
const isStars = (text) => /^(>=)?[1-5]$/.test(text);

/** What can be asked for: word of the search box, parameter of the API, name of its facet, what a value looks like. */
export const FIELDS = [
  { word: 'model', param: 'model', label: 'Model', facet: 'model_key', isValue: isAny },
  { word: 'profile', param: 'profile', label: 'Profile', facet: 'profile', isValue: isAny },
  { word: 'scheduler', param: 'scheduler', label: 'Scheduler', facet: 'scheduler', isValue: isAny },
  { word: 'size', param: 'size', label: 'Size', facet: 'size', isValue: isAny },
  { word: 'steps', param: 'steps', label: 'Steps', facet: 'steps', isValue: isWholeRange, example: 'steps:30, steps:>20 or steps:20..40' },
  { word: 'guidance', param: 'guidance', label: 'Guidance', facet: 'guidance', isValue: isRange, example: 'guidance:7.5, guidance:<=5 or guidance:5..7.5' },
  { word: 'run', param: 'run', label: 'Run', facet: 'run_dir', isValue: isAny },
  { word: 'lora', param: 'lora', label: 'LoRA', facet: 'lora', isValue: isAny },
  { word: 'vae', param: 'vae', label: 'VAE', isValue: isAny },
  { word: 'seed', param: 'seed', label: 'Seed', isValue: isWholeRange, example: 'seed:42 or seed:1000..1999' },
  { word: 'since', param: 'since', label: 'Since', isValue: isAny },
  { word: 'until', param: 'until', label: 'Until', isValue: isAny },
  { word: 'stars', param: 'min_rating', label: 'Stars', isValue: isStars, example: 'stars:>=3' },
];
const SORTS = ['newest', 'oldest', 'best'];
const PARAMS = new Set([...FIELDS.map((field) => field.param), ...Object.values(STATES).map((state) => state[0]), 'text', 'exclude', 'sort']);

/** A run is known by the last part of its folder. */
export const shortValue = (param, value) => (param === 'run' ? (value.split('/').filter(Boolean).pop() ?? value) : value);

/** The filter that an address means. */
export function readFilter(query) {
  const filter = new Map();
  for (const [param, value] of query) if (PARAMS.has(param) && value) filter.set(param, value);
  if (!SORTS.includes(filter.get('sort')) || filter.get('sort') === 'newest') filter.delete('sort');
  return filter;
}

export const queryOf = (filter) => new URLSearchParams([...filter].filter(([, value]) => value)).toString();

/** "gallery?model=..." or "picture/12?model=...", as addresses of this page. */
export function pathOf(place, filter) {
  const query = queryOf(filter);
  return query ? `${place}?${query}` : place;
}

/** What is asked for beside words: [{param, text, rest}], each of which can be taken away; rest: what of the parameter is
 *  left then. */
export function chipsOf(filter) {
  const chips = [];
  for (const [param, value] of filter) {
    const field = FIELDS.find((one) => one.param === param);
    const state = Object.values(STATES).find((one) => one[0] === param && one[1] === value);
    const words = param === 'exclude' ? value.split(' ').filter(Boolean) : [];
    for (const word of words) chips.push({ param, text: `not ${word}`, rest: words.filter((one) => one !== word).join(' ') });
    if (param === 'min_rating') chips.push({ param, text: value === '5' ? '5 stars' : `${value} ${value === '1' ? 'star' : 'stars'} or more` });
    else if (field) chips.push({ param, text: `${field.label}: ${shortValue(param, value)}` });
    else if (state) chips.push({ param, text: state[2] });
  }
  return chips;
}

const unquote = (text) => text.replace(/^"(.*)"$/, '$1');

/** Take "word:value" out of what was typed. One that is not finished (nothing behind it yet) stays, unless isWhole.
 *  "-word" is one that prompts have not. Returns {found: [[param, value]], excluded: words, rest, hint: what is wrong with the first word that nothing is, or null}. */
export function readWords(text, isWhole) {
  const found = [];
  const rest = [];
  const excluded = [];
  let hint = null;
  const tokens = text.match(/[^\s":]+:"[^"]*"?|\S+/g) ?? [];
  tokens.forEach((token, i) => {
    const [, word, value] = /^([a-z]+):(.*)$/i.exec(token) ?? [];
    const isDone = isWhole || i < tokens.length - 1 || /\s$/.test(text);
    const field = word && FIELDS.find((one) => one.word === word.toLowerCase());
    const state = word?.toLowerCase() === 'is' ? STATES[value.toLowerCase()] : null;
    if (/^-[^-]/.test(token) && isDone) excluded.push(token.slice(1));
    else if (!word || (!value && !isDone)) rest.push(token);
    else if (state && isDone) found.push([state[0], state[1]]);
    else if (field && isDone && value && field.isValue(unquote(value)))
      found.push([field.param, unquote(value).replace(/^>=/, '')]);
    else {
      rest.push(token);
      if (isDone) hint ??= hintOf(word, field);
    }
  });
  return { found, excluded, rest: rest.join(' '), hint };
}

function hintOf(word, field) {
  if (field) return `${field.word} is asked for like this: ${field.example ?? `${field.word}:"two words"`}`;
  if (word.toLowerCase() === 'is') return `is: takes ${Object.keys(STATES).join(', ')}`;
  return `"${word}:" is nothing here; there are ${FIELDS.map((one) => one.word).join(', ')} and is`;
}
