// The long tables: filtered, sorted and shown a page at a time, so that tens of thousands of rows stay quick.
const dataTables = new Map();
const FILTERED_COLUMNS = ["measurement", "metric", "split", "mapping", "layer", "target", "participant", "property"];
const MOST_OPTIONS = 500;

class DataTable {
  constructor(source, place) {
    this.source = source;
    this.place = place;
    this.columns = new Map(source.columns.map((column) => [column.name, column]));
    this.rowOf = new Map(source.ids.map((id, row) => [id, row]));
    this.own = new Map();
    this.search = "";
    this.only = null;
    this.found = null;
    this.sorted = { column: null, order: "none" };
    this.size = 100;
    this.page = 0;
    this.build();
    this.refresh();
    filterListeners.push(() => this.refresh(true));
  }

  value(column, row) {
    if (column.numbers) return column.numbers[row];
    const code = column.codes[row];
    return code < 0 ? null : column.words[code];
  }

  build() {
    const { source } = this;
    this.selects = [];
    const controls = el("div", { class: "table-controls", role: "group", "aria-label": "Filters of this table" });
    this.searchField = el("input", { type: "search", placeholder: "any text", oninput: debounced(() => {
      this.search = this.searchField.value.trim().toLowerCase();
      this.refresh(true);
    }) });
    controls.append(el("label", { class: "field" }, el("span", {}, "Search"), this.searchField));
    for (const name of FILTERED_COLUMNS) {
      const column = this.columns.get(name);
      if (!column || !column.words || column.words.length < 2 || column.words.length > MOST_OPTIONS) continue;
      const words = name === "layer" ? [...column.words].sort((a, b) => a.localeCompare(b, "en", { numeric: true })) : column.words;
      const made = choice(column.label, [["", "all"], ...words.map((word) => [word, word])], (value) => {
        if (value === "") this.own.delete(name);
        else this.own.set(name, column.words.indexOf(value));
        this.refresh(true);
      });
      this.selects.push(made.select);
      controls.append(made.node);
    }
    this.clearButton = el("button", { type: "button", hidden: true, onclick: () => {
      this.clear();
      clearFilters();
      this.refresh(true);
    } }, "Clear filters");
    controls.append(this.clearButton);
    this.note = el("div", { class: "claim-note", hidden: true });
    this.body = el("tbody");
    this.headers = source.columns.map((column) => {
      const header = el("th", { scope: "col", "aria-sort": "none", class: column.numbers ? "number" : null },
        sortButton(column.label, () => this.sortBy(column.name)));
      return header;
    });
    this.table = el("table", { class: "data" }, el("caption", {}, source.caption),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "row"), this.headers)), this.body);
    this.status = el("span", { class: "status", role: "status" });
    const step = (label, text, action) => el("button", { type: "button", "aria-label": label, onclick: () => { action(); this.show(); } }, text);
    this.first = step("First page", "«", () => { this.page = 0; });
    this.previous = step("Previous page", "‹", () => { this.page -= 1; });
    this.next = step("Next page", "›", () => { this.page += 1; });
    this.last = step("Last page", "»", () => { this.page = this.pages() - 1; });
    const size = choice("Rows a page", [25, 100, 250].map((n) => [String(n), String(n)]), (value) => {
      const top = this.page * this.size;
      this.size = Number(value);
      this.page = Math.floor(top / this.size);
      this.show();
    }, "100");
    const pager = el("div", { class: "pager" }, this.first, this.previous, this.status, this.next, this.last, size.node,
      el("button", { type: "button", onclick: () => this.save() }, "Save these rows as CSV"));
    const frame = el("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": source.caption }, this.table);
    this.place.replaceChildren(controls, this.note, frame, pager);
  }

  clear() {
    this.own.clear();
    this.search = "";
    this.only = null;
    this.searchField.value = "";
    for (const select of this.selects) select.value = "";
  }

  isFiltered() {
    return this.own.size > 0 || this.search !== "" || this.only !== null || filtersAreSet();
  }

  shownRows() {
    const n = this.source.ids.length;
    const tests = [];
    const byCode = (name, keep) => {
      const column = this.columns.get(name);
      if (!column || !column.words) return;
      const kept = column.words.map(keep);
      const missing = keep(null);
      tests.push((row) => (column.codes[row] < 0 ? missing : kept[column.codes[row]]));
    };
    if (this.only) tests.push((row) => this.only.has(this.source.ids[row]));
    else {
      if (filters.hiddenModels.size) byCode("model", (word) => modelShown(word));
      if (filters.dataset) byCode("dataset", (word) => word === filters.dataset);
      if (filters.from !== null || filters.to !== null) byCode("layer", (word) => layerShown(word));
      for (const [name, code] of this.own) {
        const { codes } = this.columns.get(name);
        tests.push((row) => codes[row] === code);
      }
      if (this.search) {
        const hits = this.source.columns.filter((column) => column.words)
          .map((column) => [column.codes, column.words.map((word) => word.toLowerCase().includes(this.search))]);
        tests.push((row) => hits.some(([codes, hit]) => codes[row] >= 0 && hit[codes[row]]));
      }
    }
    const rows = [];
    for (let row = 0; row < n; row += 1) if (tests.every((test) => test(row))) rows.push(row);
    return rows;
  }

  refresh(fromStart) {
    this.rows = this.shownRows();
    const { column: name, order } = this.sorted;
    if (order !== "none") {
      const column = this.columns.get(name);
      const sign = order === "ascending" ? 1 : -1;
      let key;
      if (column.numbers) key = column.numbers;
      else {
        const rank = new Map([...column.words].sort((a, b) => a.localeCompare(b, "en", { numeric: true })).map((word, i) => [word, i]));
        const ranks = column.words.map((word) => rank.get(word));
        key = column.codes.map((code) => (code < 0 ? null : ranks[code]));
      }
      this.rows.sort((a, b) => {
        if (key[a] === null || key[b] === null) return (key[a] === null) - (key[b] === null) || a - b;
        return sign * (key[a] - key[b]) || a - b;
      });
    }
    if (fromStart) this.page = 0;
    this.clearButton.hidden = !this.isFiltered();
    this.show();
  }

  sortBy(name) {
    const order = this.sorted.column === name ? { none: "ascending", ascending: "descending", descending: "none" }[this.sorted.order] : "ascending";
    this.sorted = { column: name, order };
    this.source.columns.forEach((column, place) => this.headers[place].setAttribute("aria-sort", column.name === name ? order : "none"));
    this.refresh(true);
    announce(order === "none" ? "Original order" : "Sorted by " + this.columns.get(name).label + ", " + order);
  }

  pages() {
    return Math.max(1, Math.ceil(this.rows.length / this.size));
  }

  show() {
    this.page = Math.min(Math.max(0, this.page), this.pages() - 1);
    const start = this.page * this.size;
    const shown = this.rows.slice(start, start + this.size);
    this.body.replaceChildren(...shown.map((row) => this.rowNode(row)));
    const total = this.source.ids.length;
    const of = this.rows.length === total ? total.toLocaleString("en-US") : this.rows.length.toLocaleString("en-US") + " (" + total.toLocaleString("en-US") + " in all)";
    this.status.textContent = this.rows.length ? "rows " + (start + 1).toLocaleString("en-US") + " to " + (start + shown.length).toLocaleString("en-US") + " of " + of : "no row fits these filters";
    this.first.disabled = this.previous.disabled = this.page === 0;
    this.last.disabled = this.next.disabled = this.page === this.pages() - 1;
  }

  rowNode(row) {
    const anchor = this.source.anchor + "-" + this.source.ids[row];
    const marked = this.found && this.found.has(this.source.ids[row]);
    const cells = this.source.columns.map((column) => {
      const value = this.value(column, row);
      if (!column.numbers) return el("td", {}, value === null ? "" : value);
      const exact = value !== null && !Number.isInteger(value) ? String(value) : null;
      const cited = marked && column.name === this.source.cited;
      return el("td", { class: cited ? "number cited" : "number", title: exact }, formatNumber(value));
    });
    return el("tr", { id: anchor, tabindex: -1, class: marked ? "found" : null },
      el("th", { scope: "row" }, el("a", { href: "#" + anchor, "aria-label": "Link to row " + this.source.ids[row] }, String(this.source.ids[row]))), cells);
  }

  /** Show one row in the whole table, or only the rows `ids`, marked; return the node of the first. */
  reveal(ids, alone) {
    this.clear();
    clearFilters();
    this.sorted = { column: null, order: "none" };
    for (const header of this.headers) header.setAttribute("aria-sort", "none");
    this.found = new Set(ids);
    this.only = alone ? new Set(ids) : null;
    this.refresh(true);
    this.page = Math.max(0, Math.floor(this.rows.indexOf(this.rowOf.get(ids[0])) / this.size));
    this.show();
    return document.getElementById(this.source.anchor + "-" + ids[0]);
  }

  showClaim(text, back) {
    this.note.hidden = text === "";
    if (!text) return;
    const show = this.only ? el("button", { type: "button", onclick: () => { this.only = null; this.refresh(true); announce("All rows are shown."); } }, "Show all rows") : null;
    this.note.replaceChildren(el("p", {}, this.found.size > 1 ? "The marked rows carry this sentence: " : "The marked row carries this sentence: ", el("q", {}, text)),
      el("a", { href: "#" + back, class: "button" }, "Back to the sentence"), show || "");
  }

  save() {
    const rows = this.rows.map((row) => this.source.columns.map((column) => this.value(column, row)));
    downloadCsv(this.source.key, [this.source.columns.map((column) => column.name), ...rows]);
  }
}

function startDataTables() {
  for (const source of report.tables) {
    dataTables.set(source.anchor, new DataTable(source, document.getElementById("table-" + source.key)));
  }
}
