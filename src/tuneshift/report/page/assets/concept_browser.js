// Feed-forward concepts: components by layer with the words they write most, searched by word.
const CONCEPTS_A_PAGE = 12;

function conceptBrowser(place, data) {
  let current = data[0];
  let shown = CONCEPTS_A_PAGE;
  const state = { query: "", side: "", layer: "" };
  const search = el("input", { type: "search", placeholder: "a word", oninput: debounced(() => {
    state.query = search.value.trim().toLowerCase();
    shown = CONCEPTS_A_PAGE;
    show();
  }) });
  const bar = el("div", { class: "table-controls" });
  const status = el("p", { class: "status", role: "status" });
  const cards = el("div", { class: "cards" });
  const more = el("button", { type: "button", onclick: () => {
    const before = cards.children.length;
    shown += CONCEPTS_A_PAGE;
    show();
    cards.children[before]?.focus();
  } }, "Show more");
  place.replaceChildren(bar, status, cards, more);

  function open(number) {
    current = data[number];
    Object.assign(state, { side: "", layer: "" });
    const layers = different(current.components.map((one) => one.layer)).sort((a, b) => a - b);
    const sides = different(current.components.map((one) => one.side));
    const set = (key) => (value) => {
      state[key] = value;
      shown = CONCEPTS_A_PAGE;
      show();
    };
    bar.replaceChildren(
      ...(data.length > 1 ? [choice("Models", data.map((entry, i) => [String(i), entry.label]), (value) => open(Number(value)), String(number)).node] : [el("strong", {}, current.label)]),
      el("label", { class: "field" }, el("span", {}, "Concepts with the word"), search),
      ...(sides.length > 1 ? [choice("Side", [["", "both"], ...sides.map((side) => [side, side === "base" ? "before (base)" : "after (tuned)"])], set("side")).node] : []),
      choice("Layer", [["", "all"], ...layers.map((layer) => [String(layer), String(layer)])], set("layer")).node);
    show();
  }

  function fits(one) {
    if (state.side && one.side !== state.side) return false;
    if (state.layer && String(one.layer) !== state.layer) return false;
    if (!state.query) return true;
    return [one.name, one.category, ...one.top, ...one.bottom].some((word) => word.toLowerCase().includes(state.query));
  }

  function words(list) {
    return el("span", { class: "words" }, list.flatMap((word, i) => [i ? " " : "", el(state.query && word.toLowerCase().includes(state.query) ? "mark" : "span", { class: "word" }, word)]));
  }

  function card(one) {
    const title = "Layer " + one.layer + ", component " + one.component;
    return el("article", { class: "card", tabindex: -1 },
      el("h3", {}, title, one.side === "model" ? null : el("span", { class: "tag" }, one.side === "base" ? "before" : "after")),
      one.name || one.category ? el("p", { class: "name" }, [one.name, one.category].filter((text) => text).join(" · ")) : null,
      one.share === null ? null : el("p", { class: "small-print" }, (100 * one.share).toFixed(1) + "% of variance"),
      el("p", {}, el("span", { class: "sign", title: "words it writes most" }, "+"), words(one.top)),
      one.bottom.length ? el("p", {}, el("span", { class: "sign", title: "words at the other end" }, "\u2212"), words(one.bottom)) : null);
  }

  function show() {
    const found = current.components.filter(fits);
    const count = (side) => found.filter((one) => one.side === side).length;
    const both = count("base") || count("tuned") ? ": " + count("base") + " before tuning, " + count("tuned") + " after" : "";
    status.textContent = found.length.toLocaleString("en-US") + (found.length === 1 ? " component" : " components") + (state.query ? " with \u201c" + state.query + "\u201d" : "") + both + ".";
    cards.replaceChildren(...found.slice(0, shown).map(card));
    more.hidden = found.length <= shown;
  }
  open(0);
}
