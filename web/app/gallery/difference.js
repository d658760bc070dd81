// difference.js - what two pictures have not in common: the absolute difference of their colours, made stronger, where
// the two stages show them; and in figures, over the pixels of the files.
import { fill, h } from '../../lib/dom.js';
import { load, save } from '../../lib/store.js';

const MOST_DOUBLED = 6;
const MOST_COUNTED = 1 << 24; // pixels: more of them would hold the page up

/** Put the absolute difference of two images into a canvas; boxes: {left, top, width, height} each. */
function subtract(context, images, boxes) {
  context.globalCompositeOperation = 'source-over';
  context.fillStyle = '#000';
  for (const { left, top, width, height } of boxes) context.fillRect(left, top, width, height);
  context.globalCompositeOperation = 'difference';
  images.forEach((image, i) => context.drawImage(image, boxes[i].left, boxes[i].top, boxes[i].width, boxes[i].height));
}

/** The sentence about two files, of which all pixels are there. */
function figuresOf([a, b]) {
  const [width, height] = [a.naturalWidth, a.naturalHeight];
  if (width !== b.naturalWidth || height !== b.naturalHeight) return 'They differ in size, so B is laid over A and no pixels are counted.';
  if (width * height > MOST_COUNTED) return '';
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  const box = { left: 0, top: 0, width, height };
  subtract(context, [a, b], [box, box]);
  const { data } = context.getImageData(0, 0, width, height);
  let [sum, most, differing] = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) {
    const largest = Math.max(data[i], data[i + 1], data[i + 2]);
    sum += data[i] + data[i + 1] + data[i + 2];
    if (largest > most) most = largest;
    if (largest) differing++;
  }
  if (!differing) return 'Every pixel is equal.';
  const share = (100 * differing) / (width * height);
  const percent = share < 0.1 ? 'less than 0.1' : share.toFixed(1);
  return `${percent} % of the pixels differ, by ${most} of 255 at most, by ${((sum / width / height) / 3).toFixed(2)} on average.`;
}

/** stages: two, which lie one over the other. Returns {canvas, told, controls, setOn(is), draw(), end()}. */
export function makeDifference(stages) {
  const canvas = h('canvas', { className: 'difference-canvas', hidden: true, attrs: { role: 'img' } });
  const told = h('span', { className: 'sign small', id: 'difference-told', hidden: true, attrs: { role: 'status' } });
  const strength = h('input', {
    type: 'range', id: 'strength', min: 0, max: MOST_DOUBLED, step: 1, value: load('gallery.strength', 3), aria: { label: 'How much stronger' },
    oninput: () => {
      save('gallery.strength', Number(strength.value));
      draw();
    },
  });
  const times = h('span', { className: 'soft', aria: { hidden: 'true' } });
  let isOn = false;
  let frame = 0;
  let counted = []; // the images that the figures are about

  function paint() {
    frame = 0;
    const sights = stages.map((stage) => stage.sight());
    const ratio = devicePixelRatio;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    strength.setAttribute('aria-valuetext', `${2 ** strength.value} times`);
    fill(times, `×${2 ** strength.value}`);
    canvas.dataset.painted = ''; // which two, for who waits for them
    if (sights.includes(null) || !canvas.width || !canvas.height) return fill(told);
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    context.imageSmoothingEnabled = !sights.some((sight) => sight.isPixels);
    subtract(context, sights.map((sight) => sight.image), sights);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalCompositeOperation = 'lighter'; // what is there, on itself: twice as much
    for (let i = 0; i < strength.value; i++) context.drawImage(canvas, 0, 0);
    canvas.dataset.painted = stages.map((stage) => stage.id).join();
    count(sights);
  }

  function count(sights) {
    const images = sights.map((sight) => sight.image);
    if (!sights.every((sight) => sight.isFile)) return fill(told);
    if (images.some((image, i) => image !== counted[i])) {
      const sentence = figuresOf(images);
      fill(told, sentence);
      canvas.setAttribute('aria-label', `Difference of A and B. ${sentence}`);
      counted = images;
    }
  }

  function draw() {
    if (!isOn) return;
    for (const stage of stages) stage.wantFile();
    frame ||= requestAnimationFrame(paint);
  }
  const resize = new ResizeObserver(draw);
  resize.observe(canvas);

  return {
    canvas,
    told,
    controls: h('span', { className: 'mode-controls', hidden: true }, strength, times),
    setOn(is) {
      isOn = is;
      canvas.hidden = told.hidden = this.controls.hidden = !is;
      canvas.setAttribute('aria-label', 'Difference of A and B');
      counted = [];
      draw();
    },
    draw,
    end() {
      cancelAnimationFrame(frame);
      resize.disconnect();
    },
  };
}
