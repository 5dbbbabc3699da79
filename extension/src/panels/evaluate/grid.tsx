import type { JSX } from "preact";
import { useCallback, useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks";
import { mainColumn } from "../../logic/columns";
import { words } from "../../logic/diff";
import { oneLine, significant } from "../../logic/format";
import { mostVisible, scrollFor, visible } from "../../logic/window";
import type { CellView, RowView, ScorerView, SuiteView } from "../../model";
import { Marked } from "../../parts/difference/words";
import { useName, useWidth } from "../../parts/hooks";
import { Plain } from "../../parts/plain";
import { steady } from "../../parts/steady";
import { Mark, VersionName } from "../../parts/ui";
import type { Rows } from "./rows";

/** Below this width the input stands above the outputs instead of beside them. */
const NARROW = 720;
const HEIGHTS = { wide: { dense: 28, relaxed: 44 }, narrow: { dense: 52, relaxed: 68 } } as const;

export function Grid(props: {
  rows: Rows;
  total: number;
  versions: string[];
  suite: SuiteView;
  scorer: ScorerView | undefined;
  expected: string | null;
  running: boolean;
  dense: boolean;
  marked: boolean;
  active: number;
  open: number | null;
  onActive: (row: number) => void;
  onOpen: (row: number) => void;
  gridRef: { current: HTMLDivElement | null };
}) {
  const { rows, total, versions, scorer, expected, active } = props;
  const [attach, width] = useWidth();
  const narrow = width > 0 && width < NARROW;
  const rowHeight = HEIGHTS[narrow ? "narrow" : "wide"][props.dense ? "dense" : "relaxed"];
  const [topRow, setTopRow] = useState(0);
  const height = Math.min(total * rowHeight, props.open === null ? 480 : 220);
  const range = visible(topRow * rowHeight, height, rowHeight, total);
  const token = rows.order?.token;
  const name = useName("rows");

  // biome-ignore lint/correctness/useExhaustiveDependencies: with rows of another height the same row stays on top
  useLayoutEffect(() => {
    const box = props.gridRef.current;
    if (!box) return;
    box.scrollTop = topRow * rowHeight;
    setTopRow(Math.floor(box.scrollTop / rowHeight));
  }, [rowHeight]);
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
    const place = scrollFor(active, box.scrollTop, height, rowHeight);
    if (place !== null) box.scrollTo({ top: place });
  }, [active, height]);

  const main = mainColumn(rows.row(range.first) ?? rows.row(0), expected);
  const wanted = expected !== null && expected !== main ? expected : null;
  const beside = narrow ? "" : `minmax(120px, 1.2fr) ${wanted ? "minmax(112px, 0.6fr) " : ""}`;
  const columns = `48px ${beside}${versions.map(() => "minmax(120px, 1.2fr) 68px").join(" ")}`;
  const least = 48 + (narrow ? 0 : 120 + (wanted ? 112 : 0)) + versions.length * 188;
  const style = useMemo(() => ({ gridTemplateColumns: columns, minWidth: `${least}px` }), [columns, least]);
  const unit = !scorer || scorer.kind === "score" ? "0–1" : scorer.unit;
  const { onActive, onOpen, gridRef } = props;
  const pick = useCallback(
    (position: number) => {
      onActive(position);
      onOpen(position);
      // The grid has the keys, and its frame the focus: a single cell has nothing to be done with.
      gridRef.current?.focus({ preventScroll: true });
    },
    [onActive, onOpen, gridRef],
  );
  // A row that is scrolled out gives its elements to the one that comes in: filling them anew costs least.
  const slots = mostVisible(height, rowHeight);
  const body: JSX.Element[] = [];
  for (let position = range.first; position < range.end; position += 1) {
    body.push(
      <GridRow
        key={position % slots}
        id={`${name}-${token}-${position}`}
        position={position}
        row={rows.row(position)}
        height={rowHeight}
        style={style}
        versions={versions}
        scorer={scorer}
        main={main}
        expected={wanted}
        narrow={narrow}
        dense={props.dense}
        marked={props.marked}
        running={props.running}
        active={position === active}
        open={position === props.open}
        onPick={pick}
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
        aria-activedescendant={
          active >= range.first && active < range.end ? `${name}-${token}-${active}` : undefined
        }
        tabIndex={0}
        style={{ maxHeight: `${height + 33}px` }}
        onScroll={(event) => setTopRow(Math.floor(event.currentTarget.scrollTop / rowHeight))}
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
          {!narrow && wanted && (
            <span role="columnheader" tabIndex={-1} class="pm-cut" title={`expected: column ${wanted}`}>
              expected
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
                title={scorer && `${scorer.name}, ${unit}`}
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
          {body}
        </div>
      </div>
    </div>
  );
}

const GridRow = steady(function GridRow(props: {
  id: string;
  position: number;
  row: RowView | undefined;
  height: number;
  style: Record<string, string>;
  versions: string[];
  scorer: ScorerView | undefined;
  main: string | null;
  expected: string | null;
  narrow: boolean;
  dense: boolean;
  marked: boolean;
  running: boolean;
  active: boolean;
  open: boolean;
  onPick: (position: number) => void;
}) {
  const { row, position, versions, scorer, main, expected, narrow } = props;
  const input = main !== null && row ? oneLine(row.values[main] ?? "", 300) : "";
  const wanted = expected !== null && row ? oneLine(row.values[expected] ?? "", 120) : "";
  const first = versions[0];
  const baseline = first ? row?.cells[first]?.output : undefined;
  return (
    <div
      role="row"
      id={props.id}
      class={`pm-grid-row ${props.dense ? "pm-dense" : ""} ${narrow ? "pm-narrow" : ""}`}
      aria-rowindex={position + 2}
      aria-selected={props.active}
      aria-current={props.open}
      tabIndex={-1}
      style={{ ...props.style, height: `${props.height}px`, top: `${position * props.height}px` }}
      onClick={() => props.onPick(position)}
    >
      <span role="gridcell" class="pm-right pm-soft pm-number" tabIndex={-1}>
        {row ? row.row : ""}
      </span>
      <span
        role="gridcell"
        class={narrow ? "pm-above" : "pm-clip"}
        tabIndex={-1}
        dir={narrow ? undefined : "auto"}
      >
        {!row ? (
          <span class="pm-bone" />
        ) : narrow ? (
          <span class="pm-cut" dir="auto">
            <Plain text={input} />
          </span>
        ) : (
          <Plain text={input} />
        )}
        {narrow && wanted && (
          <span class="pm-soft pm-cut">
            expected <bdi>{wanted}</bdi>
          </span>
        )}
      </span>
      {!narrow && expected !== null && (
        <span role="gridcell" class="pm-clip" tabIndex={-1}>
          {row ? <code class="pm-code">{wanted}</code> : <span class="pm-bone" />}
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
                <Output
                  cell={cell}
                  same={index > 0 && cell.output === baseline}
                  baseline={index > 0 && props.marked ? baseline : undefined}
                  running={props.running}
                />
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
});

function Output(props: {
  cell: CellView;
  same: boolean;
  /** The baseline's output, where what differs from it is to be marked. */
  baseline: string | undefined;
  running: boolean;
}) {
  const { cell } = props;
  if (cell.pending) return <span class="pm-soft">{props.running ? "…" : "not asked"}</span>;
  if (cell.error) return <span class="pm-cell-error">! {oneLine(cell.error, 200)}</span>;
  if (!cell.output) return <span class="pm-soft">empty answer</span>;
  if (props.same) return <span class="pm-soft">= same answer</span>;
  if (props.baseline)
    return (
      <code class="pm-code" dir="auto">
        <Marked parts={words(oneLine(props.baseline, 300), oneLine(cell.output, 300)).right} sort="added" />
      </code>
    );
  return (
    <code class="pm-code" dir="auto">
      <Plain text={oneLine(cell.output, 300)} />
    </code>
  );
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
