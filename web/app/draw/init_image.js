// init_image.js - a picture to begin with: dropped, pasted, chosen, or one of the gallery.
import { ApiError, post } from '../../lib/api.js';
import { button, fill, h, say } from '../../lib/dom.js';

/** strength: the field of that option. {element, read(), write(settings), take(file), onchange} */
export function initImage(strength) {
  const state = { name: null, url: null };
  const input = h('input', { type: 'file', accept: 'image/png,image/jpeg,image/webp', className: 'unseen', tabIndex: -1 });
  const shown = h('div', { className: 'init-shown' });
  const error = h('p', { className: 'field-error', hidden: true });
  const self = { element: null, onchange: () => {} };

  const render = () => {
    if (!state.name) {
      fill(shown, button('Choose, drop or paste a picture', () => input.click(), { className: 'drop' }));
    } else {
      fill(shown, state.url && h('img', { src: state.url, alt: 'the picture to begin with' }),
        button('Remove', () => set(null, null)), button('Another', () => input.click()));
    }
    strength.element.hidden = !state.name;
  };
  const set = (name, url) => {
    if (state.url?.startsWith('blob:')) URL.revokeObjectURL(state.url);
    Object.assign(state, { name, url });
    render();
    self.onchange();
  };
  const take = async (file) => {
    error.hidden = true;
    const body = new FormData();
    body.append('file', file);
    try {
      const reply = await post('uploads', body);
      set(reply.init_image ?? reply.name, URL.createObjectURL(file));
    } catch (failure) {
      error.hidden = false;
      error.textContent = failure instanceof ApiError ? failure.message : String(failure);
      say(error.textContent, true);
    }
  };
  input.onchange = () => input.files[0] && take(input.files[0]);

  self.element = h('div', { className: 'field init', data: { key: 'init_image' } }, h('span', { className: 'label' }, 'Image to image'),
    input, shown, strength.element, error);
  self.element.ondragover = (event) => event.preventDefault();
  self.element.ondrop = (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  };
  self.take = take;
  self.set = set;
  self.read = () => {
    if (!state.name) return {};
    const value = strength.read();
    return value === undefined ? { init_image: state.name } : { init_image: state.name, strength: value };
  };
  self.write = (settings) => {
    state.name = settings.init_image ?? null;
    state.url = null;
    strength.write(settings.strength);
    render();
  };
  render();
  return self;
}
