// What all scripts share. Data only ever becomes text (textContent) or a canvas drawing, never markup.
const report = JSON.parse(document.getElementById("report-data").textContent);
const root = document.documentElement;

/** A figure with its traces, or a picture: read when it is first drawn, because a page may hold hundreds of them. */
function drawing(kind, key) {
  const found = report[kind][key];
  if (!found.data) found.data = JSON.parse(document.getElementById(kind + "-data-" + key).textContent);
  return found;
}

/** Build an element: `attributes` are set as attributes, `on*` as listeners; `children` are nodes or texts. */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) node.append(child);
  }
  return node;
}

/** Say something to screen readers. */
function announce(text) {
  const place = document.getElementById("announcer");
  place.textContent = "";
  window.setTimeout(() => { place.textContent = text; }, 30);
}

/** A number as the summary writes it: three decimals, a real minus sign, two significant digits where those are 0. */
function formatNumber(value) {
  if (value === null || value === undefined) return "";
  const size = Math.abs(value);
  let text;
  if (Number.isInteger(value)) text = value.toLocaleString("en-US");
  else if (size >= 1000) text = Math.round(value).toLocaleString("en-US");
  else if (size < 0.0005) text = value.toExponential(1).replace(/e([+-])(\d)$/, "e$10$2");
  else text = value.toFixed(3);
  return text.replace("-", "\u2212").replace("e-", "e\u2212");
}

/** Hand a file to the reader. */
function download(name, content, type) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** Rows of values as CSV; a text that a spreadsheet would run as a formula is kept a text. */
function toCsv(rows) {
  const field = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = /^[=+@\t\r-]/.test(value) && !Number.isFinite(Number(value)) ? "'" + value : value;
    return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  };
  return rows.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

function fileName(...parts) {
  return parts.join("-").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+|-+$/g, "") || "tuneshift";
}

function downloadCsv(name, rows) {
  // The mark at the start lets spreadsheets read it as UTF-8.
  download(fileName(report.name, name) + ".csv", "\ufeff" + toCsv(rows), "text/csv;charset=utf-8");
  announce("Saved " + (rows.length - 1) + " rows as CSV.");
}

async function copyText(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages opened from a file or a mail may have no clipboard: then the old way.
    const area = el("textarea", { class: "offscreen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const before = button.dataset.label || button.textContent;
  button.dataset.label = before;
  button.textContent = done ? "Copied" : "Select it and copy by hand";
  announce(button.textContent);
  window.setTimeout(() => { button.textContent = before; }, 2500);
}

/** Wait until the reader stops typing. */
function debounced(action, milliseconds = 150) {
  let timer = 0;
  return (...given) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => action(...given), milliseconds);
  };
}

/** A labelled select; `options` are [value, text] pairs or {label, options} groups. */
function choice(label, options, onchange, value) {
  const option = ([optionValue, text]) => el("option", { value: optionValue }, text);
  const select = el("select", { onchange: () => onchange(select.value) },
    options.map((entry) => (Array.isArray(entry) ? option(entry)
      : el("optgroup", { label: entry.label }, entry.options.map(option)))));
  if (value !== undefined) select.value = value;
  return { select, node: el("label", { class: "field" }, el("span", {}, label), select) };
}

function different(values) {
  return [...new Set(values)];
}
