// What is wider than the page can be moved by the keyboard, too: it is a stop of the Tab key.
const WIDE = ".md-typeset__scrollwrap, .math.block, p:has(> .drawing)";

function reachable(element) {
  if (element.scrollWidth > element.clientWidth) {
    element.tabIndex = 0;
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", "Wider than the page: move it with the arrow keys");
  } else {
    for (const name of ["tabindex", "role", "aria-label"]) element.removeAttribute(name);
  }
}

const sizes = new ResizeObserver((entries) => entries.forEach((entry) => reachable(entry.target)));

// The theme puts a box around each table when it starts.
document$.subscribe(() => document.querySelectorAll(WIDE).forEach((wide) => sizes.observe(wide)));

// The buttons on a block of code are no landmark; the theme makes each such box a `nav`.
new MutationObserver(() => {
  document.querySelectorAll("nav.md-code__nav:not([role])").forEach((box) => { box.role = "none"; });
}).observe(document.body, { childList: true, subtree: true });
