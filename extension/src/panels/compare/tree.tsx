import { useMemo, useRef, useState } from "preact/hooks";
import { plural } from "../../logic/format";
import { type Stroke, type TreeRow, tree } from "../../logic/tree";
import { scrollFor, visible } from "../../logic/window";
import { useAct, useTrait } from "../../parts/hooks";
import { Button, ErrorNote, Tag, Time, VersionName } from "../../parts/ui";

const ROW = 28;
const STEP = 14;
const HEIGHT = 252;
const MOST = 4;

/** Every version with its parent, labels and place in the registry; Enter takes one as the candidate, b as baseline. */
export function VersionTree(props: { names: string[] }) {
  const { names } = props;
  const items = useTrait("state_versions").items;
  const registry = useTrait("state_registry").prompt ?? null;
  const rows = useMemo(() => tree(items ?? [], registry), [items, registry]);
  const act = useAct("choose_compared");
  const box = useRef<HTMLOListElement>(null);
  const [top, setTop] = useState(0);
  const [at, setAt] = useState(0);
  const active = Math.min(at, rows.length - 1);
  const range = visible(top, HEIGHT, ROW, rows.length);
  const columns = Math.max(1, ...rows.map((row) => row.column + 1));
  const choose = (versions: string[]) => {
    const distinct = [...new Set(versions)].slice(0, MOST);
    if (distinct.length > 1) void act.run({ versions: distinct });
  };
  const [baseline = "", ...candidates] = names;
  const asCandidate = (version: string) => {
    // The baseline itself as a candidate: the two change places.
    if (version === baseline) choose([candidates[0] ?? "", baseline, ...candidates.slice(1)]);
    else choose([baseline, version, ...candidates.slice(1)]);
  };
  const asBaseline = (version: string) => {
    if (candidates.includes(version)) choose(names.map((name) => swapped(name, baseline, version)));
    else choose([version, ...candidates]);
  };
  const beside = (version: string) => {
    if (!names.includes(version)) choose([...names, version]);
    else if (version !== baseline && names.length > 2) choose(names.filter((name) => name !== version));
  };
  const go = (next: number) => {
    const to = Math.max(0, Math.min(rows.length - 1, next));
    setAt(to);
    const list = box.current;
    if (!list) return;
    const scroll = scrollFor(to, list.scrollTop, list.clientHeight, ROW);
    if (scroll !== null) list.scrollTop = scroll;
    requestAnimationFrame(() =>
      requestAnimationFrame(() =>
        list.querySelector<HTMLElement>(`[data-at="${to}"] .pm-tree-name`)?.focus(),
      ),
    );
  };
  const keys = (event: KeyboardEvent) => {
    const row = rows[active];
    if (!row) return;
    const page = Math.floor(HEIGHT / ROW);
    const steps: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: rows.length - 1,
    };
    const next = steps[event.key];
    if (next !== undefined) go(next);
    else if (event.key === "b") asBaseline(row.view.version);
    else if (event.key === "+") beside(row.view.version);
    else return;
    event.preventDefault();
  };
  return (
    <section class="pm-tree-part" aria-label="Version tree">
      <div class="pm-head">
        <h3>{plural(rows.length, "version")}</h3>
        <span class="pm-soft">
          <kbd>Enter</kbd> compares, <kbd>b</kbd> takes as baseline, <kbd>+</kbd> adds or removes
        </span>
      </div>
      {act.error && <ErrorNote error={act.error} onClose={act.clear} />}
      <ol
        class="pm-tree"
        ref={box}
        style={{ maxHeight: `${HEIGHT}px`, "--pm-tree": `${(columns + 0.5) * STEP}px` }}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={keys}
      >
        <li aria-hidden="true" style={{ height: `${range.first * ROW}px` }} />
        {rows.slice(range.first, range.end).map((row, index) => (
          <Line
            key={row.view.version}
            row={row}
            at={range.first + index}
            active={range.first + index === active}
            place={names.indexOf(row.view.version)}
            columns={columns}
            full={names.length >= MOST}
            onFocus={() => setAt(range.first + index)}
            onCandidate={() => asCandidate(row.view.version)}
            onBaseline={() => asBaseline(row.view.version)}
            onBeside={() => beside(row.view.version)}
          />
        ))}
        <li aria-hidden="true" style={{ height: `${(rows.length - range.end) * ROW}px` }} />
      </ol>
    </section>
  );
}

function swapped(name: string, one: string, other: string): string {
  return name === one ? other : name === other ? one : name;
}

function Line(props: {
  row: TreeRow;
  at: number;
  active: boolean;
  place: number;
  columns: number;
  full: boolean;
  onFocus: () => void;
  onCandidate: () => void;
  onBaseline: () => void;
  onBeside: () => void;
}) {
  const { row, place, active } = props;
  const { view } = row;
  const role = place < 0 ? "" : place === 0 ? "baseline" : "candidate";
  return (
    <li class="pm-tree-row" data-at={props.at} aria-current={place >= 0}>
      <Strokes row={row} columns={props.columns} place={place} />
      <button
        type="button"
        class="pm-tree-name"
        tabIndex={active ? 0 : -1}
        onFocus={props.onFocus}
        onClick={props.onCandidate}
        title={`Compare ${view.version} with the baseline`}
      >
        {place >= 0 ? (
          <VersionName version={view.version} index={place} />
        ) : (
          <b class="pm-number">{view.version}</b>
        )}
        {role && <span class="pm-hidden"> {role}</span>}
      </button>
      <span class="pm-tree-message pm-cut" dir="auto" title={view.message}>
        {view.message || <span class="pm-soft">no change message</span>}
      </span>
      <span class="pm-tree-tags">
        {row.labels.map((label) => (
          <Tag key={label} kind="label" title={`${label} holds it`}>
            {label}
          </Tag>
        ))}
        {row.published && row.published !== view.version && (
          <Tag title={`Published as ${row.published}`}>{row.published}</Tag>
        )}
        {view.version.startsWith("v") && <Tag title="Not in this workspace">registry</Tag>}
        {view.restores && <Tag>restores {view.restores}</Tag>}
      </span>
      <span class="pm-soft pm-cut pm-tree-who" title={view.author}>
        {view.author}, <Time at={view.created_at} />
      </span>
      <span class="pm-tree-acts">
        <Button
          kind="quiet"
          disabled={place === 0}
          label={`Take ${view.version} as baseline`}
          onClick={props.onBaseline}
        >
          Baseline
        </Button>
        <Button
          kind="quiet"
          disabled={place === 0 || (place < 0 && props.full)}
          label={place > 0 ? `Compare without ${view.version}` : `Add ${view.version} as a candidate`}
          onClick={props.onBeside}
        >
          {place > 0 ? "Remove" : "Add"}
        </Button>
      </span>
    </li>
  );
}

function Strokes(props: { row: TreeRow; columns: number; place: number }) {
  const { row, columns, place } = props;
  const x = (column: number) => (column + 0.75) * STEP;
  const path = (stroke: Stroke, from: number, to: number) => {
    const [a, b] = [x(stroke.from), x(stroke.to)];
    const middle = (from + to) / 2;
    return a === b ? `M${a} ${from}V${to}` : `M${a} ${from}C${a} ${middle} ${b} ${middle} ${b} ${to}`;
  };
  const lines = [
    ...row.above.map((stroke) => path(stroke, 0, ROW / 2)),
    ...row.below.map((stroke) => path(stroke, ROW / 2, ROW)),
  ];
  return (
    <svg class="pm-tree-strokes" width={(columns + 0.5) * STEP} height={ROW} aria-hidden="true">
      <path d={lines.join("")} />
      <circle
        class={place >= 0 ? `pm-dot-${Math.min(place, 3)}` : row.published ? "pm-dot-published" : ""}
        cx={x(row.column)}
        cy={ROW / 2}
        r={row.labels.length ? 5.5 : 4.5}
      />
    </svg>
  );
}
