// thumbs.js - pictures on their way: at most four at once, and none is put on the page before it is decoded, so that
// scrolling and typing never wait for one.

const AT_ONCE = 4;
let waiting = [];
let flying = 0;

/** Ask for a picture. put(img) is called with a decoded one, fail() when there is none; returns what calls it off. */
export function want(src, put, fail) {
  const wish = { src, put, fail, image: null, isOff: false, stop: null };
  waiting.push(wish);
  queueMicrotask(pump);
  return () => {
    wish.isOff = true;
    wish.stop?.();
  };
}

function pump() {
  while (flying < AT_ONCE && waiting.length) {
    const wish = waiting.shift();
    if (!wish.isOff) fly(wish);
  }
}

async function fly(wish) {
  flying++;
  wish.image = new Image();
  wish.image.draggable = false;
  wish.image.src = wish.src;
  // A browser need not say what became of a picture that was called off, and its place must not stay taken.
  const stopped = new Promise((_, reject) => (wish.stop = reject));
  try {
    await Promise.race([wish.image.decode(), stopped]);
    if (!wish.isOff) wish.put(wish.image);
  } catch {
    if (!wish.isOff) wish.fail();
  }
  if (wish.isOff) wish.image.src = ''; // stops what is on its way
  wish.image = null;
  wish.stop = null;
  flying--;
  pump();
}

/** When what was put on the page can be seen. */
export const painted = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
