// Light and dark: the reader's system decides until the reader does.
const themeListeners = [];
const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
let chosenTheme = null;

function isDark() {
  return root.dataset.theme === "dark";
}

function colour(name) {
  return getComputedStyle(root).getPropertyValue(name).trim();
}

function showTheme() {
  root.dataset.theme = chosenTheme || (systemDark.matches ? "dark" : "light");
  const button = document.getElementById("theme");
  button.setAttribute("aria-pressed", String(isDark()));
  for (const listener of themeListeners) listener();
}

function startTheme() {
  try {
    chosenTheme = window.localStorage.getItem("tuneshift-theme");
  } catch {
    chosenTheme = null; // storage is closed to some pages opened from a file
  }
  document.getElementById("theme").addEventListener("click", () => {
    chosenTheme = isDark() ? "light" : "dark";
    try {
      window.localStorage.setItem("tuneshift-theme", chosenTheme);
    } catch {
      // then it lasts as long as the page
    }
    showTheme();
    announce(isDark() ? "Dark colours" : "Light colours");
  });
  systemDark.addEventListener("change", showTheme);
  showTheme();
}
