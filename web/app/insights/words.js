// words.js - numbers and verdicts of an analysis in words.
export const VERDICTS = { more: 'loved more', less: 'loved less', usual: 'as usual', unknown: 'not enough data' };

/** "12.5 %" */
export const percent = (rate) => (rate === null || rate === undefined ? '–' : `${(100 * rate).toFixed(1)} %`);

/** "2.3 ×" */
export const times = (lift) => (lift === null || lift === undefined ? '–' : `${lift.toFixed(1)} ×`);

export const between = (interval) => (interval?.[0] === null || !interval ? '–' : `${percent(interval[0])} to ${percent(interval[1])}`);

export const count = (n) => n.toLocaleString('en');

const TITLES = { lora: 'LoRA', run: 'Run', seed: 'Seed' };
export const titleOf = (column) => TITLES[column] ?? column.replace(/^./, (first) => first.toUpperCase());
