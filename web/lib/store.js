// store.js - what the browser remembers for its user: drafts and tastes, and marks until the server has them.
const PREFIX = 'sdxl-lab.';

export function load(key, otherwise = null) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Whether it is remembered: a browser may be full, or forbid it. */
export function save(key, value) {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
