// reuse.js - settings of a picture that is there: ?from=ID (all of them), &vary=1 (without the seed), ?init=ID (the
// picture as one to begin with).
import { get, pictureFile, post } from '../../lib/api.js';

const TAKEN = ['prompt', 'negative', 'profile', 'scheduler', 'steps', 'guidance', 'guidance_rescale', 'seed', 'rng', 'strength',
  'clip_skip', 'prompt_syntax'];

async function settingsOfPicture(id) {
  const reply = await get(`pictures/${id}`);
  const picture = reply.picture ?? reply;
  const out = { model: picture.model_key, size: `${picture.width}x${picture.height}` };
  for (const key of TAKEN) if (picture[key] !== undefined && picture[key] !== null) out[key] = picture[key];
  if (out.negative === undefined && picture.negative_prompt) out.negative = picture.negative_prompt;
  if (picture.mode !== 'img2img') delete out.strength;
  return out;
}

async function asInit(id) {
  const body = new FormData();
  body.append('file', await (await fetch(pictureFile(id))).blob(), 'picture.png');
  return (await post('uploads', body)).init_image;
}

/** The settings that the address asks for; null: none. */
export async function settingsOf(query) {
  if (query.get('from')) {
    const settings = await settingsOfPicture(query.get('from'));
    if (query.get('vary')) delete settings.seed;
    return settings;
  }
  if (!query.get('init')) return null;
  const settings = await settingsOfPicture(query.get('init'));
  return { ...settings, seed: undefined, init_image: await asInit(query.get('init')) };
}
