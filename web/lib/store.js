// store.js - what the browser remembers for its user: drafts and tastes, never anything that only lies here.
const PREFIX = 'sdxl-lab.';

export function load(key, otherwise = null) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function save(key, value) {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // full, or forbidden: then nothing is remembered
  }
}
