// Puts a button that copies beside each value to copy. Without this file the values are selected by hand.
(function () {
  "use strict";
  var words = document.currentScript.dataset;
  if (!navigator.clipboard) {
    return;
  }
  document.querySelectorAll("[data-copy]").forEach(function (value) {
    if (value.tagName === "SCRIPT") {
      return;
    }
    var button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = words.copy;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(value.textContent).then(function () {
        button.textContent = words.copied;
        setTimeout(function () {
          button.textContent = words.copy;
        }, 2000);
      });
    });
    value.after(button);
  });
})();
