// Prompt x response heat maps: a canvas for the eye, arrow keys and a spoken readout for everybody.
const LIGHT_SCALE = ["#f4f6f8", "#cfe1f2", "#7fb3dc", "#2a76b9", "#0b3c78", "#081d3f"];
const DARK_SCALE = ["#1d2530", "#2b3f63", "#5a5a8c", "#a86f78", "#e59c4c", "#fff0a8"];

function levelColours() {
  const stops = (isDark() ? DARK_SCALE : LIGHT_SCALE).map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  return Array.from({ length: 11 }, (_, level) => {
    const place = (level / 10) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(place));
    return "rgb(" + stops[low].map((part, i) => Math.round(part + (stops[low + 1][i] - part) * (place - low))).join(",") + ")";
  });
}

function tokenLabel(token) {
  const plain = token.replace(/\n/g, "\u23ce").replace(/\t/g, "\u21e5").trim();
  return plain === "" ? "\u2423" : plain;
}

function levelOf(map, row, column) {
  const sign = map.levels[row][column];
  return sign === "X" ? 10 : Number(sign);
}

class HeatMap {
  constructor(map) {
    this.map = map;
    this.cursor = [0, 0];
    this.readout = el("p", { class: "readout", "aria-live": "polite" });
    this.canvas = el("canvas", { tabindex: 0, role: "img",
      "aria-label": "Heat map of " + map.promptTokens.length + " prompt tokens by " + map.responseTokens.length + " response tokens, " + map.model + ". Arrow keys move from cell to cell." });
    this.canvas.addEventListener("mousemove", (event) => this.point(event));
    this.canvas.addEventListener("click", (event) => this.point(event));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("focus", () => this.read());
    this.canvas.addEventListener("blur", () => this.draw());
    this.node = el("div", { class: "heat-map" }, this.title(), this.words(),
      el("div", { class: "scroll tall", tabindex: -1 }, this.canvas), this.readout);
    this.draw();
    this.readout.textContent = this.strongest();
  }

  title() {
    const { map } = this;
    const facts = [];
    if (map.score !== null && map.score !== undefined) facts.push("instruction score " + formatNumber(map.score));
    if (map.followed === true || map.followed === false) facts.push(map.followed ? "instruction followed" : "instruction not followed");
    return el("h3", {}, map.model, facts.length ? el("span", { class: "facts" }, facts.join(" · ")) : null);
  }

  /** The prompt as running text: shade and bar show importance density, an underline the instruction. */
  words() {
    const { map } = this;
    const most = Math.max(...map.density, 1e-12);
    const tokens = map.promptTokens.map((token, i) => {
      const density = map.density.length ? map.density[i] : null;
      const share = density === null ? 0 : Math.max(0, density / most);
      const bar = el("span", { class: "bar", "aria-hidden": "true" });
      bar.style.transform = "scaleY(" + share.toFixed(3) + ")";
      const said = density === null ? null : "importance density " + formatNumber(density) + (map.instruction[i] ? ", instruction" : "");
      const word = el("span", { class: map.instruction[i] ? "token instruction" : "token", title: said }, token.replace(/\n/g, "\u23ce\n"), bar);
      word.style.setProperty("--share", share.toFixed(3));
      return word;
    });
    return el("p", { class: "prompt-words" }, tokens);
  }

  sizes() {
    const { promptTokens: rows, responseTokens: columns } = this.map;
    const cell = Math.max(9, Math.min(22, Math.floor(1100 / Math.max(columns.length, 1)), Math.floor(1600 / Math.max(rows.length, 1))));
    return { cell, left: 116, top: 84, width: 116 + cell * columns.length + 8, height: 84 + cell * rows.length + 8 };
  }

  draw(marked) {
    const { map } = this;
    const { cell, left, top, width, height } = this.sizes();
    const scale = Math.min(window.devicePixelRatio || 1, Math.sqrt(16e6 / (width * height)));
    Object.assign(this.canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
    Object.assign(this.canvas.style, { width: width + "px", height: height + "px" });
    const draw = this.canvas.getContext("2d");
    draw.scale(scale, scale);
    const colours = levelColours();
    const gap = cell >= 12 ? 1 : 0;
    map.levels.forEach((_, row) => {
      for (let column = 0; column < map.responseTokens.length; column += 1) {
        draw.fillStyle = colours[levelOf(map, row, column)];
        draw.fillRect(left + column * cell, top + row * cell, cell - gap, cell - gap);
      }
    });
    const size = Math.min(12, cell);
    draw.font = size + "px system-ui, sans-serif";
    draw.textBaseline = "middle";
    draw.textAlign = "right";
    map.promptTokens.forEach((token, row) => {
      draw.fillStyle = marked && marked[0] === row ? colour("--accent") : colour("--text");
      draw.fillText((map.instruction[row] ? "\u25b8 " : "") + tokenLabel(token), left - 6, top + row * cell + cell / 2, left - 10);
    });
    draw.textAlign = "left";
    map.responseTokens.forEach((token, column) => {
      draw.save();
      draw.translate(left + column * cell + cell / 2, top - 5);
      draw.rotate(-Math.PI / 3);
      draw.fillStyle = marked && marked[1] === column ? colour("--accent") : colour("--text");
      draw.fillText(tokenLabel(token), 0, 0, top - 2);
      draw.restore();
    });
    if (marked) {
      draw.strokeStyle = colour("--focus");
      draw.lineWidth = 2;
      draw.strokeRect(left + marked[1] * cell - 1, top + marked[0] * cell - 1, cell + 1, cell + 1);
    }
  }

  point(event) {
    const { cell, left, top } = this.sizes();
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - left) / cell);
    const row = Math.floor((event.clientY - box.top - top) / cell);
    if (row < 0 || column < 0 || row >= this.map.promptTokens.length || column >= this.map.responseTokens.length) return;
    if (row === this.cursor[0] && column === this.cursor[1]) return;
    this.cursor = [row, column];
    this.read();
  }

  key(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const limit = [this.map.promptTokens.length, this.map.responseTokens.length];
    this.cursor = this.cursor.map((place, axis) => Math.min(limit[axis] - 1, Math.max(0, place + step[axis])));
    this.read();
  }

  read() {
    const [row, column] = this.cursor;
    const { map } = this;
    this.readout.replaceChildren("prompt ", el("q", {}, tokenLabel(map.promptTokens[row])), map.instruction[row] ? " (instruction)" : "",
      " \u2192 response ", el("q", {}, tokenLabel(map.responseTokens[column])), ": level ", el("strong", {}, String(levelOf(map, row, column))),
      map.density.length ? ", density of the prompt token " + formatNumber(map.density[row]) : "");
    this.draw(this.cursor);
  }

  strongest() {
    const order = this.map.density.map((value, i) => [value, i]).sort((a, b) => b[0] - a[0]).slice(0, 5).filter(([value]) => value > 0);
    return order.length ? "Prompt tokens the response leans on most: " + order.map(([, i]) => "\u201c" + tokenLabel(this.map.promptTokens[i]) + "\u201d").join(", ") + "." : "";
  }
}

function levelLegend() {
  const swatches = levelColours().map((shade, level) => {
    const box = el("span", { class: "swatch" });
    box.style.background = shade;
    return el("span", { class: "step" }, box, String(level));
  });
  return el("div", { class: "legend", "aria-label": "Colours of the levels, 0 to 10" }, "level ", swatches);
}

function heatMapViewer(place, maps) {
  const nameOf = (map) => JSON.stringify([map.task, map.prompt, map.form]);
  const groups = new Map();
  for (const map of maps) {
    if (!groups.has(nameOf(map))) groups.set(nameOf(map), []);
    groups.get(nameOf(map)).push(map);
  }
  const keys = [...groups.keys()];
  const tasks = different(keys.map((key) => JSON.parse(key)[0]));
  const label = (key) => {
    const [, prompt, form] = JSON.parse(key);
    return (prompt || "prompt") + (form ? " (" + form + ")" : "");
  };
  let current = 0;
  const chooser = choice("Prompt", tasks.map((task) => ({ label: task || "prompts",
    options: keys.map((key, i) => [key, i]).filter(([key]) => JSON.parse(key)[0] === task).map(([key, i]) => [String(i), label(key)]) })), (value) => show(Number(value)));
  const all = different(maps.map((map) => map.model));
  const chosen = { left: all[0], right: "" };
  const first = maps.find((map) => map.base && all.includes(map.base));
  if (first) Object.assign(chosen, { left: first.base, right: first.model });
  else if (all.length > 1) chosen.right = all[1];
  const model = (text, side, optional) => choice(text, [...(optional ? [["", "none"]] : []), ...all.map((name) => [name, name])], (value) => {
    chosen[side] = value;
    show(current);
  }, chosen[side]);
  const step = (text, name, by) => el("button", { type: "button", "aria-label": name, onclick: () => show((current + by + keys.length) % keys.length) }, text);
  const legend = el("div");
  const stage = el("div", { class: "side-by-side" });
  place.replaceChildren(el("div", { class: "table-controls" }, step("\u2039", "Previous prompt", -1), chooser.node, step("\u203a", "Next prompt", 1),
    model("Model", "left").node, all.length > 1 ? model("Beside it", "right", true).node : null), legend, stage);

  function show(number) {
    current = number;
    chooser.select.value = String(number);
    legend.replaceChildren(levelLegend());
    const wanted = different([chosen.left, chosen.right].filter((name) => name));
    const found = wanted.map((name) => groups.get(keys[number]).find((map) => map.model === name) || name);
    stage.replaceChildren(...found.map((map) => (typeof map === "string"
      ? el("p", { class: "absent" }, map + " has no heat map of this prompt.") : new HeatMap(map).node)));
  }
  show(0);
  themeListeners.push(() => show(current));
}
