// details.js - what the server knows of single pictures, kept for those looked at last.
import { get } from '../../lib/api.js';

const MOST = 400;
const cache = new Map(); // by id: a promise
const there = new Map(); // by id: the picture

/** One picture with its record, by its number or its cell. */
export function details(id) {
  const kept = cache.get(id);
  if (kept) return kept;
  const promise = get(`pictures/${id}`).then(
    (picture) => {
      there.set(picture.id, picture);
      if (there.size > MOST) there.delete(there.keys().next().value);
      return picture;
    },
    (error) => {
      cache.delete(id);
      throw error;
    });
  cache.set(id, promise);
  if (cache.size > MOST) cache.delete(cache.keys().next().value);
  return promise;
}

/** The same if it is here already. */
export const known = (id) => there.get(id);

export function forget(id) {
  cache.delete(there.get(id)?.cell);
  cache.delete(id);
  there.delete(id);
}

/** What somebody hears who does not see it. */
export function altOf(picture) {
  const words = picture.prompt ?? picture.styled_prompt ?? '';
  const start = words.length > 120 ? `${words.slice(0, 117)}…` : words;
  return [picture.profile, picture.model_key, picture.seed && `seed ${picture.seed}`, start].filter(Boolean).join(', ');
}

/** What is told of a picture first, in this order: [name, value]. */
export function mainFacts(picture) {
  const size = picture.width ? `${picture.width}×${picture.height}` : null;
  return [
    ['Negative prompt', picture.negative ?? picture.negative_prompt], ['Model', picture.model_key], ['Profile', picture.profile],
    ['Size', size], ['Steps', picture.steps], ['Guidance', picture.guidance], ['Scheduler', picture.scheduler],
    ['Seed', picture.seed], ['LoRA', picture.lora], ['VAE', picture.vae], ['Strength', picture.strength],
    ['Made', picture.made_at?.replace('T', ' ').replace('Z', ' UTC')],
  ].filter(([, value]) => value !== null && value !== undefined && value !== '');
}

const LONGEST_LIST = 6;
/** Everything of an object as [name, text]; names of inner ones are joined by dots. */
export function flatten(object, prefix = '') {
  const rows = [];
  for (const [key, value] of Object.entries(object ?? {})) {
    const name = prefix + key;
    if (value === null || value === '') continue;
    if (Array.isArray(value) && value.every((one) => typeof one !== 'object')) {
      const more = value.length > LONGEST_LIST ? `, … (${value.length})` : '';
      rows.push([name, value.slice(0, LONGEST_LIST).join(', ') + more]);
    } else if (typeof value === 'object') rows.push(...flatten(value, `${name}.`));
    else rows.push([name, String(value)]);
  }
  return rows;
}
