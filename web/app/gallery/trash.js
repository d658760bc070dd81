// trash.js - to the trash and back: one click, then ten seconds to think better of it.
import { post, remove } from '../../lib/api.js';
import { button, fill, h, say } from '../../lib/dom.js';
import { forget } from './details.js';

const UNDO_MS = 10000;
let timer = 0;
let note = null;

function hide() {
  clearTimeout(timer);
  note?.remove();
  note = null;
}

/** Say something at the bottom for a while, with a button or without. */
export function tellBelow(text, action = null) {
  hide();
  note = h('div', { className: 'g-note', attrs: { role: 'status' } });
  document.body.append(note);
  fill(note, h('span', {}, text), action && button(action.text, () => {
    hide();
    action.run();
  }));
  timer = setTimeout(hide, UNDO_MS);
}

/** Move a picture to the trash. onBack(id) when it came back. True: it is there. */
export async function toTrash(id, onBack) {
  try {
    await remove(`pictures/${id}`);
  } catch (error) {
    tellBelow(`Not moved to the trash: ${error.message}`);
    say(error.message, true);
    return false;
  }
  forget(id);
  tellBelow('In the trash.', { text: 'Undo', run: () => restore(id, onBack) });
  return true;
}

export async function restore(id, onBack) {
  try {
    await post(`pictures/${id}/restore`);
  } catch (error) {
    tellBelow(`Not brought back: ${error.message}`);
    say(error.message, true);
    return;
  }
  forget(id);
  onBack(id);
}
