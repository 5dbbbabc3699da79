// Which rows of a long list are drawn, and which pages of it have to be there for that.

export interface Range {
  first: number;
  /** One past the last. */
  end: number;
}

/** Rows that are drawn above and below what is in sight. */
const SPARE = 4;

export function visible(
  scrollTop: number,
  height: number,
  rowHeight: number,
  total: number,
  spare = SPARE,
): Range {
  if (total <= 0 || rowHeight <= 0) return { first: 0, end: 0 };
  const top = Math.min(Math.max(0, Math.floor(scrollTop / rowHeight)), total - 1);
  return {
    first: Math.max(0, top - spare),
    end: Math.min(total, top + mostVisible(height, rowHeight, spare) - spare),
  };
}

/** How many rows are drawn at most. */
export function mostVisible(height: number, rowHeight: number, spare = SPARE): number {
  return Math.ceil(Math.max(0, height) / rowHeight) + 1 + 2 * spare;
}

export function pagesOf(range: Range, pageSize: number): number[] {
  if (range.end <= range.first) return [];
  const pages: number[] = [];
  for (let page = Math.floor(range.first / pageSize); page * pageSize < range.end; page += 1)
    pages.push(page);
  return pages;
}

/** Where to scroll so that a row is in sight, or null where it already is. */
export function scrollFor(row: number, scrollTop: number, height: number, rowHeight: number): number | null {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + height) return top + rowHeight - height;
  return null;
}
