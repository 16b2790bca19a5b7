// Plots: drawn when they come near the window, recoloured with the theme, saved as PNG, SVG or numbers.
const drawn = new Map();
const PAPER_WIDTH = 680;
let onPaper = false;

function themedLayout(layout, dark, solid) {
  const [text, line, back] = dark ? ["#e4e9ef", "#36414d", "#12171d"] : ["#1d2733", "#dfe4ea", "#ffffff"];
  const made = structuredClone(layout || {});
  const axis = { gridcolor: line, linecolor: line, zerolinecolor: dark ? "#7f8b99" : "#8a96a3", tickcolor: line };
  for (const name of Object.keys(made).filter((key) => /^[xy]axis\d*$/.test(key)).concat(["xaxis", "yaxis"])) {
    const own = made[name] || {};
    const byLayer = own.layeraxis;
    delete own.layeraxis;
    made[name] = { ...axis, zeroline: false, ...own };
    made[name].zerolinecolor = axis.zerolinecolor;
    if (byLayer && (filters.from !== null || filters.to !== null)) {
      made[name].range = [(filters.from ?? 0) - 0.4, (filters.to ?? report.lastLayer) + 0.4];
    }
  }
  made.paper_bgcolor = solid ? back : "rgba(0,0,0,0)";
  made.plot_bgcolor = "rgba(0,0,0,0)";
  made.font = { family: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", size: 13, color: text, ...made.font };
  const panels = (made.annotations || []).length > 0;
  const height = made.height || 400;
  made.margin = { l: 60, r: 16, b: 52, ...made.margin, t: panels ? 66 : 40 };
  // The legend stands above the plot; panels have their titles there.
  made.legend = { orientation: "h", x: 0, xanchor: "left", yanchor: "bottom",
    y: 1 + (panels ? 26 : 6) / Math.max(60, height - made.margin.t - made.margin.b), itemwidth: 40, ...made.legend };
  made.hoverlabel = { bgcolor: back, bordercolor: line, font: { color: text }, align: "left" };
  made.hovermode = "closest";
  made.autosize = !onPaper;
  if (onPaper) made.width = PAPER_WIDTH;
  return made;
}

function themedData(data) {
  return data.map((trace) => ({ ...trace, visible: modelShown(trace.meta && trace.meta.model) }));
}

function plotName(key) {
  return fileName(report.name, key);
}

const barButtons = ["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"];

function drawFigure(box) {
  if (drawn.has(box)) return;
  const figure = report.figures[box.dataset.figure];
  drawn.set(box, figure);
  Plotly.newPlot(box, themedData(figure.data), themedLayout(figure.layout, isDark(), false), {
    responsive: true,
    displaylogo: false,
    modeBarButtons: [barButtons.concat(["toImage"])],
    toImageButtonOptions: { format: "png", scale: 2, filename: plotName(box.dataset.figure) },
  });
}

function redrawFigures() {
  for (const [box, figure] of drawn) Plotly.react(box, themedData(figure.data), themedLayout(figure.layout, isDark(), false));
}

async function saveImage(key, format, width) {
  const figure = report.figures[key];
  const layout = { ...themedLayout(figure.layout, false, true), width, height: figure.layout.height || 400 };
  const url = await Plotly.toImage({ data: themedData(figure.data), layout }, { format, width, height: layout.height, scale: format === "png" ? 2 : 1 });
  const link = el("a", { href: url, download: plotName(key) + "." + format });
  document.body.append(link);
  link.click();
  link.remove();
  announce("Saved the figure as " + format.toUpperCase() + ".");
}

function saveNumbers(key) {
  const rows = [["series", "x", "y", "low", "high"]];
  const bound = (error, i, side) => (error ? (side === "low" ? error.arrayminus || error.array : error.array) : null)?.[i] ?? null;
  for (const trace of report.figures[key].data) {
    if (trace.fill === "toself") continue; // a band: its bounds are those of its curve
    const band = report.figures[key].data.find((other) => other.fill === "toself" && other.name === trace.name && other.xaxis === trace.xaxis);
    trace.x.forEach((x, i) => {
      const y = trace.y[i];
      let [low, high] = [null, null];
      if (band && trace.mode !== "lines") [low, high] = [band.y[2 * trace.x.length - 1 - i], band.y[i]];
      else if (trace.error_y) [low, high] = [y - bound(trace.error_y, i, "low"), y + bound(trace.error_y, i, "high")];
      else if (trace.error_x && bound(trace.error_x, i, "low") !== null) [low, high] = [x - bound(trace.error_x, i, "low"), x + bound(trace.error_x, i, "high")];
      const plain = new DOMParser().parseFromString(trace.name || "", "text/html").documentElement.textContent;
      rows.push([plain, x, y, low, high]);
    });
  }
  downloadCsv(key, rows);
}

function startFigures() {
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      drawFigure(entry.target);
    }
  }, { rootMargin: "600px 0px" });
  for (const box of document.querySelectorAll(".plot")) {
    const { figure: key } = box.dataset;
    box.style.minHeight = (report.figures[key].layout.height || 400) + "px";
    near.observe(box);
    const button = (text, title, action) => el("button", { type: "button", title, "aria-label": title, onclick: action }, text);
    box.parentElement.querySelector(".figure-buttons").append(
      button("PNG", "Save this figure as PNG", () => saveImage(key, "png", Math.max(640, box.clientWidth))),
      button("SVG", "Save this figure as SVG", () => saveImage(key, "svg", Math.max(640, box.clientWidth))),
      button("CSV", "Save the numbers of this figure as CSV", () => saveNumbers(key)));
  }
  themeListeners.push(redrawFigures);
  filterListeners.push(redrawFigures);
}
