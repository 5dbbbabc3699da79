import type { DatasetView, RowView, ScorerView, SuiteView, VariableView } from "../model";

/** The variables that a caller must give and that the dataset has no column for. */
export function absentFrom(variables: readonly VariableView[], dataset: DatasetView | undefined): string[] {
  if (!dataset) return [];
  return variables
    .filter((each) => each.used && each.required && !dataset.columns.includes(each.name))
    .map((each) => each.name);
}

/** The column that says most of a row: the longest text among what the prompt reads, else among all. */
export function mainColumn(row: RowView | undefined, expected: string | null): string | null {
  if (!row) return null;
  const read = row.inputs.filter((name) => name in row.values);
  const names = read.length ? read : Object.keys(row.values).filter((name) => name !== expected);
  return names.sort((a, b) => (row.values[b] ?? "").length - (row.values[a] ?? "").length)[0] ?? null;
}

/** Where the dataset says what the scorer expects; a scorer without such a column borrows the primary one's. */
export function expectedColumn(suite: SuiteView, scorer: ScorerView | undefined): string | null {
  return scorer?.column ?? suite.scorers.find((each) => each.primary)?.column ?? null;
}

/** The columns whose values say what is right: those that scorers hold outputs against, else all that no prompt reads. */
export function correctable(suite: SuiteView, row: RowView): string[] {
  const held = suite.scorers.map((scorer) => scorer.column).filter((name) => name !== null);
  const expected = [...new Set(held)].filter((name) => name in row.values);
  if (expected.length) return expected;
  return Object.keys(row.values).filter((name) => !row.inputs.includes(name));
}
