// form.js - the settings of a job as a form, made from the server's option table: what people set most comes first and
// in this order, everything else that the network may set follows under "More".
import { get } from '../../lib/api.js';
import { h } from '../../lib/dom.js';
import { jobs } from '../../lib/jobs.js';
import { load, save } from '../../lib/store.js';
import { makeDiff } from './diff.js';
import { fieldOf, seedField, titleOf } from './fields.js';
import { initImage } from './init_image.js';
import { loraField } from './lora_rows.js';
import { promptField } from './prompt/box.js';
import { makeCounts } from './prompt/counts.js';
import { sizeField } from './size.js';

const FIRST = ['prompt', 'negative', 'model', 'profile', 'size', 'scheduler', 'steps', 'guidance', 'seed', 'batch', 'lora'];
const PROMPTS = ['prompt', 'negative'];
const SWEEPS = ['all_profiles', 'all_models'];
const ELSEWHERE = ['width', 'height', 'mode', 'init_image', 'strength', 'revision', 'sweep', ...SWEEPS];
const RANGES = { steps: { min: 1, max: 60 }, guidance: { min: 1, max: 15, step: 0.5 }, batch: { min: 1, max: 8 },
  strength: { min: 0, max: 1, step: 0.05 }, clip_skip: { min: 1, max: 4 }, guidance_rescale: { min: 0, max: 1, step: 0.05 } };

const names = (list, value = (one) => one.name) => list.map((one) => ({ value: value(one), text: value(one) }));

/** Names for fields that have a list. */
async function readLists() {
  const [models, profiles, presets, schedulers, loras, embeddings] = await Promise.all(
    ['models', 'profiles', 'presets', 'schedulers', 'loras', 'embeddings'].map((list) => get(list)));
  return {
    models: models.models.map((model) => ({ value: model.key, isDisabled: model.state === 'not cached',
      text: model.state === 'not cached' ? `${model.key} (not cached)` : model.key })),
    profiles: names(profiles.profiles),
    presets: presets.presets.map((preset) => ({ value: preset.name, text: `${preset.name}, ${preset.width}×${preset.height}`,
      width: preset.width, height: preset.height })),
    schedulers: names(schedulers.schedulers),
    loras: names(loras.loras ?? []),
    embeddings: names(embeddings.embeddings ?? []),
  };
}

/** Prompts of jobs that the queue knows, each once, the newest first. */
const earlierPrompts = () => [...new Set([...jobs.values()].sort((a, b) => b.created - a.created)
  .map((job) => job.settings?.prompt).filter(Boolean))];

/** Settings of the newest job that has drawn something; null: none is known. */
const lastDrawn = () => [...jobs.values()].filter((job) => job.n_done > 0).sort((a, b) => b.created - a.created)[0]?.settings ?? null;

/** Controls that are not what their option's type says. */
const SPECIAL = {
  prompt: promptField,
  negative: promptField,
  lora: (option, context, lists) => loraField(option, lists.loras.map((one) => one.value)),
  size: (option, context, lists) => sizeField(option, lists.presets),
  seed: (option) => seedField(option, () => lastDrawn()?.seed),
};

/** Exactly one of two sweeps, or none. */
function exclusive(fields) {
  for (const field of fields)
    field.target.addEventListener('change', () => {
      for (const other of fields) if (other !== field && field.target.checked) other.write(false);
    });
}

/** {element, settings(), write(settings), fail(field, text), onchange} */
export async function makeForm() {
  const [options, lists] = await Promise.all([get('options').then((reply) => reply.options), readLists()]);
  const byKey = new Map(options.map((option) => [option.key, option]));
  const fieldByKey = new Map();
  const context = {
    setting: (key) => fieldByKey.get(key)?.read(),
    set: (key, value) => {
      fieldByKey.get(key)?.write(value);
      element.dispatchEvent(new Event('change'));
    },
    earlier: earlierPrompts,
  };
  const make = (key) => {
    if (!byKey.has(key)) return false;
    const option = byKey.get(key);
    const field = SPECIAL[key]?.(option, context, lists) ?? fieldOf(option, lists, RANGES);
    fieldByKey.set(key, field);
    return field;
  };
  const first = FIRST.map(make).filter(Boolean);
  const sweeps = SWEEPS.map(make).filter(Boolean);
  exclusive(sweeps);
  const init = initImage(make('strength'));
  const rest = [...byKey.keys()].filter((key) => !FIRST.includes(key) && !ELSEWHERE.includes(key)).map(make);
  const more = make('sweep') ? [make('sweep'), ...rest] : rest;
  const fields = [...first, ...sweeps, ...more];
  const elements = (list) => list.map((field) => field.element);
  const diff = makeDiff({
    settings: () => settings(),
    title: (key) => fieldByKey.has(key) && titleOf(byKey.get(key)),
    byDefault: (key) => (byKey.get(key)?.type === 'switch' ? undefined : byKey.get(key)?.default ?? undefined),
    reset: (key, value) => context.set(key, value),
  }, lastDrawn);
  const element = h('form', { className: 'panel form', noValidate: true, aria: { label: 'Settings' } },
    h('div', { className: 'fields' }, elements(first), init.element,
      h('fieldset', { className: 'sweeps' }, h('legend', {}, 'Sweep'), elements(sweeps)),
      h('details', {}, h('summary', {}, 'More'), elements(more)), diff.element));

  const settings = () => {
    const out = init.read();
    for (const field of fields) {
      const value = field.read();
      if (value !== undefined) out[field.key] = value;
    }
    return out;
  };
  const write = (from) => {
    for (const field of fields) field.write(from[field.key]);
    init.write(from);
  };
  const fail = (key, text) => {
    for (const field of fields) field.fail(null);
    const field = fields.find((one) => one.key === key?.replaceAll('-', '_'));
    field?.element.closest('details')?.setAttribute('open', '');
    field?.fail(text);
    return Boolean(field);
  };
  const counts = makeCounts(settings, (counted, error) => {
    const about = PROMPTS.includes(error?.field) ? error.field : 'prompt';
    for (const key of PROMPTS) fieldByKey.get(key)?.count(counted, key === about && error?.code ? error.message : null);
  });
  write(load('draft', {}));
  diff.render();
  counts.ask();
  let timer = 0;
  const form = { element, settings, write, fail, onchange: () => {} };
  const keep = () => save('draft', settings());
  addEventListener('pagehide', keep);
  form.end = () => {
    removeEventListener('pagehide', keep);
    clearTimeout(timer);
    keep();
    counts.end();
  };
  const changed = () => {
    counts.ask();
    clearTimeout(timer);
    timer = setTimeout(() => {
      keep();
      diff.render();
      form.onchange();
    }, 200);
  };
  element.addEventListener('input', changed);
  element.addEventListener('change', changed);
  form.changed = changed;
  init.onchange = changed;
  return form;
}
