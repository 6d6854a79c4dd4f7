// Hands the answer of the front door to the page that opened this window, and to no other origin, and takes it out of the address.
(function () {
  "use strict";
  const answer = Object.fromEntries(new URLSearchParams(location.search));
  history.replaceState(null, "", location.pathname);
  if (window.opener) {
    window.opener.postMessage({ playground: answer }, location.origin);
  }
})();
