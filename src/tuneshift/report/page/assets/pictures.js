// Which script draws which picture; a picture is drawn when it comes near the window.
const VIEWERS = { "heat-maps": heatMapViewer, heads: headBrowser, concepts: conceptBrowser };

function startPictures() {
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      const { viewer, data } = drawing("pictures", entry.target.dataset.picture);
      VIEWERS[viewer](entry.target, data);
    }
  }, { rootMargin: "800px 0px" });
  for (const place of document.querySelectorAll("[data-picture]")) near.observe(place);
}
