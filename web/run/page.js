// page.js - shows a run from cells.js, which lies beside the page and grows while the run goes on.
// cells.js calls run(description) and cell(what, when); the last word about a cell counts. Which fields a
// cell has, their captions and their order come with the description. Texts come
// from outside: they only ever become text nodes and attributes, never HTML, and paths never leave the
// folder.
"use strict";
(() => {
  const POLL_MS = 2500, POLL_IDLE_MS = 15000, IDLE_AFTER = 20, QUIET_S = 900, OPTION_LETTERS = 60, MOST_OPTIONS = 500;
  // What became of a cell; what it was asked for as is in about.fields.
  const OUTCOME = { state: "State", error: "Error", seconds: "Took", path: "File", id: "Cell" };
  const $ = (id) => document.getElementById(id);

  let about = {};           // the run
  let cells = new Map();    // id -> cell, in the order of the plan
  let loading = null;       // what the script that is being loaded has said so far
  let filter = { text: "", state: "", by: {} }; // by: the caption of a field -> its value
  let wantsMatrix = window.matchMedia("(min-width: 761px)").matches, // a table is wider than a phone
     shown = [], open = null, unchanged = 0, signature = "";
  const cards = new Map();  // id -> { element, key }

  // ---- Data -------------------------------------------------------------------------------------

  window.run = (what) => { Object.assign(loading.about, what); };
  window.cell = (what, when) => {
    const id = String(what.id);
    loading.cells.set(id, Object.assign(loading.cells.get(id) || { state: "waiting" }, what));
    loading.words++;
    if (!when) return;
    loading.first = loading.first || when;
    loading.last = when;
    if (what.state === "done" || what.state === "failed") loading.finished++;
  };
  window.begun = (when) => { loading.begun = when; };

  function load() {
    loading = { about: {}, cells: new Map(), words: 0, begun: 0, last: 0, finished: 0 };
    const script = document.createElement("script");
    script.src = "cells.js?" + Date.now();
    script.onload = () => { script.remove(); take(); };
    script.onerror = () => { script.remove(); again(); };
    document.head.append(script);
  }

  function take() {
    const now = loading.words + ":" + loading.last + ":" + JSON.stringify(loading.about);
    unchanged = now === signature ? unchanged + 1 : 0;
    if (!unchanged && loading.words) { // a half-written file says nothing
      signature = now;
      about = loading.about;
      cells = loading.cells;
      about.timing = { begun: loading.begun, last: loading.last, finished: loading.finished };
      render();
    } else if (cells.size) {
      const n = count(); // silence is news, too
      $("time").textContent = timeText(n);
      renderLeftOut(n);
    }
    again();
  }

  const isOver = () => Boolean(about.state);
  const again = () => { if (!isOver()) setTimeout(load, unchanged > IDLE_AFTER ? POLL_IDLE_MS : POLL_MS); };

  // ---- Words ------------------------------------------------------------------------------------

  const text = (c, key) => c[key] === null || c[key] === undefined ? "" : String(c[key]);
  // A field is one key or several that are shown as one: 1024×768.
  const fields = () => Array.isArray(about.fields) ? about.fields : [];
  const given = (c, field) => field.keys.map((key) => text(c, key)).filter(Boolean).join("×");
  const value = (c, field) => given(c, field) || field.absent || "";
  const small = (caption) => /^.+[A-Z]/.test(caption) ? caption : caption[0].toLowerCase() + caption.slice(1);
  const label = (c, field) => field.is_plain ? value(c, field) : small(field.caption) + " " + value(c, field);
  const labels = (c, list) => list.filter((field) => value(c, field)).map((field) => label(c, field));
  const titleField = () => fields().find((field) => field.is_title);
  const textField = () => fields().find((field) => field.is_long);
  const plural = (n, word) => n + " " + word + (n === 1 ? "" : "s");

  // A path below the folder of the run as an address, or "" for what is none.
  function address(path) {
    const parts = String(path || "").split("/");
    if (!path || parts.some((part) => part === "" || part === "." || part === "..")) return "";
    return parts.map(encodeURIComponent).join("/");
  }

  function duration(seconds) {
    if (seconds < 60) return (seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)) + " s";
    if (seconds < 3600) return Math.round(seconds / 60) + " min";
    return Math.floor(seconds / 3600) + " h " + Math.round(seconds % 3600 / 60) + " min";
  }

  const describe = (c) => labels(c, fields().filter((field) => field.is_always)).join(", ") +
    labels(c, fields().filter((field) => field === textField())).map((prompt) => ": " + prompt).join("");

  // The fields in which cells differ, most telling first.
  const varying = () => fields().filter((field) => !field.follows &&
    new Set([...cells.values()].map((c) => value(c, field))).size > 1);

  const fieldOf = (key) => fields().find((field) => field.keys.includes(key));

  // The two fields that make rows and columns, or null for a gallery. Two that only change together (a
  // seed for each profile) make no table.
  function axes(differing) {
    if (fieldOf(about.rows) && fieldOf(about.columns)) return [fieldOf(about.rows), fieldOf(about.columns)];
    const real = differing.filter((field) => !field.is_long);
    const plain = real.filter((field) => field.is_plain);
    const two = real.length === 2 ? real : plain.slice(0, 2);
    if (two.length !== 2) return null;
    const all = [...cells.values()], distinct = (of) => new Set(all.map(of)).size;
    const pairs = distinct((c) => JSON.stringify(two.map((field) => value(c, field))));
    return pairs > distinct((c) => value(c, two[0])) * distinct((c) => value(c, two[1])) / 2 ? two : null;
  }

  // What a card is called in a gallery: by what differs, best by what says what it is.
  const leading = (differing) => differing.find((field) => field.is_title) ||
    differing.find((field) => field.is_plain) || differing[0] || titleField();
  const titleOf = (c, field) => field && value(c, field) ? label(c, field) : text(c, "id");

  // What else tells cells apart, and the first field that is always told and no name: the seed.
  function detailsOf(c, differing, used) {
    const rest = differing.filter((field) => !used.includes(field));
    const told = fields().find((field) => field.is_always && !field.is_plain);
    if (told && !rest.includes(told) && !used.includes(told)) rest.push(told);
    rest.sort((a, b) => Boolean(a.is_long) - Boolean(b.is_long)); // what is cut off is the end of a long one
    return labels(c, rest).join(" · ");
  }

  // ---- Cards ------------------------------------------------------------------------------------

  function make(tag, name, text) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function picture(c) {
    const image = make("img");
    image.alt = describe(c);
    image.src = address(c.path);
    image.onload = () => image.classList.toggle("small", image.naturalWidth < 400 && image.naturalHeight < 400);
    return image;
  }

  const WHY = { waiting: "waiting", skipped: "skipped", failed: "failed", done: "no file" };

  function fill(element, c, labels) {
    element.className = "cell " + (WHY[c.state] ? c.state : "waiting");
    element.setAttribute("aria-label", describe(c) + (c.state === "done" ? "" : ", " + c.state));
    const frame = make("span", "frame");
    frame.style.aspectRatio = c.width > 0 && c.height > 0 ? c.width + " / " + c.height : "1";
    if (c.state === "done" && address(c.path)) {
      const image = picture(c);
      image.loading = "lazy";
      image.decoding = "async";
      image.onerror = () => image.replaceWith(make("span", "why", "the file is not there"));
      frame.append(image);
    } else {
      frame.append(make("span", "why", c.error || WHY[c.state] || "waiting"));
    }
    const label = make("span", "label");
    if (labels[0]) label.append(make("b", "", labels[0]));
    if (labels[1]) label.append(make("span", "", labels[1]));
    element.replaceChildren(frame, label);
  }

  // The card of a cell; drawn anew only when what it shows has changed.
  function card(c, labels) {
    const id = String(c.id), key = JSON.stringify([c, labels]);
    let known = cards.get(id);
    if (!known) {
      known = { element: make("button"), key: "", state: c.state };
      known.element.type = "button";
      known.element.onclick = () => show(id);
      cards.set(id, known);
    }
    if (known.key !== key) {
      fill(known.element, c, labels);
      if (known.state !== c.state) known.element.classList.add("fresh");
      known.key = key;
      known.state = c.state;
    }
    return known.element;
  }

  // ---- The page ---------------------------------------------------------------------------------

  function matches(c) {
    if (filter.state && c.state !== filter.state) return false;
    for (const field of fields())
      if (filter.by[field.caption] && value(c, field) !== filter.by[field.caption]) return false;
    const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return true;
    const all = fields().map((field) => given(c, field)).concat(Object.keys(OUTCOME).map((key) => text(c, key)));
    return words.every((word) => all.join("\n").toLowerCase().includes(word));
  }

  function gallery(differing) {
    const list = make("div", "gallery"), first = leading(differing);
    for (const c of shown) list.append(card(c, [titleOf(c, first), detailsOf(c, differing, [first])]));
    return list;
  }

  function matrix(differing, [row, column]) {
    const columns = [...new Set(shown.map((c) => value(c, column)))];
    const rows = new Map();
    for (const c of shown) {
      const name = value(c, row), line = rows.get(name) || new Map();
      line.set(value(c, column), (line.get(value(c, column)) || []).concat(c));
      rows.set(name, line);
    }
    const box = make("div", "matrix"), table = make("table"), head = make("thead"), body = make("tbody");
    const top = make("tr");
    top.append(make("th", "", row.caption + " / " + column.caption));
    const heading = (name, scope) => {
      const th = make("th"), words = make("span", "", name || "–");
      th.scope = scope;
      words.title = name;
      th.append(words);
      return th;
    };
    for (const name of columns) top.append(heading(name, "col"));
    head.append(top);
    for (const [name, line] of rows) {
      const tr = make("tr");
      tr.append(heading(name, "row"));
      for (const key of columns) {
        const td = make("td");
        for (const c of line.get(key) || []) // a heading may be cut, or far away: the tile has its text, too
          td.append(card(c, ["", detailsOf(c, differing, [row, column].filter((field) => !field.is_long))]));
        tr.append(td);
      }
      body.append(tr);
    }
    table.append(head, body);
    box.append(table);
    return box;
  }

  // A table is scrolled with the page: its headings stay below the tools, the rest as wide as the window.
  function measure() {
    const style = document.documentElement.style, tools = $("tools");
    const isSticky = getComputedStyle(tools).position === "sticky" && getComputedStyle(tools).top !== "auto";
    style.setProperty("--view", document.documentElement.clientWidth + "px");
    style.setProperty("--below", (isSticky ? tools.offsetHeight : 0) + "px");
  }

  function renderCells() {
    const differing = varying(), both = axes(differing), main = $("cells");
    shown = [...cells.values()].filter(matches);
    const scroll = [window.scrollX, window.scrollY], isTable = Boolean(both && wantsMatrix);
    const focus = document.activeElement && document.activeElement.classList.contains("cell") ? document.activeElement : null;
    document.body.classList.toggle("table", isTable);
    main.replaceChildren(isTable ? matrix(differing, both) : gallery(differing));
    measure();
    window.scrollTo(scroll[0], scroll[1]);
    if (focus && focus.isConnected) focus.focus({ preventScroll: true });
    $("view").hidden = !both;
    $("view").textContent = wantsMatrix ? "Gallery" : "Table";
    $("nothing").hidden = shown.length > 0;
    $("nothing").textContent = cells.size ? "No picture matches." : "No pictures are planned.";
  }

  function count() {
    const n = { "": cells.size, done: 0, failed: 0, skipped: 0, waiting: 0 };
    for (const c of cells.values()) n[c.state in n && c.state ? c.state : "waiting"]++;
    return n;
  }

  function perPicture() {
    const t = about.timing;
    return t.finished && t.last > t.begun ? (t.last - t.begun) / t.finished : 0;
  }

  // Whether nothing was heard for so long that the run may have been killed.
  function isSilent() {
    const t = about.timing;
    return Date.now() / 1000 - Math.max(t.begun, t.last) > Math.max(QUIET_S, 10 * perPicture());
  }

  function timeText(n) {
    const t = about.timing, left = n.waiting;
    if (isOver()) {
      const spent = (Date.parse(about.finished) - Date.parse(about.started)) / 1000;
      return spent >= 0 ? "took " + duration(Math.round(spent)) : "";
    }
    if (!left) return "";
    const each = perPicture();
    const silence = Date.now() / 1000 - Math.max(t.begun, t.last);
    if (isSilent()) return "no news for " + duration(silence) + ": has the run stopped?";
    return each ? "about " + duration(Math.max(1, Math.round(each * left))) + " left" : plural(left, "picture") + " left";
  }

  function renderTop() {
    const n = count(), state = isOver() ? String(about.state) : "running";
    const finished = n.done + n.failed + n.skipped;
    document.title = (isOver() ? "" : Math.floor(100 * finished / Math.max(1, n[""])) + " % · ") + (about.title || "SDXL Lab run");
    $("title").textContent = about.title || "SDXL Lab run";
    $("prompt").textContent = about.prompt || "";
    $("state").textContent = state;
    $("state").className = "pill " + (["running", "done", "failed", "interrupted"].includes(state) ? state : "");
    $("bar").setAttribute("aria-valuemax", n[""]);
    $("bar").setAttribute("aria-valuenow", finished);
    $("bar-done").style.width = 100 * n.done / Math.max(1, n[""]) + "%";
    $("bar-failed").style.width = 100 * (n.failed + n.skipped) / Math.max(1, n[""]) + "%";
    $("counts").textContent = n.done + " of " + plural(n[""], "picture") + (n.failed ? ", " + n.failed + " failed" : "") +
      (n.skipped ? ", " + n.skipped + " skipped" : "");
    $("time").textContent = timeText(n);
    $("message").hidden = !about.message;
    $("message").textContent = about.message || "";
    $("message").classList.toggle("calm", state === "done");
    $("version").textContent = about.version || "";
    renderLeftOut(n);
    const sheets = (about.sheets || []).filter(address);
    $("sheets").hidden = !sheets.length;
    $("sheets").replaceChildren(...sheets.map((path) => {
      const link = make("a", "", sheets.length > 1 ? path : "Contact sheet");
      link.href = address(path);
      return link;
    }));
    renderStates(n);
  }

  // Each sentence once, with what it is about.
  function listReasons(list, reasons) {
    list.replaceChildren();
    for (const [reason, names] of reasons) fact(list, names.join(", "), reason, true);
  }

  const gather = (reasons, reason, name) => reasons.set(reason, (reasons.get(reason) || []).concat(name));

  // Models without pictures, pictures that failed, and how to go on where that can help.
  function renderLeftOut(n) {
    const skipped = about.skipped || [], missing = new Map(), failed = new Map();
    for (const one of skipped) gather(missing, String(one.reason || ""), String(one.model || ""));
    for (const c of cells.values()) if (c.state === "failed") gather(failed, text(c, "error"), describe(c));
    const names = skipped.map((one) => one.model).join(", ");
    $("skipped").hidden = !skipped.length;
    $("skipped").querySelector("summary").textContent = plural(skipped.length, "model") + " left out: " + names;
    listReasons($("skipped").querySelector("dl"), missing);
    $("failures").hidden = !failed.size;
    $("failures").querySelector("summary").textContent = plural(n.failed, "picture") + " failed: why";
    const short = [...failed].map(([reason, cells]) =>
      [reason, cells.length > 3 ? cells.slice(0, 2).concat(plural(cells.length - 2, "other")) : cells]);
    listReasons($("failures").querySelector("dl"), short);
    const hasStopped = isOver() ? about.state !== "done" : isSilent();
    $("go-on").hidden = !about.resume || !hasStopped;
    $("resume").textContent = about.resume || "";
  }

  function renderStates(n) {
    const names = [["", "All"], ["done", "Done"], ["failed", "Failed"], ["skipped", "Skipped"], ["waiting", "Waiting"]];
    $("states").replaceChildren(...names.filter(([key]) => !key || n[key] || filter.state === key).map(([key, name]) => {
      const chip = make("button", "", name + " " + n[key]);
      chip.type = "button";
      chip.setAttribute("aria-pressed", filter.state === key);
      chip.onclick = () => { filter.state = key; render(); };
      return chip;
    }));
  }

  // A choice for every axis, and of every name that cells do not share.
  function renderSelects() {
    const isAxis = (field) => (about.axes || []).some((key) => field.keys.includes(key));
    for (const field of fields().filter((one) => isAxis(one) || (one.is_plain && !one.is_long))) {
      const names = [...new Set([...cells.values()].map((c) => value(c, field)))].filter(Boolean);
      let select = $("by-" + field.keys[0]);
      if (!select && names.length > 1 && names.length <= MOST_OPTIONS) {
        select = make("select");
        select.id = "by-" + field.keys[0];
        select.setAttribute("aria-label", field.caption);
        select.onchange = () => { filter.by[field.caption] = select.value; renderCells(); };
        $("selects").append(select);
      }
      if (!select || select.options.length === names.length + 1 || names.length > MOST_OPTIONS) continue;
      select.replaceChildren(...[field.caption + ": all", ...names].map((name, i) => {
        const isLong = name.length > OPTION_LETTERS;
        const option = make("option", "", isLong ? name.slice(0, OPTION_LETTERS - 1) + "…" : name);
        if (isLong) option.title = name;
        option.value = i ? name : "";
        return option;
      }));
      select.value = filter.by[field.caption] || "";
    }
  }

  function render() {
    renderTop();
    renderSelects();
    renderCells();
    if (open !== null) renderViewer();
  }

  // ---- One picture ------------------------------------------------------------------------------

  function fact(list, caption, text, isLong) {
    const what = make("dd", isLong ? "long" : "", text);
    list.append(make("dt", isLong ? "long" : "", caption), what);
    return what;
  }

  // What a cell was asked for as; a text that says what one before it says is left out.
  function askedFacts(list, c) {
    const said = new Set(), differing = varying();
    for (const field of fields()) {
      const what = differing.includes(field) ? value(c, field) : given(c, field);
      if (!what || (field.is_long && said.has(what))) continue;
      said.add(what);
      fact(list, field.caption, what, field.is_long);
    }
  }

  function outcomeFacts(list, c) {
    const known = new Set(fields().flatMap((field) => field.keys).concat(Object.keys(OUTCOME)));
    if (c.state !== "done") fact(list, OUTCOME.state, text(c, "state"));
    if (text(c, "error")) fact(list, OUTCOME.error, text(c, "error"), true);
    if (text(c, "seconds")) fact(list, OUTCOME.seconds, duration(Number(c.seconds)));
    for (const key of Object.keys(c).filter((one) => !known.has(one)))
      if (text(c, key)) fact(list, key, typeof c[key] === "object" ? JSON.stringify(c[key]) : text(c, key));
    if (text(c, "path")) {
      const what = fact(list, OUTCOME.path, address(c.path) ? "" : text(c, "path"));
      if (address(c.path)) {
        const link = make("a", "", text(c, "path"));
        link.href = address(c.path);
        what.append(link);
      }
    }
    fact(list, OUTCOME.id, text(c, "id"));
  }

  function renderViewer() {
    const c = cells.get(open), at = shown.findIndex((other) => String(other.id) === open);
    if (!c) return;
    if (c.state === "done" && address(c.path)) {
      const image = $("stage").querySelector("img"), next = picture(c);
      if (!image || image.src !== next.src) $("stage").replaceChildren(next);
    } else {
      $("stage").replaceChildren(make("p", "", c.error || WHY[c.state] || "waiting"));
    }
    $("caption-title").textContent = titleOf(c, titleField());
    $("position").textContent = at < 0 ? "" : at + 1 + " / " + shown.length;
    const list = $("caption");
    list.replaceChildren();
    askedFacts(list, c);
    outcomeFacts(list, c);
    $("previous").disabled = at <= 0;
    $("next").disabled = at < 0 || at + 1 >= shown.length;
  }

  function show(id) {
    open = id;
    renderViewer();
    if ($("viewer").open) return;
    $("viewer").showModal();
    $("viewer").focus();
  }

  function step(by) {
    const at = shown.findIndex((c) => String(c.id) === open) + by;
    if (at >= 0 && at < shown.length) show(String(shown[at].id));
  }

  // ---- Events -----------------------------------------------------------------------------------

  $("previous").onclick = () => step(-1);
  $("next").onclick = () => step(1);
  $("close").onclick = () => $("viewer").close();
  $("stage").onclick = (event) => { if (event.target === $("stage")) $("viewer").close(); };
  $("viewer").onclose = () => {
    const last = cards.get(open);
    open = null;
    if (last && last.element.isConnected) last.element.focus();
  };
  // On the document: a redrawn caption may have taken the focus with it.
  document.onkeydown = (event) => {
    if (open === null) {
      if (event.key !== "/" || event.target === $("search")) return;
      $("search").focus();
    } else if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else if (event.key === "Home") step(-shown.findIndex((c) => String(c.id) === open));
    else if (event.key === "End") step(shown.length - 1 - shown.findIndex((c) => String(c.id) === open));
    else return;
    event.preventDefault();
  };
  $("search").oninput = (event) => { filter.text = event.target.value; renderCells(); };
  window.onresize = measure;
  $("view").onclick = () => { wantsMatrix = !wantsMatrix; renderCells(); };
  $("size").oninput = (event) => document.documentElement.style.setProperty("--tile", event.target.value + "px");
  load();
})();
