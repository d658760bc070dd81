// insights.js - what is loved, by the same analysis as `sdxl-lab favorites`: bundles with their pictures, what to make
// next, tables with intervals. What is not more than chance is not claimed, and too little data is said to be that.
import { address, get, thumbnail } from '../../lib/api.js';
import { button, fill, h, plural, style } from '../../lib/dom.js';
import { load, save } from '../../lib/store.js';
import { go } from '../app.js';
import { nextSweep } from './next.js';
import { table } from './tables.js';
import { learnedWeights } from './weights.js';
import { between, count, percent, times, titleOf } from './words.js';

const COLUMNS = ['model', 'profile', 'resolution', 'scheduler', 'steps', 'guidance', 'lora'];
const LEAST = 5; // favourites before anything is worth saying

await style('insights');

/** Its settings into the form; what it says nothing of stays. */
function use(bundle) {
  save('draft', { ...load('draft', {}), ...bundle.job });
  go('');
}

function bundleOf(bundle, place) {
  const pictures = bundle.picture_ids.map((id) => h('a', { href: address(`picture/${id}`).href, data: { go: '' } },
    h('img', { src: thumbnail(id, 320), alt: `a favourite of ${bundle.name}`, width: 128, height: 128, loading: 'lazy' })));
  return h('li', { className: 'bundle panel', data: { bundle: place } }, h('h3', {}, bundle.name), h('p', {}, bundle.text),
    h('div', { className: 'pictures' }, pictures),
    h('p', { className: 'soft small' }, `expected ${percent(bundle.expected.rate)} (${between(bundle.expected.interval)}), ${times(bundle.expected.lift)} of average`),
    h('dl', { className: 'settings small' }, Object.entries(bundle.settings).flatMap(([column, value]) =>
      [h('dt', { className: 'soft' }, titleOf(column)), h('dd', {}, value)])),
    button('Use this bundle', () => use(bundle)));
}

function leadOf(report) {
  if (!report.loved)
    return [h('p', { className: 'lead' }, `${plural(report.made, 'picture')}, and no favourite yet.`),
      h('p', { className: 'soft' }, 'Mark favourites in the gallery with P or the heart, or choose between two in Duel. Then this page says what you love.')];
  return [h('p', { className: 'lead' }, h('strong', {}, `${count(report.loved)} of ${count(report.made)}`), ' loved: ',
    h('strong', { className: 'base-rate' }, percent(report.rate)), ` (${between(report.interval)})`),
  report.loved < LEAST && h('p', { className: 'soft' }, 'Not enough data to tell one from another yet.')];
}

function sectionsOf(report) {
  const rate = report.rate;
  const section = (title, ...children) => h('section', {}, h('h2', {}, title), ...children);
  const tables = COLUMNS.filter((column) => report.tables[column]?.length).map((column) =>
    h('section', { data: { column } }, h('h3', {}, titleOf(column)), table(titleOf(column), report.tables[column], rate)));
  return [
    section('Bundles', report.bundles.length ? h('ol', { className: 'bundles' }, report.bundles.map(bundleOf))
      : h('p', { className: 'soft' }, 'Not enough data: no combination is loved more than chance explains.')),
    section('What to make next', nextSweep(report.next)),
    tables.length > 0 && section('One by one', ...tables),
    report.words.length > 0 && h('section', { data: { column: 'words' } }, h('h2', {}, 'Words of prompts'), table('Word', report.words, rate)),
    report.pairs.length > 0 && h('section', { data: { column: 'pairs' } }, h('h2', {}, 'Pairs'), table('Pair', report.pairs, rate, (pair) => pair.name)),
    report.gaps.length > 0 && section('Too little to tell', h('ul', {}, report.gaps.map((gap) =>
      h('li', {}, `${titleOf(gap.column)} ${gap.value}: `, h('span', { className: 'soft' }, `${plural(gap.pictures_needed, 'more picture')} would show it if it were loved twice as much`))))),
    section('Prompts that write themselves', ...learnedWeights()),
  ];
}

async function build(view, isHere) {
  const report = await get('insights');
  if (!isHere()) return;
  fill(view, h('div', { className: 'insights' }, h('h1', {}, 'What you love'), leadOf(report), sectionsOf(report)));
}

export function show(view) {
  let isOver = false;
  fill(view, h('h1', { className: 'unseen' }, 'What you love'), h('p', { className: 'soft' }, 'Counting …'));
  build(view, () => !isOver).catch((error) => isOver || fill(view, h('p', { className: 'bad', role: 'alert' }, error.message),
    button('Try again', () => location.reload())));
  return () => (isOver = true);
}
