// Paper: light colours, every figure drawn, as wide as the page.
function startPrinting() {
  const recolour = () => {
    for (const listener of themeListeners) listener();
  };
  window.addEventListener("beforeprint", () => {
    onPaper = true;
    root.dataset.theme = "light";
    recolour();
    for (const box of document.querySelectorAll(".plot")) if (isLaidOut(box)) drawFigure(box); // what is folded is not printed
  });
  window.addEventListener("afterprint", () => {
    onPaper = false;
    showTheme();
  });
  document.getElementById("print").addEventListener("click", () => window.print());
}
