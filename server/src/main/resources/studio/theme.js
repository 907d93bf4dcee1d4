// Runs before the first paint, so that a chosen theme does not flash.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("likeness-theme");
  } catch (e) {
    // Storage may be forbidden; the system's setting applies then.
  }
  if (chosen === "dark" || chosen === "light") {
    document.documentElement.dataset.theme = chosen;
  }
})();
