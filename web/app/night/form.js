// form.js - a new night: what is drawn, until when, and what it keeps to; what that would be is told while it is filled
// in, by the server.
import { get, post } from '../../lib/api.js';
import { button, fill, h } from '../../lib/dom.js';
import { load, save } from '../../lib/store.js';
import { go } from '../app.js';
import { fieldOf } from '../draw/fields.js';

const DRAFT = 'night';
const CHECK_MS = 400;
/** Settings of all jobs that one thinks of in the evening; the rest is in the file of a configuration. */
const SETTINGS = ['prompt', 'steps', 'size', 'guidance', 'scheduler'];
/** Keys that have a control of their own here. */
const OWN = new Set(['prompts', 'models', 'until', 'until_jobs', 'jobs']);

/** Boxes to tick, a line each. read: the chosen names; undefined: none. */
function choices(legend, items, nothing) {
  const boxes = items.map((item) => {
    const box = h('input', { type: 'checkbox', value: item.name, disabled: Boolean(item.error) });
    return { box, element: h('label', { className: 'choice' }, box, h('span', {}, h('strong', {}, item.name),
      item.about && h('span', { className: 'soft small' }, item.about), item.error && h('span', { className: 'bad small' }, item.error))) };
  });
  const element = h('fieldset', { className: 'choices' }, h('legend', {}, legend),
    nothing && h('p', { className: 'soft small' }, nothing), h('div', { className: 'choice-list' }, boxes.map((one) => one.element)));
  const read = () => {
    const chosen = boxes.filter((one) => one.box.checked).map((one) => one.box.value);
    return chosen.length ? chosen : undefined;
  };
  const write = (values) => boxes.forEach((one) => (one.box.checked = (values ?? []).includes(one.box.value)));
  return { element, read, write };
}

/** When it ends: by the clock, by a number of pictures, or by hand. */
function ending() {
  const clock = h('input', { type: 'time', value: '07:00', aria: { label: 'Until this time' } });
  const count = h('input', { type: 'number', min: 1, value: 100, aria: { label: 'So many jobs' } });
  const kinds = [['until', 'until', clock], ['until_jobs', 'so many jobs', count], ['stopped', 'until I stop it', null]].map(([kind, text, control]) => {
    const radio = h('input', { type: 'radio', name: 'ending', value: kind, checked: kind === 'until' });
    if (control) control.onfocus = () => (radio.checked = true);
    return { radio, control, element: h('div', { className: 'ending' }, h('label', { className: 'choice' }, radio, text), control) };
  });
  const element = h('fieldset', { className: 'choices' }, h('legend', {}, 'It ends'), kinds.map((one) => one.element));
  const read = () => {
    const { value } = kinds.find((one) => one.radio.checked).radio;
    if (value === 'until') return { until: clock.value };
    return value === 'until_jobs' ? { until_jobs: Number(count.value) } : { until: 'stopped' };
  };
  const write = (config) => {
    const kind = config.until_jobs ? 'until_jobs' : config.until === 'stopped' ? 'stopped' : 'until';
    kinds.find((one) => one.radio.value === kind).radio.checked = true;
    if (config.until_jobs) count.value = config.until_jobs;
    if (kind === 'until' && config.until) clock.value = config.until;
  };
  return { element, read, write };
}

/** A key of a night as a field: what the server reads is a text, or a number. */
const kinds = new Set(['integer', 'number', 'choice']);
const fieldOfKey = (key) => fieldOf({ key: key.name, name: key.name.replaceAll('_', ' '), type: kinds.has(key.type) ? key.type : 'text', choices: key.choices,
  help: key.help, default: key.default ?? (key.argument.includes('|') ? '' : key.argument.toLowerCase()) }, {}, {});
const severalOf = (text) => text?.split(',').map((part) => part.trim()).filter(Boolean);

async function parts() {
  const [{ keys }, { themes }, { options }, { models }, { presets }, { schedulers }] =
    await Promise.all(['nights/keys', 'themes', 'options', 'models', 'presets', 'schedulers'].map((list) => get(list)));
  const lists = { presets: presets.map((one) => ({ value: one.name })), schedulers: schedulers.map((one) => one.name) };
  const there = models.filter((one) => one.state !== 'not cached').map((one) => ({ name: one.key, about: one.about }));
  const settings = SETTINGS.map((key) => options.find((one) => one.key === key)).filter(Boolean)
    .map((option) => fieldOf(option.key === 'prompt' ? { ...option, name: 'Your own prompt, instead of themes', help: 'drawn again and again with other seeds' } : option, lists, {}));
  const keyed = keys.filter((key) => !OWN.has(key.name));
  const usual = models.some((one) => one.state !== 'not cached' && one.repository) ? 'fantasy-city' : 'lab-tiny';
  return { usual, themes: choices('What is drawn', themes), models: choices('By which models', there, 'none: as the themes decide, or by the first that is here'),
    end: ending(), settings, keyed, fields: keyed.map(fieldOfKey) };
}

/** Fields of keys that say what is drawn, or of the others. */
const keysOf = (all, isDrawn) => all.fields.filter((_, i) => (all.keyed[i].group === 'What is drawn') === isDrawn);

function read(all) {
  const config = { ...all.end.read() };
  const put = (key, value) => value !== undefined && value !== '' && (config[key] = value);
  put('prompts', all.themes.read());
  put('models', all.models.read());
  for (const field of all.settings) put(field.key, field.read());
  all.fields.forEach((field, i) => {
    const value = field.read();
    put(field.key, all.keyed[i].type === 'several' ? severalOf(value) : value);
  });
  return config;
}

function write(all, config) {
  all.themes.write(config.prompts ?? (config.prompt ? [] : [all.usual])); // the world of the embedded model, where there is no other
  all.models.write(config.models);
  all.end.write(config);
  for (const field of [...all.settings, ...all.fields]) {
    const value = config[field.key];
    field.write(Array.isArray(value) ? value.join(', ') : value);
  }
}

/** What favourites make likely: "model: A 62 %, B 20 %, C 9 %." */
function sharesOf([setting, shares]) {
  const best = Object.entries(shares).sort((a, b) => b[1] - a[1]).slice(0, 3);
  return ` By lot, ${setting}: ${best.map(([value, share]) => `${value} ${Math.round(100 * share)} %`).join(', ')}.`;
}

/** Fill in the form; returns what ends it. */
export function form(element) {
  let timer = 0;
  let asked = 0;
  const plan = h('p', { className: 'plan', role: 'status' });
  const first = h('ul', { className: 'first-jobs small' });
  fill(element, h('h2', {}, 'A new night'), h('p', { className: 'soft' }, 'Loading …'));

  const begin = (all) => {
    const told = h('p', { className: 'bad', role: 'alert' });
    const fieldsOf = [...all.settings, ...all.fields];
    const check = async () => {
      const mine = ++asked;
      const config = read(all);
      try {
        const { until, prompts, lots, first_jobs: jobs } = await post('nights/check', { config });
        if (mine !== asked) return;
        fill(plan, `It ends: ${until}.`, prompts && ` ${prompts}.`, Object.entries(lots).map(sharesOf));
        fill(first, jobs.map((job) => h('li', {}, job.prompt ?? config.prompt)));
      } catch (error) {
        if (mine !== asked) return;
        fill(plan, h('span', { className: 'bad' }, error.message));
        fill(first);
      }
    };
    const start = async () => {
      fill(told);
      for (const field of fieldsOf) field.fail(null);
      beginButton.disabled = true;
      try {
        const night = await post('nights', { config: read(all) });
        go(night.id ? `night/${night.id}` : 'night');
      } catch (error) {
        const field = fieldsOf.find((one) => one.key === error.field);
        if (field) {
          field.element.closest('details')?.setAttribute('open', '');
          field.fail(error.message);
        } else fill(told, error.message);
      }
      beginButton.disabled = false;
    };
    const beginButton = button('Begin the night', start, { className: 'main' });
    const [prompt, ...settings] = all.settings;
    fill(element, h('h2', {}, 'A new night'), all.themes.element, prompt.element, all.end.element,
      h('details', {}, h('summary', {}, 'Models and settings'), all.models.element,
        h('div', { className: 'grid' }, [...keysOf(all, true), ...settings].map((one) => one.element))),
      h('details', {}, h('summary', {}, 'Limits, quiet hours, failures'), h('div', { className: 'grid' }, keysOf(all, false).map((one) => one.element))),
      plan, first, told, beginButton);
    element.oninput = () => {
      clearTimeout(timer);
      save(DRAFT, read(all));
      timer = setTimeout(check, CHECK_MS);
    };
    write(all, load(DRAFT, {}));
    check();
  };
  parts().then(begin, (error) => fill(element, h('p', { className: 'bad' }, error.message)));
  return () => clearTimeout(timer);
}
