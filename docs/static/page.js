"use strict";

// On a page opened from a disk a browser fetches nothing: the search shows titles without excerpts there.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// A formula wider than the page moves by itself, with the arrow keys too.
function reachFormulas() {
  document.querySelectorAll("mjx-container[display]").forEach((formula) => {
    if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    else formula.removeAttribute("tabindex");
  });
}

addEventListener("load", () => window.MathJax?.startup?.promise.then(reachFormulas));
addEventListener("resize", reachFormulas);
