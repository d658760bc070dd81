// style.js - a view's own style sheet, loaded with the view and once.
const there = new Map();

/** Resolves when the sheet of web/style applies. */
export function style(name) {
  if (!there.has(name))
    there.set(name, new Promise((resolve) => {
      const link = document.createElement('link');
      link.rel = 'stylesheet';
      link.href = new URL(`../style/${name}.css`, import.meta.url).href;
      link.onload = link.onerror = resolve;
      document.head.append(link);
    }));
  return there.get(name);
}
