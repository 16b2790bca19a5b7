// One set of filters for the whole page: models, data set, layers.
const filters = { hiddenModels: new Set(), dataset: "", from: null, to: null };
const filterListeners = [];
const modelBoxes = [];

function modelShown(model) {
  return !model || !filters.hiddenModels.has(model);
}

function layerShown(layer) {
  // "nested", "best" and rows without a layer stay.
  if (layer === null || layer === "" || !/^\d+$/.test(layer)) return true;
  const depth = Number(layer);
  return (filters.from === null || depth >= filters.from) && (filters.to === null || depth <= filters.to);
}

function filtersAreSet() {
  return filters.hiddenModels.size > 0 || filters.dataset !== "" || filters.from !== null || filters.to !== null;
}

function filtersChanged() {
  for (const row of document.querySelectorAll("tr[data-model], figure[data-model]")) row.hidden = !modelShown(row.dataset.model);
  for (const block of document.querySelectorAll("[data-dataset]")) {
    block.hidden = filters.dataset !== "" && block.dataset.dataset !== filters.dataset;
    if (filters.dataset !== "" && !block.hidden && block.matches(".fold.within")) block.open = true; // it was asked for
  }
  document.getElementById("filter-reset").hidden = !filtersAreSet();
  const shown = report.models.length - filters.hiddenModels.size;
  const said = document.getElementById("filter-models-count");
  if (said) said.textContent = filters.hiddenModels.size ? shown + " of " + report.models.length : "all " + report.models.length;
  for (const listener of filterListeners) listener();
}

function clearFilters() {
  if (!filtersAreSet()) return;
  filters.hiddenModels.clear();
  Object.assign(filters, { dataset: "", from: null, to: null });
  for (const box of modelBoxes) box.checked = true;
  const bar = document.getElementById("filters");
  for (const field of bar.querySelectorAll("select, input[type=number]")) field.value = "";
  filtersChanged();
}

function startFilters() {
  const bar = document.getElementById("filters");
  if (report.models.length > 1) bar.append(modelFilter());
  if (report.dataSets.length > 1) {
    bar.append(choice("Data set", [["", "all"], ...report.dataSets.map((name) => [name, name])], (value) => {
      filters.dataset = value;
      filtersChanged();
    }).node);
  }
  if (report.lastLayer > 0) bar.append(layerFilter());
  const reset = el("button", { type: "button", id: "filter-reset", hidden: true, onclick: () => {
    clearFilters();
    announce("All filters are cleared.");
  } }, "Clear filters");
  bar.append(reset);
  document.addEventListener("click", (event) => {
    const open = bar.querySelector("details[open]");
    if (open && !open.contains(event.target)) open.open = false;
  });
}

function modelFilter() {
  const boxes = report.models.map((model) => {
    const box = el("input", { type: "checkbox", onchange: () => {
      if (box.checked) filters.hiddenModels.delete(model);
      else filters.hiddenModels.add(model);
      filtersChanged();
    } });
    box.checked = true;
    modelBoxes.push(box);
    return el("label", { class: "check" }, box, el("span", {}, model));
  });
  const setAll = (shown) => {
    filters.hiddenModels = new Set(shown ? [] : report.models);
    for (const box of modelBoxes) box.checked = shown;
    filtersChanged();
  };
  const details = el("details", { class: "dropdown" },
    el("summary", {}, "Models: ", el("span", { id: "filter-models-count" }, "all " + report.models.length)),
    el("div", { class: "menu", role: "group", "aria-label": "Models to show" },
      el("div", { class: "buttons" },
        el("button", { type: "button", onclick: () => setAll(true) }, "All"),
        el("button", { type: "button", onclick: () => setAll(false) }, "None")),
      boxes));
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    details.open = false;
    details.querySelector("summary").focus();
  });
  return details;
}

function layerFilter() {
  const input = (label, key) => {
    const field = el("input", { type: "number", min: 0, max: report.lastLayer, step: 1, "aria-label": label,
      placeholder: key === "from" ? "0" : report.lastLayer, onchange: () => {
        filters[key] = field.value === "" ? null : Number(field.value);
        filtersChanged();
      } });
    return field;
  };
  return el("span", { class: "field", role: "group", "aria-label": "Layers to show" },
    el("span", {}, "Layers"), input("First layer to show", "from"), el("span", {}, "to"), input("Last layer to show", "to"));
}
