import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { words } from "../logic/diff";
import { cost, count, oneLine, seconds, significant } from "../logic/format";
import { pagesOf, scrollFor, visible } from "../logic/window";
import type {
  CellView,
  OrderReply,
  RowFilter,
  RowSort,
  RowView,
  RunProgress,
  ScorerView,
  SuiteView,
  Told,
} from "../model";
import { toldOf, useAct, useHost, useTrait, useWidth } from "../parts/hooks";
import { Button, Empty, ErrorNote, Fold, Loading, Mark, Segments, Select, Tag } from "../parts/ui";

const PAGE = 50;
const HEIGHTS = { dense: 28, relaxed: 44 } as const;
const FILTERS: [RowFilter, string, string][] = [
  ["all", "All", "every row"],
  ["flipped", "Flipped", "the score changed, for better or worse"],
  ["worse", "▼ Worse", "the candidate scores lower than the baseline"],
  ["better", "▲ Better", "the candidate scores higher than the baseline"],
  ["errors", "! Errors", "no answer or no score in one of the versions"],
];

interface Rows {
  order: OrderReply | null;
  /** A newer order than the one that is shown; taken over when the reader says so. */
  offer: OrderReply | null;
  row(position: number): RowView | undefined;
  need(first: number, end: number): void;
  take(): void;
  error: Told | null;
  busy: boolean;
}

/** Pages of rows in an order that stays as it is until another one is asked for. */
function useRows(
  progress: RunProgress,
  filter: RowFilter,
  sort: RowSort,
  search: string,
  scorer: string,
): Rows {
  const host = useHost();
  const verdict = useTrait("state_verdict");
  const pair = (verdict.run === progress.run && verdict.pair?.join(" ")) || "";
  const [, again] = useState(0);
  const kept = useRef({
    order: null as OrderReply | null,
    offer: null as OrderReply | null,
    error: null as Told | null,
    pages: new Map<string, RowView[]>(),
    asked: new Set<string>(),
    window: [0, 0] as [number, number],
    question: 0,
    busy: false,
  });
  const draw = useCallback(() => again((n) => n + 1), []);

  const fetchPages = useCallback(
    async (fresh: boolean) => {
      const mine = kept.current;
      const token = mine.order?.token;
      if (token === undefined) return;
      const [first, end] = mine.window;
      await Promise.all(
        pagesOf({ first, end }, PAGE).map(async (page) => {
          const key = `${token}/${page}`;
          if (mine.asked.has(key) || (!fresh && mine.pages.has(key))) return;
          mine.asked.add(key);
          try {
            const { rows } = await host.call("rows", { token, offset: page * PAGE, limit: PAGE });
            mine.pages.set(key, rows);
            mine.error = null;
          } catch (error) {
            mine.error = toldOf(error);
          } finally {
            mine.asked.delete(key);
          }
        }),
      );
      draw();
    },
    [host, draw],
  );

  const ask = useCallback(
    async (keep: boolean) => {
      const mine = kept.current;
      mine.question += 1;
      const question = mine.question;
      if (!keep) mine.busy = true;
      try {
        const order = await host.call("order", { filter, sort, search });
        if (question !== mine.question) return;
        mine.error = null;
        if (keep && mine.order) {
          const other = order.total !== mine.order.total;
          mine.order = { ...mine.order, counts: order.counts };
          mine.offer = other ? order : mine.offer;
        } else {
          mine.order = order;
          mine.offer = null;
          mine.pages.clear();
        }
      } catch (error) {
        if (question === mine.question) mine.error = toldOf(error);
      } finally {
        if (question === mine.question) mine.busy = false;
        draw();
      }
      if (question === mine.question) await fetchPages(keep);
    },
    [host, filter, sort, search, draw, fetchPages],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another run, pair or scorer is another question
  useEffect(() => {
    kept.current.offer = null;
    void ask(false);
  }, [ask, progress.run, pair, scorer]);

  // While answers arrive, counts and the rows in sight follow about once a second; their order does not.
  const running = progress.status === "running";
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => void ask(true), 1000);
    return () => {
      clearInterval(timer);
      void ask(true);
    };
  }, [running, ask]);

  const { order, offer, error, busy, pages } = kept.current;
  return {
    order,
    offer,
    error,
    busy,
    row: (position) =>
      order ? pages.get(`${order.token}/${Math.floor(position / PAGE)}`)?.[position % PAGE] : undefined,
    need(first, end) {
      kept.current.window = [first, end];
      void fetchPages(false);
    },
    take() {
      const mine = kept.current;
      mine.order = mine.offer;
      mine.offer = null;
      mine.pages.clear();
      draw();
      void fetchPages(false);
    },
  };
}

export function Grid(props: { progress: RunProgress }) {
  const { progress } = props;
  const host = useHost();
  const run = useTrait("state_run");
  const verdict = useTrait("state_verdict");
  const suite = run.suite ?? null;
  const scorer = suite?.scorers.find((each) => each.name === run.scorer);
  const [filter, setFilter] = useState<RowFilter>("all");
  const [sort, setSort] = useState<RowSort>(progress.status === "running" ? "row" : "flipped");
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  const [density, setDensity] = useState<keyof typeof HEIGHTS>("relaxed");
  const [active, setActive] = useState(0);
  const [open, setOpen] = useState<number | null>(null);
  const searchBox = useRef<HTMLInputElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const wasRunning = useRef(progress.status === "running");
  const running = progress.status === "running";
  if (running) wasRunning.current = true;

  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed.trim()), 250);
    return () => clearTimeout(timer);
  }, [typed]);
  const rows = useRows(progress, filter, sort, search, run.scorer ?? "");
  const total = rows.order?.total ?? 0;
  const token = rows.order?.token;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another order begins at its top
  useEffect(() => {
    setActive(0);
    setOpen(null);
  }, [token]);

  const pair = verdict.run === progress.run ? verdict.pair : null;
  const versions = useMemo(() => {
    const first = pair ?? progress.versions;
    return [...new Set([...first, ...progress.versions])];
  }, [pair, progress.versions]);
  const flip = (step: number) => {
    for (let at = active + step; at >= 0 && at < total; at += step) {
      const row = rows.row(at);
      if (!row) return setActive(at);
      if (Object.values(row.cells).some((cell) => cell.change === "better" || cell.change === "worse")) {
        setActive(at);
        if (open !== null) setOpen(at);
        return;
      }
    }
  };
  const keys = (event: JSX.TargetedKeyboardEvent<HTMLElement>) => {
    const target = event.target as HTMLElement;
    if (target.matches("input, select, textarea")) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = (next: number) => {
      const row = Math.min(Math.max(next, 0), total - 1);
      setActive(row);
      if (open !== null) setOpen(row);
    };
    const acts: Record<string, () => void> = {
      ArrowDown: () => to(active + 1),
      ArrowUp: () => to(active - 1),
      PageDown: () => to(active + 10),
      PageUp: () => to(active - 10),
      Home: () => to(0),
      End: () => to(total - 1),
      Enter: () => setOpen(active),
      Escape: () => {
        setOpen(null);
        grid.current?.focus();
      },
      "/": () => searchBox.current?.focus(),
      "]": () => flip(1),
      "[": () => flip(-1),
    };
    const act = acts[event.key];
    // Enter and arrows on a button or a list inside are that button's own.
    if (!act || (target.closest("button, summary, [role=radiogroup]") && !"/[]Escape".includes(event.key)))
      return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  if (!suite) return <Loading what="rows" />;
  const counts = rows.order?.counts;
  const stale = wasRunning.current && !running && sort === "row" && filter === "all";
  return (
    <section class="pm-rows" aria-label="Outputs side by side" onKeyDown={keys}>
      <div class="pm-toolbar">
        <Segments
          label="Rows shown"
          value={filter}
          options={FILTERS.map(([value, text, title]) => ({
            value,
            title,
            text: (
              <>
                {text} <span class="pm-number pm-soft">{counts ? count(counts[value]) : ""}</span>
              </>
            ),
          }))}
          onChange={setFilter}
        />
        <input
          ref={searchBox}
          class="pm-input pm-search"
          type="search"
          aria-label="Search inputs and outputs"
          placeholder="Search  /"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") {
              event.stopPropagation();
              setTyped("");
              grid.current?.focus();
            } else if (event.key === "ArrowDown" || event.key === "Enter") {
              event.preventDefault();
              grid.current?.focus();
            }
          }}
        />
        <span class="pm-push" />
        {suite.scorers.length > 1 && (
          <Select
            label="Score shown"
            class="pm-inline"
            value={run.scorer ?? ""}
            options={suite.scorers.map((each) => ({
              value: each.name,
              text: each.primary ? `${each.name} (primary)` : each.name,
            }))}
            onChange={(name) => void host.call("choose_scorer", { scorer: name })}
          />
        )}
        <Select
          label="Order"
          class="pm-inline"
          value={sort}
          options={[
            { value: "flipped", text: "flipped first" },
            { value: "change", text: "by size of change" },
            { value: "row", text: "as in the dataset" },
          ]}
          onChange={setSort}
        />
        <Button
          kind="quiet"
          pressed={density === "dense"}
          onClick={() => setDensity(density === "dense" ? "relaxed" : "dense")}
        >
          Dense
        </Button>
      </div>
      {rows.error && <ErrorNote error={rows.error} />}
      {(rows.offer || stale) && (
        <div class="pm-offer" role="status">
          {rows.offer
            ? `The run has moved on: ${count(rows.offer.total)} rows by now.`
            : "The run is complete. The rows below are still in the dataset's order."}
          <Button onClick={() => (rows.offer ? rows.take() : setSort("flipped"))}>
            {rows.offer ? "Show the new order" : "Show flipped rows first"}
          </Button>
        </div>
      )}
      {!rows.order && !rows.error && <Loading what="rows" lines={5} />}
      {rows.order && total === 0 && (
        <Empty title={search ? `No row holds “${search}”` : emptyTitle(filter)}>
          <Button
            onClick={() => {
              setTyped("");
              setSearch("");
              setFilter("all");
            }}
          >
            Show all rows
          </Button>
        </Empty>
      )}
      {rows.order && total > 0 && (
        <Body
          rows={rows}
          total={total}
          versions={versions}
          suite={suite}
          scorer={scorer}
          rowHeight={HEIGHTS[density]}
          active={active}
          open={open}
          onActive={setActive}
          onOpen={setOpen}
          gridRef={grid}
        />
      )}
      {open !== null && token !== undefined && (
        <FullRow
          key={token}
          token={token}
          position={open}
          total={total}
          versions={versions}
          suite={suite}
          running={running}
          onClose={() => {
            setOpen(null);
            grid.current?.focus();
          }}
          onStep={(step) => {
            const next = Math.min(Math.max(open + step, 0), total - 1);
            setActive(next);
            setOpen(next);
          }}
        />
      )}
    </section>
  );
}

function emptyTitle(filter: RowFilter): string {
  return {
    all: "This run has no rows",
    flipped: "No row flipped",
    better: "No row got better",
    worse: "No row got worse",
    errors: "No errors",
  }[filter];
}

/** The column that says most: the longest text of the first row. */
function mainColumn(row: RowView | undefined): string | null {
  const entries = Object.entries(row?.values ?? {});
  entries.sort(([, a], [, b]) => b.length - a.length);
  return entries[0]?.[0] ?? null;
}

function Body(props: {
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
      {/* biome-ignore lint/a11y/useSemanticElements: a table of 10,000 rows is drawn by window */}
      <div
        class="pm-grid"
        ref={(element) => {
          props.gridRef.current = element;
        }}
        role="grid"
        aria-rowcount={total + 1}
        aria-label="Rows"
        aria-activedescendant={`pm-row-${token}-${active}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a grid takes the focus for its keys
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
                <b class="pm-number">{version}</b>
                <span class="pm-soft">
                  {index === 0 ? " baseline" : versions.length > 2 && index === 1 ? " in sight" : ""}
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
    // biome-ignore lint/a11y/useSemanticElements: see the grid
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid holds the focus and its keys
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

function FullRow(props: {
  token: number;
  position: number;
  total: number;
  versions: string[];
  suite: SuiteView;
  running: boolean;
  onClose: () => void;
  onStep: (step: number) => void;
}) {
  const { token, position, versions } = props;
  const fetched = useAct("row");
  const [shown, setShown] = useState<RowView | null>(null);
  const { run } = fetched;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a row that was pending is asked for again when the run is done
  useEffect(() => {
    let current = true;
    void run({ token, position }).then((got) => current && got && setShown(got.value));
    return () => {
      current = false;
    };
  }, [run, token, position, props.running]);
  return (
    <section class="pm-full" aria-label={`Row ${shown ? shown.row + 1 : ""} in full`} aria-live="polite">
      <div class="pm-head">
        <h3>Row {shown ? count(shown.row + 1) : "…"}</h3>
        <span class="pm-push" />
        <Button kind="quiet" disabled={position === 0} onClick={() => props.onStep(-1)}>
          ‹ Previous
        </Button>
        <Button kind="quiet" disabled={position >= props.total - 1} onClick={() => props.onStep(1)}>
          Next ›
        </Button>
        <Button kind="quiet" onClick={props.onClose} title="Esc">
          Close
        </Button>
      </div>
      {fetched.error && <ErrorNote error={fetched.error} />}
      {!shown && !fetched.error && <Loading what="the row" />}
      {shown && (
        <>
          <dl class="pm-values">
            {Object.entries(shown.values).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          <div class="pm-answers">
            {versions.map((version, index) => {
              const cell = shown.cells[version];
              const first = versions[0];
              return (
                cell && (
                  <Answer
                    key={version}
                    version={version}
                    index={index}
                    cell={cell}
                    baseline={index > 0 && first ? shown.cells[first] : undefined}
                    suite={props.suite}
                  />
                )
              );
            })}
          </div>
        </>
      )}
    </section>
  );
}

function Answer(props: {
  version: string;
  index: number;
  cell: CellView;
  baseline: CellView | undefined;
  suite: SuiteView;
}) {
  const { version, index, cell, baseline } = props;
  const [marked, setMarked] = useState(false);
  const differs =
    baseline && !baseline.error && !cell.error && !cell.pending && baseline.output !== cell.output;
  const facts = [
    cell.model ?? "",
    cell.tokens_in !== null && cell.tokens_out !== null
      ? `${count(cell.tokens_in)} in, ${count(cell.tokens_out)} out`
      : "",
    cell.latency !== null ? seconds(cell.latency) : "",
    cell.cost !== null ? cost(cell.cost) : "",
    cell.cached ? "from the cache" : "",
  ].filter(Boolean);
  return (
    <article class={`pm-answer pm-col-${index}`}>
      <header class="pm-row">
        <b class="pm-number">{version}</b>
        {index === 0 && <span class="pm-soft">baseline</span>}
        {cell.change && (
          <Tag>
            <Mark of={cell.change} spoken={false} />{" "}
            {cell.change === "pending" ? "not answered yet" : cell.change}
          </Tag>
        )}
        <span class="pm-push" />
        {differs && (
          <Button kind="quiet" pressed={marked} onClick={() => setMarked(!marked)}>
            Mark differences
          </Button>
        )}
      </header>
      {cell.error ? (
        <div class="pm-problem">
          <span class="pm-mark" aria-hidden="true">
            !
          </span>
          {cell.error}
        </div>
      ) : (
        <pre class="pm-code pm-answer-text">
          {cell.pending ? (
            "Not answered yet."
          ) : differs && marked ? (
            <Marked from={baseline.output} to={cell.output} />
          ) : (
            cell.output || " "
          )}
        </pre>
      )}
      <table class="pm-scores">
        <tbody>
          {props.suite.scorers.map((scorer) => {
            const value = cell.scores[scorer.name];
            return (
              <tr key={scorer.name}>
                <th scope="row">{scorer.name}</th>
                <td
                  class="pm-number"
                  title={value === null || value === undefined ? undefined : String(value)}
                >
                  {value === null || value === undefined ? "–" : significant(value)} {scorer.unit}
                </td>
                <td>{cell.score_errors?.[scorer.name] ?? ""}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="pm-soft pm-number">{facts.join(" · ")}</p>
      {cell.request && (
        <Fold summary="What was asked">
          {cell.request.map((message, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a rendered message has nothing of its own but its place
            <div class="pm-bubble" key={at}>
              <div class="pm-soft">{message.role}</div>
              <pre class="pm-code">{message.content}</pre>
            </div>
          ))}
        </Fold>
      )}
    </article>
  );
}

function Marked(props: { from: string; to: string }) {
  const parts = useMemo(() => {
    // A word diff of very long texts would hold the page; there the whole text counts as changed.
    if (props.from.length + props.to.length > 40_000) return [{ text: props.to, marked: true }];
    return words(props.from, props.to).right;
  }, [props.from, props.to]);
  return (
    <>
      {parts.map(
        (part, at) =>
          // biome-ignore-start lint/suspicious/noArrayIndexKey: parts have nothing of their own but their place
          part.marked ? <ins key={at}>{part.text}</ins> : <span key={at}>{part.text}</span>,
        // biome-ignore-end lint/suspicious/noArrayIndexKey: as above
      )}
    </>
  );
}
