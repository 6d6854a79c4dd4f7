// Puts a button that copies beside each value to copy. Without this file the values are selected by hand.
(function () {
  "use strict";
  var words = document.currentScript.dataset;
  if (!navigator.clipboard) {
    return;
  }

  function select(value) {
    var range = document.createRange();
    range.selectNodeContents(value);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  }

  document.querySelectorAll("code[data-copy], pre[data-copy]").forEach(function (value) {
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
      }, function () { // the browser does not let us: it is selected, for a key to copy it
        select(value);
      });
    });
    value.after(button);
  });
})();
