// form.js - the settings of a job as a form, made from the server's option table: what people set most comes first and
// in this order, everything else that the network may set follows under "More".
import { get } from '../../lib/api.js';
import { h } from '../../lib/dom.js';
import { jobs } from '../../lib/jobs.js';
import { load, save } from '../../lib/store.js';
import { fieldOf, titleOf } from './fields.js';
import { initImage } from './init_image.js';
import { promptField } from './prompt/box.js';
import { makeCounts } from './prompt/counts.js';
import { loraField, seedField, sizeField } from './special.js';

const FIRST = ['prompt', 'negative', 'model', 'profile', 'size', 'scheduler', 'steps', 'guidance', 'seed', 'batch', 'lora'];
const WAIT_MS = 200;
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

/** The fields of options in their groups. byKey: where each is put; context: what a field may ask of the form. */
function makeFields(options, lists, byKey, context) {
  const make = (key) => {
    const option = options.get(key);
    if (!option) return null;
    byKey.set(key, SPECIAL[key]?.(option, context, lists) ?? fieldOf(option, lists, RANGES));
    return byKey.get(key);
  };
  const group = (keys) => keys.map(make).filter(Boolean);
  const rest = [...options.keys()].filter((key) => !FIRST.includes(key) && !ELSEWHERE.includes(key));
  const groups = { first: group(FIRST), sweeps: group(SWEEPS), more: group(['sweep', ...rest]) };
  exclusive(groups.sweeps);
  return { ...groups, init: initImage(make('strength')), byKey, all: Object.values(groups).flat() };
}

/** Bundles that are loved, to be put into the form by set(settings): listed when somebody looks. */
function makeBundles(set) {
  const list = h('ul', { className: 'bundle-rows' });
  const element = h('details', { className: 'bundle-choice' }, h('summary', {}, 'Bundles you love'), list);
  element.addEventListener('toggle', () => element.open && import('./bundles.js').then(({ listBundles }) => listBundles(list, set)));
  return element;
}

/** Which settings differ: below all others, and loaded when those are there. access, last: see diff.js. */
function makeDiff(access, last) {
  const diff = { element: h('details', { className: 'diff' }), render: () => {} };
  import('./diff.js').then(({ fillDiff }) => {
    diff.render = fillDiff(diff.element, access, last);
    diff.render();
  });
  return diff;
}

const elements = (list) => list.map((field) => field.element);

const layOut = (fields, bundles, diff) => h('form', { className: 'panel form', noValidate: true, aria: { label: 'Settings' } },
  h('div', { className: 'fields' }, elements(fields.first), fields.init.element,
    h('fieldset', { className: 'sweeps' }, h('legend', {}, 'Sweep'), elements(fields.sweeps)), bundles,
    h('details', {}, h('summary', {}, 'More'), elements(fields.more)), diff.element));

/** What the fields say, and putting settings into them. */
function access(fields) {
  return {
    settings: () => {
      const out = fields.init.read();
      for (const field of fields.all) {
        const value = field.read();
        if (value !== undefined) out[field.key] = value;
      }
      return out;
    },
    write: (from) => {
      for (const field of fields.all) field.write(from[field.key]);
      fields.init.write(from);
    },
    fail: (key, text) => {
      for (const field of fields.all) field.fail(null);
      const field = fields.byKey.get(key?.replaceAll('-', '_'));
      field?.element.closest('details')?.setAttribute('open', '');
      field?.fail(text);
      return Boolean(field);
    },
  };
}

/** Tells of each change a moment later, keeps the draft, and has tokens counted. */
function follow(form, fields, diff) {
  const keep = () => save('draft', form.settings());
  const counts = makeCounts(form.settings, (counted, error) => {
    const about = PROMPTS.includes(error?.field) ? error.field : 'prompt';
    for (const key of PROMPTS) fields.byKey.get(key)?.count(counted, key === about && error?.code ? error.message : null);
  });
  let timer = 0;
  form.changed = () => {
    counts.ask();
    clearTimeout(timer);
    timer = setTimeout(() => {
      keep();
      diff.render();
      form.onchange();
    }, WAIT_MS);
  };
  form.end = () => {
    removeEventListener('pagehide', keep);
    clearTimeout(timer);
    keep();
    counts.end();
  };
  addEventListener('pagehide', keep);
  form.element.addEventListener('input', form.changed);
  form.element.addEventListener('change', form.changed);
  fields.init.onchange = form.changed;
  counts.ask();
}

/** {element, settings(), write(settings), fail(field, text), changed(), onchange, end()} */
export async function makeForm() {
  const [{ options: rows }, lists] = await Promise.all([get('options'), readLists()]);
  const options = new Map(rows.map((option) => [option.key, option]));
  const byKey = new Map();
  const set = (settings) => {
    for (const [key, value] of Object.entries(settings)) byKey.get(key)?.write(value);
    form.changed();
  };
  const fields = makeFields(options, lists, byKey, {
    setting: (key) => byKey.get(key)?.read(),
    set: (key, value) => set({ [key]: value }),
    earlier: earlierPrompts,
  });
  const form = { ...access(fields), onchange: () => {} };
  const diff = makeDiff({
    settings: form.settings,
    title: (key) => byKey.has(key) && titleOf(options.get(key)),
    byDefault: (key) => (options.get(key)?.type === 'switch' ? undefined : options.get(key)?.default ?? undefined),
    reset: (key, value) => set({ [key]: value }),
  }, lastDrawn);
  form.element = layOut(fields, makeBundles(set), diff);
  form.write(load('draft', {}));
  follow(form, fields, diff);
  return form;
}
