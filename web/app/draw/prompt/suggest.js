// suggest.js - what a prompt may go on with, in a list below the caret: a listbox that belongs to the text area while it
// is open (the ARIA pattern of a combobox), for keys, mouse and touch. Focus stays in the text.
import { get } from '../../../lib/api.js';
import { fill, h, plural } from '../../../lib/dom.js';
import { placeOf, replace } from './text.js';

const WAIT_MS = 120;
const TAIL = 200; // characters before the caret that are sent
const KINDS = { profile: 'profile', lora: 'LoRA', embedding: 'embedding', wildcard: 'wildcard' };

/** area: the text area; place(at): {top} of a place of its text, in the element that holds the list; choose(item): tells
 *  of an item that puts no text in (a profile); closed(): tells that the list has gone. {element, isOpen(), close(), ask()} */
export function makeSuggestions(area, place, choose, closed) {
  const id = `${area.id}-list`;
  const list = h('ul', { className: 'suggestions', id, attrs: { role: 'listbox' }, hidden: true, aria: { label: 'What the prompt may go on with' } });
  const state = { items: [], active: -1, base: 0, timer: 0, flight: null };

  const close = () => {
    clearTimeout(state.timer);
    state.flight?.abort();
    if (list.hidden) return;
    list.hidden = true;
    for (const name of ['role', 'aria-expanded', 'aria-controls', 'aria-autocomplete', 'aria-activedescendant'])
      area.removeAttribute(name);
    closed();
  };

  const activate = (index) => {
    const options = list.children;
    options[state.active]?.setAttribute('aria-selected', 'false');
    state.active = index;
    if (index < 0) return area.removeAttribute('aria-activedescendant');
    options[index].setAttribute('aria-selected', 'true');
    options[index].scrollIntoView({ block: 'nearest' });
    area.setAttribute('aria-activedescendant', options[index].id);
  };

  const accept = (index) => {
    const item = state.items[index];
    const tail = area.value.slice(state.base, area.selectionStart);
    const start = state.base + placeOf(tail, item.from);
    close();
    replace(area, start, area.selectionStart, item.text);
    if (item.kind === 'profile') choose(item);
  };

  const open = (items, isMarked) => {
    state.items = items;
    state.active = -1;
    if (!items.length) return close();
    fill(list, items.map((item, index) => {
      const about = item.kind === 'word' ? plural(Number(item.about), 'picture') : item.about;
      const option = h('li', { id: `${id}-${index}`, attrs: { role: 'option' }, aria: { selected: 'false' } },
        h('span', { className: 'name' }, item.name), h('span', { className: 'soft small about' }, about),
        h('span', { className: 'soft small kind' }, KINDS[item.kind] ?? ''));
      option.onpointerdown = (event) => event.preventDefault(); // focus stays in the text
      option.onclick = () => accept(index);
      return option;
    }));
    list.style.top = `${place(area.selectionStart).top}px`;
    list.hidden = false;
    for (const [name, value] of [['role', 'combobox'], ['aria-expanded', 'true'], ['aria-controls', id], ['aria-autocomplete', 'list']])
      area.setAttribute(name, value);
    if (isMarked) activate(0);
  };

  const ask = async () => {
    const caret = area.selectionStart;
    const base = Math.max(0, caret - TAIL);
    const typed = area.value.slice(base, caret);
    if (caret !== area.selectionEnd || !typed.trim() || document.activeElement !== area) return close();
    state.flight?.abort();
    const mine = (state.flight = new AbortController());
    try {
      const reply = await get(`complete?text=${encodeURIComponent(typed)}`, mine.signal);
      if (mine !== state.flight || area.selectionStart !== caret) return;
      state.base = base;
      open(reply.items, /(<|__|embedding:)[^\s,]*$/.test(typed));
    } catch {
      if (!mine.signal.aborted) close(); // nothing is known to go on with
    }
  };

  const askSoon = () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(ask, WAIT_MS);
  };

  area.addEventListener('input', (event) => {
    clearTimeout(state.timer);
    state.flight?.abort();
    if (event.isComposing || event.inputType?.startsWith('history')) return close();
    askSoon();
  });
  area.addEventListener('keydown', (event) => {
    if (list.hidden || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const n = state.items.length;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) activate((state.active < 0 && step < 0 ? n - 1 : state.active + step + n) % n);
    else if (event.key === 'Escape') close();
    else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey && state.active >= 0) accept(state.active);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  area.addEventListener('keyup', (event) => ['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key) && close());
  area.addEventListener('blur', close);
  return { element: list, isOpen: () => !list.hidden, close, ask: askSoon };
}
