// accessibility.js - rules that every view keeps, run inside the page by test_accessibility.py. Each gives a list of what
// breaks it, as sentences that name the element. Names come from the browser's own accessibility tree, elsewhere.
(() => {
  const INTERACTIVE = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex="-1"])';
  const ROLES = new Set(['alert', 'button', 'combobox', 'dialog', 'grid', 'gridcell', 'group', 'img', 'list', 'listbox', 'listitem', 'none',
    'option', 'presentation', 'progressbar', 'region', 'row', 'rowgroup', 'search', 'slider', 'status', 'table', 'tab', 'tablist', 'tabpanel', 'tooltip']);
  const PARENTS = { option: '[role=listbox]', row: '[role=grid], [role=rowgroup], table', gridcell: '[role=row]', tab: '[role=tablist]' };
  const REFERENCES = ['controls', 'describedby', 'labelledby', 'owns', 'activedescendant', 'details', 'errormessage'];

  const all = (css, root = document) => [...root.querySelectorAll(css)];
  const told = (element) => {
    const id = element.id ? `#${element.id}` : '';
    const name = typeof element.className === 'string' && element.className ? `.${element.className.trim().split(/\s+/).join('.')}` : '';
    const text = (element.getAttribute('aria-label') ?? element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 30);
    return `<${element.tagName.toLowerCase()}${id}${name}> "${text}"`;
  };
  const isSeen = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })
      && !element.closest('.unseen, [aria-hidden=true]');
  };

  // --- Colours: [red, green, blue, alpha], 0 to 255 and 0 to 1 ---
  const colourOf = (text) => {
    const n = (text.match(/-?[\d.]+(e-?\d+)?/g) ?? []).map(Number);
    if (text.startsWith('color(srgb')) return [255 * n[0], 255 * n[1], 255 * n[2], n[3] ?? 1];
    return text.startsWith('rgb') ? [n[0], n[1], n[2], n[3] ?? 1] : null;
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, two) => {
    const [a, b] = [light(one), light(two)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  /** What is behind an element, all layers down to the page; null where that is a picture. */
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const look = getComputedStyle(at);
      if (look.backgroundImage !== 'none') return null;
      const colour = colourOf(look.backgroundColor);
      if (colour && colour[3] > 0) layers.push(colour);
      if (colour && colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), colourOf(getComputedStyle(document.body).backgroundColor));
  };
  const opacityOf = (element) => {
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    return opacity;
  };

  const rules = {
    contrast() {
      const bad = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const seen = new Set();
      while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || seen.has(element)) continue;
        seen.add(element);
        if (element.matches('option, title, script, style') || !isSeen(element) || element.closest(':disabled, .tile.rejected')) continue;
        const look = getComputedStyle(element);
        const ground = behind(element);
        const ink = colourOf(look.color);
        if (!ground || !ink || ink[3] === 0) continue;
        const size = parseFloat(look.fontSize);
        const isLarge = size >= 24 || (size >= 18.66 && Number(look.fontWeight) >= 700);
        const found = contrast(over([...ink.slice(0, 3), ink[3] * opacityOf(element)], ground), ground);
        if (found < (isLarge ? 3 : 4.5)) bad.push(`${told(element)} has contrast ${found.toFixed(2)}`);
      }
      for (const field of all('input, textarea')) {
        const text = getComputedStyle(field, '::placeholder');
        if (!field.placeholder || !isSeen(field)) continue;
        const ground = behind(field);
        const found = contrast(over(colourOf(text.color), ground), ground);
        if (found < 4.5) bad.push(`the placeholder of ${told(field)} has contrast ${found.toFixed(2)}`);
      }
      return bad;
    },

    edges() {
      const bad = [];
      for (const control of all('input:not([type=checkbox], [type=radio], [type=range], [type=file]), select, textarea, button')) {
        if (!isSeen(control) || control.disabled) continue;
        const look = getComputedStyle(control);
        const around = behind(control.parentElement);
        const own = behind(control);
        const edge = parseFloat(look.borderTopWidth) > 0 ? colourOf(look.borderTopColor) : null;
        const hasEdge = edge && edge[3] > 0;
        const isPlain = control.matches('button') && !hasEdge; // its words say what it is
        if (!around || !own || isPlain) continue;
        const found = Math.max(hasEdge ? contrast(over(edge, around), around) : 1, contrast(own, around));
        if (found < 3) bad.push(`the edge of ${told(control)} has contrast ${found.toFixed(2)}`);
      }
      return bad;
    },

    labels: () => all('input:not([type=hidden]), select, textarea')
      .filter((field) => field.checkVisibility() && !field.closest('.unseen'))
      .filter((field) => !field.labels?.length && !field.getAttribute('aria-label')?.trim() && !field.getAttribute('aria-labelledby'))
      .map((field) => `${told(field)} has no label`),

    ids() {
      const count = new Map();
      for (const { id } of all('[id]')) count.set(id, (count.get(id) ?? 0) + 1);
      return [...count].filter(([id, n]) => n > 1 || !id).map(([id, n]) => `the id "${id}" is there ${n} times`);
    },

    references() {
      const bad = [];
      for (const name of REFERENCES)
        for (const element of all(`[aria-${name}]`))
          for (const id of element.getAttribute(`aria-${name}`).split(/\s+/))
            if (!document.getElementById(id)) bad.push(`aria-${name} of ${told(element)} names "${id}", which is not there`);
      for (const label of all('label[for]')) if (!document.getElementById(label.htmlFor)) bad.push(`${told(label)} is for nothing`);
      return bad;
    },

    roles() {
      const bad = [];
      for (const element of all('[role]')) {
        const role = element.getAttribute('role');
        if (!ROLES.has(role)) bad.push(`${told(element)} has the role "${role}"`);
        if (PARENTS[role] && !element.parentElement.closest(PARENTS[role])) bad.push(`${told(element)} is a ${role} outside of what has such`);
      }
      for (const element of all('[aria-hidden=true]'))
        if ([element, ...all(INTERACTIVE, element)].some((one) => one.matches(INTERACTIVE) && one.checkVisibility()))
          bad.push(`${told(element)} is hidden from who listens and can be focused`);
      for (const image of all('img:not([alt])')) bad.push(`${told(image)} has no alt`);
      for (const list of all('ul, ol')) for (const item of list.children) if (!item.matches('li')) bad.push(`${told(list)} has a ${item.tagName}`);
      return bad;
    },

    headings() {
      const bad = [];
      const open = document.querySelector('dialog[open]');
      const levels = all('h1, h2, h3, h4, h5, h6', open ?? document).filter((one) => one.checkVisibility());
      let before = open ? 1 : 0;
      for (const heading of levels) {
        const level = Number(heading.tagName[1]);
        if (level > before + 1) bad.push(`${told(heading)} comes after a heading of level ${before}`);
        if (!heading.textContent.trim()) bad.push(`${told(heading)} is empty`);
        before = level;
      }
      if (!open && levels.filter((one) => one.tagName === 'H1').length !== 1) bad.push('there is not one h1');
      return bad;
    },

    page() {
      const bad = [];
      if (!/^[a-z]{2}/.test(document.documentElement.lang)) bad.push('the page says no language');
      if (!/^\S.* – SDXL Lab$/.test(document.title)) bad.push(`the title is "${document.title}"`);
      for (const css of ['main', 'nav', 'header']) if (all(css).length !== 1) bad.push(`there is not one ${css}`);
      for (const nav of all('nav')) if (!nav.getAttribute('aria-label')) bad.push('the navigation has no name');
      const focusable = all('[tabindex]').filter((one) => one.tabIndex > 0);
      return bad.concat(focusable.map((one) => `${told(one)} is focused out of its order`));
    },

    /** After a key: what has the focus has a ring around it, and is not below a bar. */
    focus() {
      const bad = [];
      const before = document.activeElement;
      for (const element of all(INTERACTIVE, document.querySelector('dialog[open]') ?? document)) {
        if (element.tabIndex < 0 || element.disabled || !element.checkVisibility({ checkVisibilityCSS: true })) continue;
        element.focus();
        if (document.activeElement !== element) continue;
        const look = getComputedStyle(element);
        const hasRing = element.matches(':focus-visible') && look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2;
        if (!hasRing) bad.push(`${told(element)} shows no focus`);
        const box = element.getBoundingClientRect();
        const at = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 20));
        if (at && at !== element && !element.contains(at) && !at.contains(element) && ![...(element.labels ?? [])].some((label) => label.contains(at)))
          bad.push(`${told(element)} has the focus below ${told(at)}`);
      }
      before?.focus?.();
      return bad;
    },

    targets() {
      const bad = [];
      for (const element of all(INTERACTIVE)) {
        if (!isSeen(element) || element.disabled || element.tabIndex < 0) continue;
        const boxes = [element, ...(element.matches('[type=checkbox], [type=radio]') ? element.labels : [])].map((one) => one.getBoundingClientRect());
        const width = Math.max(...boxes.map((box) => box.right)) - Math.min(...boxes.map((box) => box.left));
        const height = Math.max(...boxes.map((box) => box.bottom)) - Math.min(...boxes.map((box) => box.top));
        const isInText = element.matches('a') && element.parentElement.matches('p, td, th, li, figcaption') && getComputedStyle(element).display === 'inline';
        if (!isInText && (width < 23.9 || height < 23.9)) bad.push(`${told(element)} is ${Math.round(width)} by ${Math.round(height)} pixels`);
      }
      return bad;
    },

    /** At 320 pixels: nothing lies beside the page, but for what scrolls in itself and says so. */
    reflow(mayScroll) {
      const bad = [];
      const width = document.documentElement.clientWidth;
      if (document.documentElement.scrollWidth > width) bad.push(`the page is ${document.documentElement.scrollWidth} pixels wide`);
      for (const element of all('body *')) {
        if (!isSeen(element) || (mayScroll && element.closest(mayScroll)) || element.matches('option')) continue;
        const look = getComputedStyle(element);
        if (['auto', 'scroll'].includes(look.overflowX) && element.scrollWidth > element.clientWidth + 1 && !element.matches('textarea'))
          bad.push(`${told(element)} scrolls sideways: ${element.scrollWidth} of ${element.clientWidth}`);
        const box = element.getBoundingClientRect();
        if (box.right > width + 1 && !element.closest('svg, .g-stage, .stage-picture')) bad.push(`${told(element)} ends at ${Math.round(box.right)}`);
      }
      return bad.slice(0, 8);
    },

    motion() {
      const seconds = (text) => Math.max(...text.split(',').map((one) => parseFloat(one) * (one.trim().endsWith('ms') ? 0.001 : 1)));
      return all('*').filter((one) => {
        const look = getComputedStyle(one);
        return seconds(look.transitionDuration) > 0.01 || (look.animationName !== 'none' && seconds(look.animationDuration) > 0.01)
          || look.scrollBehavior === 'smooth';
      }).map((one) => `${told(one)} moves`);
    },
  };
  window.xl_rules = rules;
})();
