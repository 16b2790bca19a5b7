const report = JSON.parse(document.getElementById("report-data").textContent);
