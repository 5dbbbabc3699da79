import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { align, type Cell, type MessageRow, type Row, sides as sidesOf, textOf } from "../../logic/aligned";
import { type Block, fold, type Line, type Side } from "../../logic/diff";
import { count, plural } from "../../logic/format";
import { VersionName } from "../ui";
import type { Compared, View } from "./difference";
import { Marked, Words } from "./words";

/** So many lines of an open stretch are drawn at once. */
const AT_ONCE = 400;

export function MessageDiff(props: { row: MessageRow; sides: Compared[]; view: View }) {
  const { row, sides, view } = props;
  const alone = row.cells.length === 1;
  const single = alone && (row.baseline === null || row.cells[0] === null);
  const [baseline, ...candidates] = sides;
  if (!baseline) return null;
  const notes = row.cells.map((cell, at) => note(row, cell, candidates[at]?.name ?? ""));
  return (
    <section class={`pm-diff ${single ? "pm-diff-single" : ""}`} aria-label={row.title}>
      <div class="pm-diff-head">
        <h3>{row.title}</h3>
        {notes.map(
          (text, at) =>
            text && (
              <span key={candidates[at]?.name} class="pm-soft">
                {text}
              </span>
            ),
        )}
      </div>
      {view === "unified" ? (
        row.cells.map((cell, at) => {
          const side = candidates[at];
          if (!side || (row.baseline === null && cell === null)) return null;
          return (
            <div key={side.name} class="pm-diff-body">
              {!alone && (
                <div class="pm-unified-head">
                  <VersionName version={baseline.name} index={baseline.index} /> →{" "}
                  <VersionName version={side.name} index={side.index} />
                </div>
              )}
              <Unified left={textOf(row.baseline)} right={textOf(cell?.message ?? null)} whole={row.same} />
            </div>
          );
        })
      ) : (
        <Split row={row} pinned={!alone} />
      )}
    </section>
  );
}

function note(row: MessageRow, cell: Cell | null, name: string): string {
  if (cell === null) return row.baseline ? `removed in ${name}` : "";
  if (row.baseline === null) return `added in ${name} as message ${cell.at + 1}`;
  if (cell.moved)
    return `moved in ${name}, from message ${(row.at ?? 0) + 1} to ${cell.at + 1}${cell.same ? "" : ", and changed"}`;
  return "";
}

/** Something that is equal: a count, until it is opened. */
export function Collapsed(props: { text: string; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <div class="pm-collapsed">
      <button type="button" class="pm-fold-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span aria-hidden="true">{open ? "▾" : "▸"}</span> {props.text}
      </button>
      {open && props.children}
    </div>
  );
}

function Split(props: { row: MessageRow; pinned: boolean }) {
  const { row, pinned } = props;
  const blocks = useMemo(() => {
    const rows = align(
      textOf(row.baseline),
      row.cells.map((cell) => textOf(cell?.message ?? null)),
    );
    return row.same ? [{ folded: false, lines: rows }] : fold(rows);
  }, [row]);
  return (
    <div class="pm-diff-body">
      {blocks.map((block, at) => (
        <Stretch
          // biome-ignore lint/suspicious/noArrayIndexKey: the stretches of one text have nothing but their order
          key={at}
          block={block}
          draw={(line, index) => <SplitLine key={index} line={line} pinned={pinned} />}
        />
      ))}
    </div>
  );
}

function SplitLine(props: { line: Row; pinned: boolean }) {
  const { line, pinned } = props;
  const changed = line.kind !== "same";
  const [only] = line.cells;
  if (!pinned)
    return (
      <div class={`pm-diff-line pm-line-${only?.kind ?? "removed"}`}>
        <Half side={line.left} sort="removed" changed={changed} />
        <Half side={only?.right ?? null} sort="added" changed={changed} />
      </div>
    );
  return (
    <div class="pm-diff-line">
      <div class={`pm-half pm-column ${changed ? "pm-half-touched" : ""} ${line.left ? "" : "pm-half-none"}`}>
        <span class="pm-line-number">{line.left?.number ?? ""}</span>
        <span class="pm-line-sign" />
        <span class="pm-line-text" dir="auto">
          {line.left?.parts.map((part) => part.text).join("")}
        </span>
      </div>
      {line.cells.map((cell, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: one cell a candidate, in their order
        <Inline key={at} line={cell} />
      ))}
    </div>
  );
}

const SIGNS = { same: "", changed: "±", removed: "−", added: "+" };

function Inline(props: { line: Line | null }) {
  const { line } = props;
  if (!line) return <div class="pm-half pm-column pm-half-none" />;
  return (
    <div class={`pm-half pm-column pm-half-of-${line.kind}`}>
      <span class="pm-line-number">{line.right?.number ?? ""}</span>
      <span class="pm-line-sign" aria-hidden="true">
        {SIGNS[line.kind]}
      </span>
      <span class="pm-line-text" dir="auto">
        <Words of={line.inline} />
      </span>
    </div>
  );
}

function Unified(props: { left: string | null; right: string | null; whole: boolean }) {
  const { left, right, whole } = props;
  const blocks = useMemo(() => {
    const all = sidesOf(left, right);
    return whole ? [{ folded: false, lines: all }] : fold(all);
  }, [left, right, whole]);
  return (
    <>
      {blocks.map((block, at) => (
        <Stretch
          // biome-ignore lint/suspicious/noArrayIndexKey: the stretches of one text have nothing but their order
          key={at}
          block={block}
          draw={(line, index) => (
            <div key={index}>
              {line.left && line.kind !== "same" && (
                <UnifiedLine side={line.left} sort="removed" number={0} />
              )}
              {line.right && (
                <UnifiedLine
                  side={line.right}
                  sort={line.kind === "same" ? "same" : "added"}
                  number={line.kind === "same" ? (line.left?.number ?? 0) : 0}
                />
              )}
            </div>
          )}
        />
      ))}
    </>
  );
}

function UnifiedLine(props: { side: Side; sort: "same" | "removed" | "added"; number: number }) {
  const { side, sort } = props;
  const old = sort === "removed" ? side.number : props.number || "";
  return (
    <div class={`pm-half pm-unified ${sort === "same" ? "" : `pm-half-${sort}`}`}>
      <span class="pm-line-number">{old}</span>
      <span class="pm-line-number">{sort === "removed" ? "" : side.number}</span>
      <span class="pm-line-sign" aria-hidden="true">
        {sort === "same" ? "" : sort === "removed" ? "−" : "+"}
      </span>
      <span class="pm-line-text" dir="auto">
        <Marked parts={side.parts} sort={sort === "removed" ? "removed" : "added"} />
      </span>
    </div>
  );
}

/** Lines of a text: a count where they are equal, and of very many only the first until more are asked for. */
function Stretch<T>(props: { block: Block<T>; draw: (line: T, index: number) => ComponentChildren }) {
  const { block, draw } = props;
  const [open, setOpen] = useState(!block.folded);
  const [most, setMost] = useState(AT_ONCE);
  if (!open)
    return (
      <button type="button" class="pm-fold-line" aria-expanded={false} onClick={() => setOpen(true)}>
        <span aria-hidden="true">▸</span> {plural(block.lines.length, "equal line")}
      </button>
    );
  const left = block.lines.length - most;
  return (
    <>
      {block.lines.slice(0, most).map(draw)}
      {left > 0 && (
        <button type="button" class="pm-fold-line" onClick={() => setMost(most + AT_ONCE)}>
          <span aria-hidden="true">▸</span> Show {count(Math.min(left, AT_ONCE))} more of{" "}
          {plural(left, "line")}
        </button>
      )}
    </>
  );
}

function Half(props: { side: Side | null; sort: "removed" | "added"; changed: boolean }) {
  const { side, sort, changed } = props;
  const tint = side ? (changed ? `pm-half-${sort}` : "") : "pm-half-none";
  return (
    <div class={`pm-half ${tint} pm-half-of-${sort}`}>
      <span class="pm-line-number">{side?.number ?? ""}</span>
      <span class="pm-line-sign" aria-hidden="true">
        {side && changed ? (sort === "removed" ? "−" : "+") : ""}
      </span>
      <span class="pm-line-text" dir="auto">
        {side && <Marked parts={side.parts} sort={sort} />}
      </span>
    </div>
  );
}
