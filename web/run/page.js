// page.js - shows a run from cells.js, which lies beside the page and grows while the run goes on.
// cells.js calls run(description) and cell(what, when); the last word about a cell counts. Texts come
// from outside: they only ever become text nodes and attributes, never HTML, and paths never leave the
// folder.
"use strict";
(() => {
  const POLL_MS = 2500, POLL_IDLE_MS = 15000, IDLE_AFTER = 20, QUIET_S = 900;
  const KNOWN = ["model", "profile", "prompt", "negative", "seed", "steps", "guidance", "scheduler",
    "size", "strength", "state", "error", "seconds", "path", "id"];
  const NAMES = { model: "Model", profile: "Profile", prompt: "Prompt", negative: "Negative", seed: "Seed",
    steps: "Steps", guidance: "Guidance", scheduler: "Scheduler", size: "Size", strength: "Strength",
    state: "State", error: "Error", seconds: "Took", path: "File", id: "Cell" };
  const $ = (id) => document.getElementById(id);

  let about = {};           // the run
  let cells = new Map();    // id -> cell, in the order of the plan
  let loading = null;       // what the script that is being loaded has said so far
  let filter = { text: "", state: "", model: "", profile: "" };
  let wantsMatrix = true, shown = [], open = null, unchanged = 0, signature = "";
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
      $("time").textContent = timeText(count()); // silence is news, too
    }
    again();
  }

  const isOver = () => Boolean(about.state);
  const again = () => { if (!isOver()) setTimeout(load, unchanged > IDLE_AFTER ? POLL_IDLE_MS : POLL_MS); };

  // ---- Words ------------------------------------------------------------------------------------

  const sizeOf = (c) => c.width && c.height ? c.width + "×" + c.height : "";
  const value = (c, key) => key === "size" ? sizeOf(c) : c[key] === null || c[key] === undefined ? "" : String(c[key]);
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

  const describe = (c) => ["profile", "model"].map((key) => value(c, key)).filter(Boolean).join(", ") +
    (value(c, "seed") ? ", seed " + value(c, "seed") : "") + (c.prompt ? ": " + c.prompt : "");

  // The keys in which cells differ, most telling first.
  function varying() {
    const keys = ["model", "profile", "scheduler", "steps", "guidance", "size", "strength", "seed", "prompt"];
    return keys.filter((key) => new Set([...cells.values()].map((c) => value(c, key))).size > 1);
  }

  // The two keys that make rows and columns, or null for a gallery. Two keys that only change together
  // (a seed for each profile) make no table.
  function axes(keys) {
    if (about.rows && about.columns) return [about.rows, about.columns];
    if (keys.includes("model") && keys.includes("profile")) return ["model", "profile"];
    const real = keys.filter((key) => key !== "prompt");
    if (real.length !== 2) return null;
    const all = [...cells.values()], distinct = (of) => new Set(all.map(of)).size;
    const pairs = distinct((c) => JSON.stringify(real.map((key) => value(c, key))));
    return pairs > distinct((c) => value(c, real[0])) * distinct((c) => value(c, real[1])) / 2 ? real : null;
  }

  function titleOf(c, keys) {
    const first = keys.find((key) => key !== "model" && key !== "prompt") || (keys.length ? keys[0] : "profile");
    const text = value(c, first);
    return text && !["model", "profile", "scheduler", "prompt", "size"].includes(first)
      ? NAMES[first].toLowerCase() + " " + text : text || value(c, "id");
  }

  function detailsOf(c, keys, used) {
    const rest = keys.filter((key) => !used.includes(key) && key !== "prompt");
    if (!rest.includes("seed") && !used.includes("seed")) rest.push("seed");
    return rest.map((key) => ["model", "profile", "scheduler", "size"].includes(key)
      ? value(c, key) : NAMES[key].toLowerCase() + " " + value(c, key)).join(" · ");
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
    if (filter.model && value(c, "model") !== filter.model) return false;
    if (filter.profile && value(c, "profile") !== filter.profile) return false;
    const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return true;
    const text = KNOWN.map((key) => value(c, key)).join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  }

  function gallery(keys) {
    const list = make("div", "gallery");
    for (const c of shown) {
      const first = titleOf(c, keys);
      const used = keys.filter((key) => key !== "model" && key !== "prompt").slice(0, 1);
      list.append(card(c, [first, detailsOf(c, keys, used.length ? used : keys.slice(0, 1))]));
    }
    return list;
  }

  function matrix(keys, [row, column]) {
    const columns = [...new Set(shown.map((c) => value(c, column)))];
    const rows = new Map();
    for (const c of shown) {
      const name = value(c, row), line = rows.get(name) || new Map();
      line.set(value(c, column), (line.get(value(c, column)) || []).concat(c));
      rows.set(name, line);
    }
    const box = make("div", "matrix"), table = make("table"), head = make("thead"), body = make("tbody");
    const top = make("tr");
    top.append(make("th", "", (NAMES[row] || row) + " / " + (NAMES[column] || column)));
    for (const name of columns) { const th = make("th", "", name || "–"); th.scope = "col"; top.append(th); }
    head.append(top);
    for (const [name, line] of rows) {
      const tr = make("tr"), th = make("th", "", name || "–");
      th.scope = "row";
      tr.append(th);
      for (const key of columns) {
        const td = make("td");
        for (const c of line.get(key) || []) td.append(card(c, ["", detailsOf(c, keys, [row, column])]));
        tr.append(td);
      }
      body.append(tr);
    }
    box.tabIndex = 0;
    table.append(head, body);
    box.append(table);
    return box;
  }

  function renderCells() {
    const keys = varying(), both = axes(keys), main = $("cells");
    shown = [...cells.values()].filter(matches);
    const old = main.firstElementChild, scroll = old ? [old.scrollLeft, old.scrollTop] : [0, 0];
    const focus = document.activeElement && document.activeElement.classList.contains("cell") ? document.activeElement : null;
    main.replaceChildren(both && wantsMatrix ? matrix(keys, both) : gallery(keys));
    main.firstElementChild.scrollTo(scroll[0], scroll[1]);
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

  function timeText(n) {
    const t = about.timing, left = n.waiting;
    if (isOver()) {
      const spent = (Date.parse(about.finished) - Date.parse(about.started)) / 1000;
      return spent >= 0 ? "took " + duration(Math.round(spent)) : "";
    }
    if (!left) return "";
    const each = t.finished && t.last > t.begun ? (t.last - t.begun) / t.finished : 0;
    const silence = Date.now() / 1000 - Math.max(t.begun, t.last);
    if (silence > Math.max(QUIET_S, 10 * each)) return "no news for " + duration(silence) + ": has the run stopped?";
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
    const sheets = (about.sheets || []).filter(address);
    $("sheets").hidden = !sheets.length;
    $("sheets").replaceChildren(...sheets.map((path) => {
      const link = make("a", "", sheets.length > 1 ? path : "Contact sheet");
      link.href = address(path);
      return link;
    }));
    renderStates(n);
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

  function renderSelect(key, all) {
    const names = [...new Set([...cells.values()].map((c) => value(c, key)))].filter(Boolean);
    const select = $(key);
    select.hidden = names.length < 2;
    if (select.options.length === names.length + 1) return;
    select.replaceChildren(...[["", all], ...names.map((name) => [name, name])].map(([text, name]) => {
      const option = make("option", "", name);
      option.value = text;
      return option;
    }));
    select.value = filter[key];
  }

  function render() {
    renderTop();
    renderSelect("model", "All models");
    renderSelect("profile", "All profiles");
    renderCells();
    if (open !== null) renderViewer();
  }

  // ---- One picture ------------------------------------------------------------------------------

  function fact(list, key, text) {
    const isLong = key === "prompt" || key === "negative" || key === "error";
    const name = make("dt", isLong ? "long" : "", NAMES[key] || key), what = make("dd", isLong ? "long" : "");
    if (key === "path" && address(text)) {
      const link = make("a", "", text);
      link.href = address(text);
      what.append(link);
    } else {
      what.textContent = key === "seconds" ? duration(Number(text)) : text;
    }
    list.append(name, what);
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
    $("caption-title").textContent = value(c, "profile") || titleOf(c, varying());
    $("position").textContent = at < 0 ? "" : at + 1 + " / " + shown.length;
    const list = $("caption"), extra = Object.keys(c).filter((key) => !KNOWN.includes(key) && key !== "width" && key !== "height");
    list.replaceChildren();
    for (const key of KNOWN.slice(0, -2).concat(extra, "path", "id"))
      if (value(c, key) && !(key === "state" && c.state === "done")) fact(list, key, typeof c[key] === "object" && key !== "size" ? JSON.stringify(c[key]) : value(c, key));
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
  $("model").onchange = (event) => { filter.model = event.target.value; renderCells(); };
  $("profile").onchange = (event) => { filter.profile = event.target.value; renderCells(); };
  $("view").onclick = () => { wantsMatrix = !wantsMatrix; renderCells(); };
  $("size").oninput = (event) => document.documentElement.style.setProperty("--tile", event.target.value + "px");
  load();
})();
