// Attention heads: a grid of layers x heads, and the word pairs of the chosen head before and after tuning.
const SIDE_NAMES = { base: "before (base)", tuned: "after (tuned)", model: "word pairs" };

function headBrowser(place, data) {
  const all = [];
  data.forEach((entry, i) => all.push([String(i), entry.label]));
  const grid = el("div", { class: "scroll" });
  const panel = el("div", { class: "head-panel", "aria-live": "polite" });
  let current = null;
  let query = "";
  const search = el("input", { type: "search", placeholder: "a word", oninput: debounced(() => {
    query = search.value.trim().toLowerCase();
    drawGrid();
  }) });
  const status = el("span", { class: "status", role: "status" });
  const pairChoice = choice("Models", all, (value) => open(Number(value)));
  place.replaceChildren(el("div", { class: "table-controls" }, all.length > 1 ? pairChoice.node : el("strong", {}, all[0][1]),
    el("label", { class: "field" }, el("span", {}, "Heads that look for"), search), status), el("div", { class: "head-browser" }, grid, panel));

  function pairsOf(side, layer, head) {
    return (current.pairs[side] && current.pairs[side][layer + "." + head]) || [];
  }

  function holds(layer, head) {
    return Object.keys(current.pairs).some((side) => pairsOf(side, layer, head).some(([a, b]) => a.toLowerCase().includes(query) || b.toLowerCase().includes(query)));
  }

  function scoreOf(layer, head) {
    const { score } = current;
    const at = (side) => (score[side] ? score[side][layer - current.firstLayer][head] : null);
    if (score.change) return at("change");
    if (score.base && score.tuned) return at("base") === null || at("tuned") === null ? null : at("tuned") - at("base");
    return at("tuned") ?? at("model") ?? at("base");
  }

  function open(number) {
    current = data[number];
    drawGrid();
    choose(current.firstLayer, 0, false);
  }

  function drawGrid() {
    const layers = Array.from({ length: current.layers }, (_, i) => i + current.firstLayer);
    const heads = Array.from({ length: current.heads }, (_, i) => i);
    const scores = layers.flatMap((layer) => heads.map((head) => scoreOf(layer, head))).filter((value) => value !== null);
    const most = Math.max(1e-12, ...scores.map(Math.abs));
    let found = 0;
    const rows = layers.map((layer) => el("tr", {}, el("th", { scope: "row" }, String(layer)), heads.map((head) => {
      const value = scoreOf(layer, head);
      const hit = query !== "" && holds(layer, head);
      found += hit ? 1 : 0;
      const share = value === null ? 0 : value / most;
      const said = "layer " + layer + ", head " + head + (value === null ? "" : ", " + current.scoreName + " " + formatNumber(value)) + (hit ? ", looks for " + query : "");
      const button = el("button", { type: "button", tabindex: -1, title: said, "aria-label": said, class: hit ? "head hit" : query ? "head miss" : "head",
        "data-layer": layer, "data-head": head, onclick: () => choose(layer, head, true) }, hit ? "\u2022" : share < 0 ? "\u2212" : "");
      button.style.setProperty("--share", Math.abs(share).toFixed(3));
      if (share < 0) button.classList.add("negative");
      return el("td", {}, button);
    })));
    const name = current.scoreName ? "Colour: " + current.scoreName + (scores.some((value) => value < 0) ? "; a minus marks heads below 0" : "") + "." : "";
    grid.replaceChildren(el("table", { class: "heads" }, el("caption", {}, "Layers (rows) by heads (columns). " + name + " Arrow keys move."),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "layer"), heads.map((head) => el("th", { scope: "col" }, String(head))))), el("tbody", {}, rows)));
    grid.querySelector("table").addEventListener("keydown", move);
    status.textContent = query === "" ? "" : found + " of " + layers.length * heads.length + " heads";
    mark();
  }

  function button(layer, head) {
    return grid.querySelector("button[data-layer='" + layer + "'][data-head='" + head + "']");
  }

  function mark() {
    for (const one of grid.querySelectorAll("button[aria-pressed]")) {
      one.removeAttribute("aria-pressed");
      one.tabIndex = -1;
    }
    const chosen = current.chosen && button(...current.chosen);
    if (!chosen) return;
    chosen.setAttribute("aria-pressed", "true");
    chosen.tabIndex = 0;
  }

  function move(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = button(current.chosen[0] + step[0], current.chosen[1] + step[1]);
    if (next) choose(Number(next.dataset.layer), Number(next.dataset.head), true);
  }

  function choose(layer, head, focus) {
    current.chosen = [layer, head];
    mark();
    if (focus) button(layer, head).focus();
    const sides = Object.keys(current.pairs);
    const keyOf = ([a, b]) => JSON.stringify([a, b]);
    const sets = new Map(sides.map((side) => [side, new Set(pairsOf(side, layer, head).map(keyOf))]));
    const columns = sides.map((side) => {
      const other = sides.find((one) => one !== side);
      const items = pairsOf(side, layer, head).map((pair) => {
        const only = other && !sets.get(other).has(keyOf(pair));
        const hit = query !== "" && (pair[0].toLowerCase().includes(query) || pair[1].toLowerCase().includes(query));
        return el("li", { class: hit ? "hit" : null }, el("span", { class: "word" }, pair[0]), " \u2192 ", el("span", { class: "word" }, pair[1]),
          only ? el("span", { class: "tag" }, side === "base" ? "lost" : "new") : null);
      });
      return el("div", {}, el("h4", {}, SIDE_NAMES[side] || side), items.length ? el("ol", {}, items) : el("p", { class: "absent" }, "No word pair is stored for this head."));
    });
    const value = scoreOf(layer, head);
    panel.replaceChildren(el("h3", {}, "Layer " + layer + ", head " + head, value === null ? null : el("span", { class: "facts" }, current.scoreName + " " + formatNumber(value))),
      el("p", { class: "small-print" }, "query word \u2192 key word: when the query word is read, this head looks for the key word."), el("div", { class: "side-by-side" }, columns));
  }
  open(0);
}
