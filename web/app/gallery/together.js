// together.js - one zoom and place for several stages, and how far each one was moved away from it alone.

const AT_IT = Object.freeze({ ratio: 1, x: 0, y: 0 });

/** stages: as makeStage has them. onOwn(whether any is away from the others). */
export function makeTogether(stages, onOwn) {
  const own = stages.map(() => AT_IT);
  let common = { factor: 1, x: 0.5, y: 0.5 };
  let isAlone = false;

  const viewOf = (k) => ({ factor: common.factor * own[k].ratio, x: common.x + own[k].x, y: common.y + own[k].y });
  const showAll = (but = -1) => stages.forEach((stage, k) => k !== but && stage.setView(viewOf(k), false));

  return {
    /** Somebody zoomed or moved stage i; isOne: with the key for this one alone. */
    heard(i, view, isOne) {
      if (isAlone || isOne) {
        own[i] = { ratio: view.factor / common.factor, x: view.x - common.x, y: view.y - common.y };
        onOwn(true);
      } else {
        common = { factor: view.factor / own[i].ratio, x: view.x - own[i].x, y: view.y - own[i].y };
        showAll(i);
      }
    },
    /** Whether the next ones concern one stage alone; what was moved alone stays where it is. */
    setAlone(is) { isAlone = is; },
    align() {
      own.fill(AT_IT);
      showAll();
      onOwn(false);
    },
  };
}
