// Sort a table by the column whose heading is pressed; press it again to reverse the order.
for (const button of document.querySelectorAll("th > button")) {
  button.addEventListener("click", () => {
    const heading = button.parentElement;
    const body = heading.closest("table").tBodies[0];
    const falling = heading.getAttribute("aria-sort") === "ascending";
    const key = (row) => row.cells[heading.cellIndex].dataset.value ?? "";
    // As text, 35.5 would come before 35.3125, because the digits after the point count as a number.
    const numbers = [...body.rows].every((row) => key(row) && Number.isFinite(Number(key(row))));
    const compare = numbers
      ? (a, b) => key(a) - key(b)
      : (a, b) => key(a).localeCompare(key(b), undefined, { numeric: true });
    const rows = [...body.rows].sort((a, b) => (falling ? compare(b, a) : compare(a, b)));
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
    body.append(...rows);
  });
}
