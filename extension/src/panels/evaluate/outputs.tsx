import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { expectedColumn } from "../../logic/columns";
import { count } from "../../logic/format";
import type { RowFilter, RowSort, RunProgress } from "../../model";
import { useHost, useTrait } from "../../parts/hooks";
import { Button, Empty, ErrorNote, Loading, Segments, Select } from "../../parts/ui";
import { FullRow } from "./fullrow";
import { Grid } from "./grid";
import { inSight, useRows } from "./rows";

const FILTERS: [RowFilter, string, string][] = [
  ["all", "All", "every row"],
  ["flipped", "Flipped", "the score changed, for better or worse"],
  ["worse", "▼ Worse", "the candidate scores lower than the baseline"],
  ["better", "▲ Better", "the candidate scores higher than the baseline"],
  ["errors", "! Failed", "no answer or no score in one of the versions"],
];

export function Outputs(props: {
  progress: RunProgress;
  slice: string | null;
  onSlice: (slice: string | null) => void;
}) {
  const { progress, slice } = props;
  const host = useHost();
  const run = useTrait("state_run");
  const verdict = useTrait("state_verdict");
  const suite = run.suite ?? null;
  const scorer = suite?.scorers.find((each) => each.name === run.scorer);
  const [filter, setFilter] = useState<RowFilter>("all");
  const [sort, setSort] = useState<RowSort>(progress.status === "running" ? "row" : "flipped");
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  const [marked, setMarked] = useState(false);
  const [density, setDensity] = useState<"dense" | "relaxed">("relaxed");
  const [active, setActive] = useState(0);
  const [open, setOpen] = useState<number | null>(null);
  const [told, setTold] = useState("");
  const searchBox = useRef<HTMLInputElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const wasRunning = useRef(progress.status === "running");
  const running = progress.status === "running";
  if (running) wasRunning.current = true;

  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed.trim()), 250);
    return () => clearTimeout(timer);
  }, [typed]);
  const rows = useRows(progress, filter, sort, search, slice, run.scorer ?? "");
  const total = rows.order?.total ?? 0;
  const token = rows.order?.token;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another order begins at its top
  useEffect(() => {
    setActive(0);
    setOpen(null);
    setTold("");
  }, [token]);

  const versions = useMemo(() => inSight(progress, verdict), [progress, verdict]);
  const flip = async (step: number) => {
    if (token === undefined) return;
    // Python knows every row of the order; the page has only the pages that were in sight.
    const asked = await host.call("next_flip", { token, position: active, step }).catch(() => null);
    if (!asked) return;
    const { position } = asked;
    if (position === null)
      return setTold(step > 0 ? "No flipped row below this one." : "No flipped row above this one.");
    setActive(position);
    setTold("");
    if (open !== null) setOpen(position);
  };
  const keys = (event: JSX.TargetedKeyboardEvent<HTMLElement>) => {
    const target = event.target as HTMLElement;
    if (target.matches("input, select, textarea")) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = (next: number) => {
      const row = Math.min(Math.max(next, 0), total - 1);
      setActive(row);
      setTold("");
      if (open !== null) setOpen(row);
    };
    const acts: Record<string, () => void> = {
      ArrowDown: () => to(active + 1),
      ArrowUp: () => to(active - 1),
      PageDown: () => to(active + 10),
      PageUp: () => to(active - 10),
      // Scrolled away by hand, the row that the keys are at may be the first or the last already.
      Home: () => {
        to(0);
        grid.current?.scrollTo({ top: 0 });
      },
      End: () => {
        to(total - 1);
        grid.current?.scrollTo({ top: grid.current.scrollHeight });
      },
      Enter: () => setOpen(active),
      Escape: () => {
        setOpen(null);
        grid.current?.focus();
      },
      "/": () => searchBox.current?.focus(),
      "]": () => void flip(1),
      "[": () => void flip(-1),
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
  const ended = progress.status === "done" || progress.status === "stopped";
  const stale =
    wasRunning.current && ended && sort === "row" && filter === "all" && (counts?.flipped ?? 0) > 0;
  const expected = expectedColumn(suite, scorer);
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
        {slice !== null && (
          <Button onClick={() => props.onSlice(null)} title="Show the rows of every slice">
            {suite.slice}: {slice} ×
          </Button>
        )}
        <div class="pm-toolbar-end">
          <Select
            label="Order"
            hideLabel
            value={sort}
            options={[
              { value: "flipped", text: "flipped first" },
              { value: "change", text: "largest regression first" },
              { value: "row", text: "as in the dataset" },
            ]}
            onChange={setSort}
          />
          {versions.length > 1 && (
            <Button
              kind="quiet"
              pressed={marked}
              title="Mark what differs from the baseline's output"
              onClick={() => setMarked(!marked)}
            >
              Differences
            </Button>
          )}
          <Button
            kind="quiet"
            pressed={density === "dense"}
            onClick={() => setDensity(density === "dense" ? "relaxed" : "dense")}
          >
            Dense
          </Button>
        </div>
      </div>
      {rows.error && <ErrorNote error={rows.error} />}
      {(rows.offer || stale) && (
        <div class="pm-offer" role="status">
          {rows.offer
            ? rows.offer.total === total
              ? "The run has moved on: its rows stand in another order by now."
              : `The run has moved on: ${count(rows.offer.total)} rows by now.`
            : "The run has ended. The rows below are still in the dataset's order."}
          <Button onClick={() => (rows.offer ? rows.take() : setSort("flipped"))}>
            {rows.offer ? "Show the new order" : "Show flipped rows first"}
          </Button>
        </div>
      )}
      {!rows.order && !rows.error && <Loading what="rows" lines={5} />}
      {rows.order && total === 0 && (
        <Empty
          title={search ? `No row holds “${search}”` : slice ? `No such row in ${slice}` : emptyTitle(filter)}
        >
          <Button
            onClick={() => {
              setTyped("");
              setSearch("");
              setFilter("all");
              props.onSlice(null);
            }}
          >
            Show all rows
          </Button>
        </Empty>
      )}
      {rows.order && total > 0 && (
        <Grid
          rows={rows}
          total={total}
          versions={versions}
          suite={suite}
          scorer={scorer}
          expected={expected}
          running={running}
          dense={density === "dense"}
          marked={marked}
          active={active}
          open={open}
          onActive={setActive}
          onOpen={setOpen}
          gridRef={grid}
        />
      )}
      {open === null && told && (
        <p class="pm-soft" role="status">
          {told}
        </p>
      )}
      {open !== null && token !== undefined && (
        <FullRow
          key={token}
          token={token}
          position={open}
          total={total}
          versions={versions}
          run={progress.run}
          suite={suite}
          expected={expected}
          running={running}
          told={told}
          onClose={() => {
            setOpen(null);
            grid.current?.focus();
          }}
          onStep={(step) => {
            const next = Math.min(Math.max(open + step, 0), total - 1);
            setActive(next);
            setTold("");
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
