// From a sentence of the summary to the rows that carry it, and back.
function parseAnchor(hash) {
  const found = hash.match(/^#([a-z]+)-([\d,]+)$/);
  const table = found && dataTables.get(found[1]);
  if (!table) return null;
  const ids = found[2].split(",").map(Number).filter((id) => table.rowOf.has(id));
  return ids.length ? { table, ids } : null;
}

/** Unfold whatever hides a place, the place itself too. */
function unfold(place) {
  const own = place.querySelector(":scope > details.fold");
  if (own) own.open = true;
  for (let fold = place.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
}

function follow(hash, claim) {
  const target = parseAnchor(hash);
  if (!target) {
    const place = /^#[\w-]+$/.test(hash) && document.getElementById(hash.slice(1));
    if (place) unfold(place);
    return false;
  }
  const { table, ids } = target;
  unfold(document.getElementById("table-" + table.source.key));
  for (const other of dataTables.values()) {
    if (other === table) continue;
    other.found = null;
    other.showClaim("");
    other.show();
  }
  const row = table.reveal(ids, ids.length > 1);
  table.showClaim(claim ? claim.querySelector(".claim-text, .said").textContent : "", claim ? claim.id : "");
  row.scrollIntoView({ block: "center" });
  row.querySelector(".cited")?.scrollIntoView({ block: "center", inline: "nearest" });
  row.focus({ preventScroll: true });
  announce("Row " + ids[0] + " of the table: " + table.source.caption);
  return true;
}

function startClaims() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const hash = link.getAttribute("href");
    if (follow(hash, link.closest(".claim"))) {
      event.preventDefault();
      window.history.pushState(null, "", hash);
    } else {
      const place = document.getElementById(hash.slice(1));
      if (place && place.classList.contains("claim")) window.setTimeout(() => place.focus(), 0);
    }
  });
  window.addEventListener("popstate", () => follow(window.location.hash, null));
  if (window.location.hash) follow(window.location.hash, null);
}
