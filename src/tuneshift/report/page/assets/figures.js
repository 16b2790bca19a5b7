// Plots: drawn when they come near the window, recoloured with the theme, saved as PNG, SVG or numbers.
const drawn = new Map();
const inSight = new Set();
const stale = new Set();
const lookedLike = new Map();
let freshening = false;
const PAPER_WIDTH = 680;
let onPaper = false;

function themedLayout(figure, width, dark, solid) {
  const [text, line, back] = dark ? ["#e4e9ef", "#36414d", "#12171d"] : ["#1d2733", "#dfe4ea", "#ffffff"];
  const made = figure.layout.panels ? placePanels(figure, width) : structuredClone(figure.layout);
  const axis = { gridcolor: line, linecolor: line, zerolinecolor: dark ? "#7f8b99" : "#8a96a3", tickcolor: line };
  for (const name of Object.keys(made).filter((key) => /^[xy]axis\d*$/.test(key)).concat(["xaxis", "yaxis"])) {
    const own = made[name] || {};
    const byLayer = Boolean(own.layeraxis);
    delete own.layeraxis;
    made[name] = { ...axis, zeroline: false, automargin: true, ...own };
    if (byLayer) made[name].byLayer = true;
    if (made[name].title && name.startsWith("y")) made[name].title = { standoff: 8, ...made[name].title };
    made[name].zerolinecolor = axis.zerolinecolor;
    if (byLayer && (filters.from !== null || filters.to !== null)) {
      made[name].range = [(filters.from ?? 0) - 0.4, (filters.to ?? report.lastLayer) + 0.4];
    }
  }
  made.paper_bgcolor = solid ? back : "rgba(0,0,0,0)";
  made.plot_bgcolor = "rgba(0,0,0,0)";
  made.font = { family: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", size: 13, color: text, ...made.font };
  const panels = Boolean(figure.layout.panels);
  made.height = made.height || 400;
  const { height } = made;
  made.margin = { l: 60, r: 16, b: 52, ...made.margin, t: panels ? panelSizes(figure).top : 40 };
  // The legend stands above the plot; panels have their titles there.
  made.legend = { orientation: "h", x: 0, xanchor: "left", yanchor: "bottom",
    y: 1 + (panels ? 42 : 6) / Math.max(60, height - made.margin.t - made.margin.b), itemwidth: 40, ...made.legend };
  made.modebar = { bgcolor: "rgba(0,0,0,0)", color: dark ? "#a5b1bf" : "#526070", activecolor: dark ? "#7dc3f3" : "#00588f" };
  made.hoverlabel = { bgcolor: back, bordercolor: line, font: { color: text }, align: "left" };
  made.hovermode = "closest";
  made.autosize = !onPaper;
  if (onPaper) made.width = PAPER_WIDTH;
  return made;
}

function themedData(data) {
  return data.map((trace) => {
    if (!trace.meta?.models) return { ...trace, visible: modelShown(trace.meta && trace.meta.model) };
    const shown = (_, row) => modelShown(trace.meta.models[row]); // a map: a row a model
    return { ...trace, y: trace.y.filter(shown), z: trace.z.filter(shown), ...(trace.text && { text: trace.text.filter(shown) }) };
  });
}

function plotName(key) {
  return fileName(report.name, key);
}

const barButtons = ["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"];

function drawFigure(box) {
  if (drawn.has(box)) return;
  const figure = drawing("figures", box.dataset.figure);
  drawn.set(box, figure);
  const layout = themedLayout(figure, boxWidth(box), isDark(), false);
  box.style.minHeight = layout.height + "px";
  lookedLike.set(box, looks(box, figure));
  Plotly.newPlot(box, themedData(figure.data), layout, {
    responsive: true,
    displaylogo: false,
    displayModeBar: window.matchMedia("(hover: hover)").matches ? "hover" : false, // on glass it would lie on the legend
    modeBarButtons: [barButtons.concat(["toImage"])],
    toImageButtonOptions: { format: "png", scale: 2, filename: plotName(box.dataset.figure) },
  });
}

function boxWidth(box) {
  return onPaper ? PAPER_WIDTH : box.clientWidth || PAPER_WIDTH;
}

/** What a drawn figure depends on: when only the layers change its axes are moved, which takes a tenth of drawing it anew. */
function looks(box, figure) {
  const models = new Set(figure.data.flatMap((trace) => trace.meta?.models || [trace.meta?.model]));
  const byLayer = JSON.stringify(figure.layout).includes('"layeraxis":true');
  const rest = [isDark(), boxWidth(box), [...filters.hiddenModels].filter((model) => models.has(model))].join("|");
  return { rest, layers: byLayer ? filters.from + "|" + filters.to : "" };
}

function redrawFigure(box) {
  const figure = drawn.get(box);
  const before = lookedLike.get(box);
  const now = looks(box, figure);
  lookedLike.set(box, now);
  if (before && before.rest === now.rest && before.layers === now.layers) return;
  const layout = themedLayout(figure, boxWidth(box), isDark(), false);
  box.style.minHeight = layout.height + "px";
  if (before && before.rest === now.rest) Plotly.relayout(box, layerRanges(layout));
  else Plotly.react(box, themedData(figure.data), layout);
}

function layerRanges(layout) {
  const ranges = {};
  for (const [name, axis] of Object.entries(layout)) {
    if (!/^xaxis\d*$/.test(name) || !axis.byLayer) continue;
    if (axis.range) ranges[name + ".range"] = axis.range;
    else ranges[name + ".autorange"] = true;
  }
  return ranges;
}

/** The page answers first; figures that are seen follow, then those further up or down; folded ones when they are seen. */
function redrawFigures() {
  for (const box of drawn.keys()) stale.add(box);
  if (onPaper) for (const box of [...stale].filter(isLaidOut)) freshen(box);
  else if (!freshening) {
    showFreshening(true);
    window.requestAnimationFrame(() => window.requestAnimationFrame(freshenNext)); // the second comes when the first frame is shown
  }
}

function showFreshening(is) {
  freshening = is;
  root.dataset.figures = is ? "waiting" : "drawn";
}

function freshen(box) {
  if (stale.delete(box)) redrawFigure(box);
}

function freshenNext() {
  const waiting = [...stale].filter(isLaidOut);
  const box = waiting.find((one) => inSight.has(one)) || waiting[0];
  showFreshening(Boolean(box));
  if (!box) return;
  freshen(box);
  window.setTimeout(freshenNext, 0);
}

function isLaidOut(box) {
  return !box.closest("details:not([open])") && box.offsetParent !== null;
}

async function saveImage(key, format, width) {
  const figure = drawing("figures", key);
  const layout = { ...themedLayout(figure, width, false, true), width, height: figureHeight(figure, width) };
  const url = await Plotly.toImage({ data: themedData(figure.data), layout }, { format, width, height: layout.height, scale: format === "png" ? 2 : 1 });
  const link = el("a", { href: url, download: plotName(key) + "." + format });
  document.body.append(link);
  link.click();
  link.remove();
  announce("Saved the figure as " + format.toUpperCase() + ".");
}

/** A label as it reads, without what makes it markup. */
function plainText(label) {
  return new DOMParser().parseFromString(String(label).replaceAll("<br>", " "), "text/html").documentElement.textContent;
}

function saveNumbers(key) {
  const rows = [["series", "x", "y", "low", "high"]];
  const bound = (error, i, side) => (error ? (side === "low" ? error.arrayminus || error.array : error.array) : null)?.[i] ?? null;
  const { data } = drawing("figures", key);
  for (const trace of data) {
    if (trace.fill === "toself") continue; // a band: its bounds are those of its curve
    const band = data.find((other) => other.fill === "toself" && other.name === trace.name && other.xaxis === trace.xaxis);
    if (trace.z) {
      const series = (row) => [plainText(trace.y[row]), trace.name && plainText(trace.name)].filter(Boolean).join(", ");
      trace.y.forEach((_, row) => trace.x.forEach((x, i) => rows.push([series(row), plainText(x), trace.z[row][i], null, null])));
      continue;
    }
    trace.x.forEach((x, i) => {
      const y = trace.y[i];
      let [low, high] = [null, null];
      if (band && trace.mode !== "lines") [low, high] = [band.y[2 * trace.x.length - 1 - i], band.y[i]];
      else if (trace.error_y) [low, high] = [y - bound(trace.error_y, i, "low"), y + bound(trace.error_y, i, "high")];
      else if (trace.error_x && bound(trace.error_x, i, "low") !== null) [low, high] = [x - bound(trace.error_x, i, "low"), x + bound(trace.error_x, i, "high")];
      rows.push([plainText(trace.name || ""), x, y, low, high]);
    });
  }
  downloadCsv(key, rows);
}

function startFigures() {
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const box = entry.target;
      if (!entry.isIntersecting) {
        inSight.delete(box);
        continue;
      }
      inSight.add(box);
      if (drawn.has(box)) freshen(box);
      else drawFigure(box);
    }
  }, { rootMargin: "600px 0px" });
  for (const box of document.querySelectorAll(".plot")) {
    const { figure: key } = box.dataset;
    box.style.minHeight = figureHeight(report.figures[key], boxWidth(box)) + "px";
    near.observe(box);
    const button = (text, title, action) => el("button", { type: "button", title, "aria-label": title, onclick: action }, text);
    box.parentElement.querySelector(".figure-buttons").append(
      button("PNG", "Save this figure as PNG", () => saveImage(key, "png", Math.max(640, box.clientWidth))),
      button("SVG", "Save this figure as SVG", () => saveImage(key, "svg", Math.max(640, box.clientWidth))),
      button("CSV", "Save the numbers of this figure as CSV", () => saveNumbers(key)));
  }
  // Panels stand beside or below one another as the window allows.
  const widths = new Map();
  const turned = debounced(() => {
    for (const [box, figure] of drawn) {
      if (!figure.layout.panels || onPaper) continue;
      const columns = panelColumns(figure, box.clientWidth);
      if (widths.get(box) !== columns) redrawFigure(box);
      widths.set(box, columns);
    }
  });
  window.addEventListener("resize", turned);
  themeListeners.push(redrawFigures);
  filterListeners.push(redrawFigures);
}
