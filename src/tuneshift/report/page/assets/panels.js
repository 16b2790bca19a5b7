// Figures of several panels: how many stand side by side follows from the width, three on a screen, one on a telephone.
const PANEL_HEIGHT = 190;
const PANEL_GAP = 88; // an axis with its title above, two lines of a panel's title below
const PANEL_TOP = 80;
const LETTER = 7.2; // px, of the panels' titles
const UPRIGHT = 20; // letters of a column's name on a telephone
const SMALL = { height: 104, gap: 64, top: 50, width: 160, font: 11 }; // many panels of one scale: only the outer ones have titles of axes

/** What a panel measures: `small` ones are many, a figure may set the height of its own. */
function panelSizes(figure) {
  const { small, height, foot } = figure.layout.panels;
  const sizes = small ? SMALL : { height: PANEL_HEIGHT, gap: PANEL_GAP, top: PANEL_TOP };
  return { height: height || sizes.height, gap: foot ? foot + 36 : sizes.gap, top: sizes.top, foot: foot || 52 };
}

function panelColumns(figure, width) {
  const { small, titles } = figure.layout.panels;
  if (small) { // rows of about the same length: eight panels are two rows of four
    const rows = Math.ceil(titles.length / Math.max(2, Math.floor(width / SMALL.width)));
    return Math.ceil(titles.length / rows);
  }
  return Math.min(titles.length, width < 560 ? 1 : width < 860 ? 2 : 3);
}

/** A panel's title in at most two lines of its width; titles with colours in them are short already. */
function panelTitle(title, width) {
  const most = Math.max(12, Math.floor(width / LETTER));
  if (title.includes("<") || title.length <= most) return title;
  const cut = title.lastIndexOf(" ", most);
  const first = title.slice(0, cut > 0 ? cut : most);
  const rest = title.slice(first.length).trim();
  return first + "<br>" + (rest.length > most ? rest.slice(0, most - 1) + "\u2026" : rest);
}

function panelsHeight(figure, width) {
  const rows = Math.ceil(figure.layout.panels.titles.length / panelColumns(figure, width));
  const { height, gap, top, foot } = panelSizes(figure);
  return top + rows * height + (rows - 1) * gap + foot;
}

function figureHeight(figure, width) {
  return figure.layout.panels ? panelsHeight(figure, width) : figure.layout.height || 400;
}

/** The axes and titles of panels; `panels`: titles, x and y (settings of every axis), xTitles, yTitles, share (one y scale). */
function placePanels(figure, width) {
  const { panels, ...made } = structuredClone(figure.layout);
  const columns = panelColumns(figure, width);
  const n = panels.titles.length;
  const rows = Math.ceil(n / columns);
  const sizes = panelSizes(figure);
  const inner = rows * sizes.height + (rows - 1) * sizes.gap;
  const gap = columns === 1 ? 0 : panels.small ? 0.025 : panels.share ? 0.05 : 0.09;
  const wide = (1 - gap * (columns - 1)) / columns;
  made.height = panelsHeight(figure, width);
  made.annotations = [];
  panels.titles.forEach((title, i) => {
    const id = i === 0 ? "" : String(i + 1);
    const column = i % columns;
    const left = column * (wide + gap);
    const top = 1 - (Math.floor(i / columns) * (sizes.height + sizes.gap)) / inner;
    const x = { ...panels.x, domain: [left, left + wide], anchor: "y" + id };
    const y = { ...panels.y, domain: [Math.max(0, top - sizes.height / inner), top], anchor: "x" + id };
    if (panels.xTitles || i + columns >= n) x.title = { text: panels.xTitles ? panels.xTitles[i] : panels.xTitle, standoff: 4 };
    if (panels.share && i > 0) y.matches = "y";
    if (panels.share && column > 0) y.showticklabels = false;
    if (panels.yTitles || column === 0) y.title = { text: panels.yTitles ? panels.yTitles[i] : panels.yTitle, standoff: 8 };
    if (panels.columnNames && width < 560) { // side by side they would lie on one another
      const cut = (name) => (name.length > UPRIGHT ? name.slice(0, UPRIGHT - 1) + "\u2026" : name);
      Object.assign(x, { tickvals: panels.columnNames.map((_, place) => place), ticktext: panels.columnNames.map(cut), tickangle: -90 });
    }
    if (panels.small) {
      x.tickfont = y.tickfont = { size: SMALL.font };
      for (const axis of [x, y]) if (axis.title) axis.title.font = { size: SMALL.font };
    }
    made["xaxis" + id] = x;
    made["yaxis" + id] = y;
    made.annotations.push({ text: panelTitle(title, wide * (width - 80)), align: "left", x: left, y: top, xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom",
      yshift: 7, showarrow: false, font: { size: panels.small ? SMALL.font : 13 } });
  });
  return made;
}
