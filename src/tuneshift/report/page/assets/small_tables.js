// Tables that stand in the page: sorted by their headers, saved as CSV.
function cellNumber(text) {
  const plain = text.replace(/\u2212/g, "-").replace(/,/g, "");
  const found = plain.match(/^[<p= ]*([+-]?\d*\.?\d+(?:e[+-]?\d+)?)/i);
  return found ? Number(found[1]) : null;
}

function sortButton(text, action) {
  return el("button", { type: "button", class: "sort", onclick: action }, text, el("span", { class: "arrow", "aria-hidden": "true" }));
}

function startSmallTable(table) {
  const headers = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const original = [...body.rows];
  const names = headers.map((header) => header.textContent.trim());
  if (original.length > 1) {
    headers.forEach((header, place) => {
      header.replaceChildren(sortButton(names[place], () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[header.getAttribute("aria-sort") || "none"];
        for (const other of headers) other.setAttribute("aria-sort", "none");
        header.setAttribute("aria-sort", next);
        body.append(...sortedRows(original, place, next));
        announce(next === "none" ? "Original order" : "Sorted by " + names[place] + ", " + next);
      }));
      header.setAttribute("aria-sort", "none");
    });
  }
  const save = el("button", { type: "button", "aria-label": "Save this table as CSV", onclick: () => {
    const rows = [...body.rows].filter((row) => !row.hidden);
    downloadCsv(table.caption.textContent.slice(0, 40), [names, ...rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim()))]);
  } }, "CSV");
  table.closest(".table-block").querySelector(".table-buttons").append(save);
}

function sortedRows(rows, place, order) {
  if (order === "none") return rows;
  const sign = order === "ascending" ? 1 : -1;
  const keyed = rows.map((row) => ({ row, text: row.cells[place].textContent.trim(), number: cellNumber(row.cells[place].textContent.trim()) }));
  const numeric = keyed.some((entry) => entry.number !== null) && keyed.every((entry) => entry.number !== null || entry.text === "\u2013");
  keyed.sort((a, b) => {
    if (!numeric) return sign * a.text.localeCompare(b.text, "en", { numeric: true });
    if (a.number === null || b.number === null) return (a.number === null) - (b.number === null);
    return sign * (a.number - b.number);
  });
  return keyed.map((entry) => entry.row);
}
