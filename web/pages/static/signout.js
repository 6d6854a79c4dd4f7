// Goes back to the app once the other apps have been told, or have taken too long; without this file the page's own delay does.
(function () {
  var link = document.getElementById("return");
  if (!link) {
    return;
  }
  function leave() {
    location.replace(link.href);
  }
  window.addEventListener("load", leave);
  setTimeout(leave, 5000);
})();
