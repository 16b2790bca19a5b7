function startContents() {
  const links = new Map([...document.querySelectorAll("nav.contents a")].map((link) => [link.getAttribute("href").slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const id of links.keys()) seen.observe(document.getElementById(id));
}

function startCopying() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", () => copyText(document.getElementById(button.dataset.copy).textContent, button));
  }
}

startFilters();
startTheme();
startFigures();
startDataTables();
for (const table of document.querySelectorAll("table.small")) startSmallTable(table);
startPictures();
startClaims();
startContents();
startCopying();
startPrinting();
filtersChanged();
root.dataset.ready = "yes";
