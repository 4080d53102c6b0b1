"use strict";
// The page is whole without this script. It lets tables be sorted.
(() => {
  const said = document.getElementById("said");

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const value = cell.dataset.value;
    if (value !== undefined) return Number(value);
    return cell.classList.contains("number") ? null : cell.textContent.trim();
  };

  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });

  const sortBy = (table, column) => {
    const headers = [...table.tHead.rows[0].cells];
    const header = headers[column];
    const numeric = header.classList.contains("number");
    const before = header.getAttribute("aria-sort");
    const order = before ? (before === "ascending" ? "descending" : "ascending") : numeric ? "descending" : "ascending";
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, value: valueOf(row, column) }));
    rows.sort((a, b) => {
      if (a.value === null || b.value === null) return (a.value === null) - (b.value === null); // unknown last
      return sign * compare(a.value, b.value);
    });
    table.tBodies[0].append(...rows.map(({ row }) => row));
    for (const other of headers) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", order);
    said.textContent = `Sorted by ${header.textContent}, ${order}`;
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      button.addEventListener("click", () => sortBy(table, column));
      header.append(button);
    });
  }

  // A box that does not scroll is no stop for the Tab key.
  const boxes = [...document.querySelectorAll(".scroll, pre")];
  const stops = () => {
    for (const box of boxes) {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  window.addEventListener("resize", stops);
  document.addEventListener("toggle", stops, true);
  stops();
})();
