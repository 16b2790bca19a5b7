function drawAll() {
  for (const box of document.querySelectorAll(".plot")) {
    const figure = report.figures[box.dataset.figure];
    Plotly.newPlot(box, figure.data, figure.layout, { responsive: true, displaylogo: false });
  }
}
