// Goes back to the app once the other apps have been told; without this file the page's own delay does.
(function () {
  var link = document.getElementById("return");
  if (!link) {
    return;
  }
  window.addEventListener("load", function () {
    location.replace(link.href);
  });
})();
