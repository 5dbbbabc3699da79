import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { oneLine, significant } from "../../logic/format";
import { scrollFor, visible } from "../../logic/window";
import type { CellView, RowView, ScorerView, SuiteView } from "../../model";
import { useWidth } from "../../parts/hooks";
import { Mark, VersionName } from "../../parts/ui";
import type { Rows } from "./rows";

/** The column that says most: the longest text of the first row. */
function mainColumn(row: RowView | undefined): string | null {
  const entries = Object.entries(row?.values ?? {});
  entries.sort(([, a], [, b]) => b.length - a.length);
  return entries[0]?.[0] ?? null;
}

export function Grid(props: {
  rows: Rows;
  total: number;
  versions: string[];
  suite: SuiteView;
  scorer: ScorerView | undefined;
  rowHeight: number;
  active: number;
  open: number | null;
  onActive: (row: number) => void;
  onOpen: (row: number) => void;
  gridRef: { current: HTMLDivElement | null };
}) {
  const { rows, total, versions, scorer, rowHeight, active } = props;
  const [attach, width] = useWidth();
  const [top, setTop] = useState(0);
  const height = Math.min(total * rowHeight, props.open === null ? 480 : 220);
  const range = visible(top, height, rowHeight, total);
  const token = rows.order?.token;

  // biome-ignore lint/correctness/useExhaustiveDependencies: pages are asked for by range and order
  useEffect(() => rows.need(range.first, range.end), [range.first, range.end, token]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another order begins at its top
  useEffect(() => {
    props.gridRef.current?.scrollTo({ top: 0 });
  }, [token]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the row that the keys are at stays in sight
  useEffect(() => {
    const box = props.gridRef.current;
    if (!box) return;
    const wanted = scrollFor(active, box.scrollTop, height, rowHeight);
    if (wanted !== null) box.scrollTo({ top: wanted });
  }, [active, height]);

  const main = mainColumn(rows.row(range.first) ?? rows.row(0));
  const narrow = width > 0 && width < 720;
  const columns = `48px ${narrow ? "" : "minmax(120px, 1fr) "}${versions.map(() => "minmax(140px, 1.4fr) 76px").join(" ")}`;
  const least = 48 + (narrow ? 0 : 120) + versions.length * 216;
  const style = { gridTemplateColumns: columns, minWidth: `${least}px` };
  const unit = !scorer || scorer.kind === "score" ? "0–1" : scorer.unit;
  const body: JSX.Element[] = [];
  for (let position = range.first; position < range.end; position += 1) {
    body.push(
      <GridRow
        key={position}
        position={position}
        row={rows.row(position)}
        top={position * rowHeight}
        height={rowHeight}
        style={style}
        versions={versions}
        scorer={scorer}
        main={narrow ? null : main}
        active={position === active}
        open={position === props.open}
        onActive={props.onActive}
        onOpen={props.onOpen}
      />,
    );
  }
  return (
    <div class="pm-grid-box" ref={attach}>
      <div
        class="pm-grid"
        ref={(element) => {
          props.gridRef.current = element;
        }}
        role="grid"
        aria-rowcount={total + 1}
        aria-label="Rows"
        aria-activedescendant={`pm-row-${token}-${active}`}
        tabIndex={0}
        style={{ maxHeight: `${height + 33}px` }}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      >
        <div class="pm-grid-head" role="row" aria-rowindex={1} style={style} tabIndex={-1}>
          <span role="columnheader" class="pm-right" tabIndex={-1}>
            row
          </span>
          {!narrow && (
            <span role="columnheader" tabIndex={-1}>
              {main ?? "input"}
            </span>
          )}
          {versions.map((version, index) => (
            <>
              <span role="columnheader" key={version} tabIndex={-1} class={`pm-col pm-col-${index}`}>
                <VersionName version={version} index={index} />
                <span class="pm-soft">
                  {index === 0 ? "baseline" : versions.length > 2 && index === 1 ? "in sight" : ""}
                </span>
              </span>
              <span
                role="columnheader"
                key={`${version} score`}
                tabIndex={-1}
                class="pm-right pm-cut"
                title={scorer?.name}
              >
                {unit}
              </span>
            </>
          ))}
        </div>
        <div
          style={{ height: `${total * rowHeight}px`, position: "relative", minWidth: `${least}px` }}
          role="presentation"
        >
          {body.map((row) => row)}
        </div>
      </div>
    </div>
  );
}

function GridRow(props: {
  position: number;
  row: RowView | undefined;
  top: number;
  height: number;
  style: Record<string, string>;
  versions: string[];
  scorer: ScorerView | undefined;
  main: string | null;
  active: boolean;
  open: boolean;
  onActive: (row: number) => void;
  onOpen: (row: number) => void;
}) {
  const { row, position, versions, scorer, main } = props;
  const first = versions[0];
  const baseline = first ? row?.cells[first]?.output : undefined;
  return (
    <div
      role="row"
      id={`pm-row-${position}`}
      class={`pm-grid-row ${props.height < 36 ? "pm-dense" : ""}`}
      aria-rowindex={position + 2}
      aria-selected={props.active}
      aria-expanded={props.open}
      tabIndex={-1}
      style={{ ...props.style, height: `${props.height}px`, transform: `translateY(${props.top}px)` }}
      onClick={() => {
        props.onActive(position);
        props.onOpen(position);
      }}
    >
      <span role="gridcell" class="pm-right pm-soft pm-number" tabIndex={-1}>
        {row ? row.row + 1 : ""}
      </span>
      {main !== null && (
        <span role="gridcell" class="pm-clip" tabIndex={-1}>
          {row ? oneLine(row.values[main] ?? "", 300) : <span class="pm-bone" />}
        </span>
      )}
      {versions.map((version, index) => {
        const cell = row?.cells[version];
        return (
          <>
            <span
              role="gridcell"
              key={version}
              tabIndex={-1}
              class={`pm-clip pm-output pm-col pm-col-${index}`}
            >
              {cell ? (
                <Output cell={cell} same={index > 0 && cell.output === baseline} />
              ) : (
                <span class="pm-bone" />
              )}
            </span>
            <span role="gridcell" key={`${version} score`} tabIndex={-1} class="pm-score pm-number">
              {cell && <Score cell={cell} scorer={scorer} />}
            </span>
          </>
        );
      })}
    </div>
  );
}

function Output(props: { cell: CellView; same: boolean }) {
  const { cell } = props;
  if (cell.pending) return <span class="pm-soft">…</span>;
  if (cell.error) return <span class="pm-cell-error">! {oneLine(cell.error, 200)}</span>;
  if (!cell.output) return <span class="pm-soft">empty answer</span>;
  if (props.same) return <span class="pm-soft">= same answer</span>;
  return <code class="pm-code">{oneLine(cell.output, 300)}</code>;
}

function Score(props: { cell: CellView; scorer: ScorerView | undefined }) {
  const { cell, scorer } = props;
  if (cell.pending || cell.error || !scorer) return null;
  const value = cell.scores[scorer.name];
  return (
    <>
      {cell.change && <Mark of={cell.change} />}
      <span title={value === null || value === undefined ? "no score" : String(value)}>
        {value === null || value === undefined ? "–" : significant(value)}
      </span>
    </>
  );
}
