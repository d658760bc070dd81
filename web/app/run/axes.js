// axes.js - the fields in which the cells of a run differ, and which two of them make a table.

const text = (cell, key) => (cell[key] === null || cell[key] === undefined ? '' : String(cell[key]));

/** A field's value of a cell: one key or several that are shown as one, 1024×768. */
export const valueOf = (cell, field) => field.keys.map((key) => text(cell, key)).filter(Boolean).join('×') || field.absent || '–';

/** A field by the name that an address has for it: its first key. */
export const nameOf = (field) => field.keys[0];

const valuesOf = (cells, field) => [...new Set(cells.map((cell) => valueOf(cell, field)))];

/** Numbers in their order, else as the plan has them. */
function sorted(values) {
  const numbers = values.map(Number);
  return numbers.every(Number.isFinite) ? values.map((value, i) => [numbers[i], value]).sort((a, b) => a[0] - b[0]).map(([, value]) => value) : values;
}

/** [{field, name, caption, values}] of the fields that differ, in the order in which people see them. */
export function axesOf(run, cells) {
  return (run.fields ?? []).filter((field) => !field.follows)
    .map((field) => ({ field, name: nameOf(field), caption: field.caption, values: sorted(valuesOf(cells, field)) }))
    .filter((axis) => axis.values.length > 1);
}

/** The two axes that are shown: those of the address, else those of the run, else the two with the fewest values of which a
 *  table is not mostly empty. null: the run has no two. */
export function chooseTwo(run, axes, cells, wanted) {
  const byName = (name) => axes.find((axis) => axis.field.keys.includes(name));
  const asked = [byName(wanted.rows), byName(wanted.cols)];
  if (asked[0] && asked[1] && asked[0] !== asked[1]) return asked;
  const own = [byName(run.rows), byName(run.columns)];
  const fits = ([a, b]) => {
    const pairs = new Set(cells.map((cell) => `${valueOf(cell, a.field)}\n${valueOf(cell, b.field)}`)).size;
    return pairs > (a.values.length * b.values.length) / 2;
  };
  if (own[0] && own[1] && own[0] !== own[1]) return own;
  const short = axes.filter((axis) => !axis.field.is_long);
  for (let i = 0; i < short.length; i++)
    for (let k = i + 1; k < short.length; k++) if (fits([short[i], short[k]])) return [short[i], short[k]];
  if (axes.length >= 2) return [axes[0], axes[1]];
  return null;
}
