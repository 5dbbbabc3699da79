import { useEffect, useState } from "preact/hooks";
import { cost, count, signed, significant } from "../../logic/format";
import { scale } from "../../logic/scales";
import type {
  ComparisonView,
  RunProgress,
  ScorerView,
  SliceView,
  StandingsView,
  StandingView,
} from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { scaleOf } from "../../parts/interval";
import { ErrorNote, Segments } from "../../parts/ui";
import { inSight } from "./rows";

type Kind = "means" | "slices" | "scores" | "cost";
const WIDTH = 320;
const LEFT = 84;
const RIGHT = WIDTH - 12;
const ROW = 30;

/** The run in pictures, beside its rows; the numbers are those of the verdict and of `Run.chart`. */
export function Charts(props: { progress: RunProgress }) {
  const { progress } = props;
  const run = useTrait("state_run");
  const verdict = useTrait("state_verdict");
  const asked = useAct("standings");
  const [shown, setShown] = useState<StandingsView | null>(null);
  const [kind, setKind] = useState<Kind>("means");
  const scorer = run.suite?.scorers.find((each) => each.name === run.scorer);
  const running = progress.status === "running";
  const ask = asked.run;
  const name = run.scorer ?? "";
  useEffect(() => {
    if (!name) return;
    let current = true;
    let timer: ReturnType<typeof setTimeout>;
    const again = async () => {
      const got = await ask({ run: progress.run, scorer: name });
      if (!current) return;
      if (got?.value) setShown(got.value);
      if (running) timer = setTimeout(again, 3000);
    };
    void again();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [ask, progress.run, name, running]);
  const first = verdict.run === progress.run ? verdict.items?.[0] : undefined;
  const items = shown?.scorer === name ? shown.items : [];
  const order = inSight(progress, verdict);
  const index = (version: string) => order.indexOf(version);
  const kinds: { value: Kind; text: string; title: string }[] = [
    { value: "means", text: "Means", title: "Each version's mean with its 95 % interval" },
    { value: "slices", text: "Slices", title: "The difference on each slice" },
    { value: "scores", text: "Spread", title: "How the rows' scores are spread" },
    { value: "cost", text: "Cost", title: "What an answer costs against its quality" },
  ];
  return (
    <section class="pm-charts" aria-label="Charts">
      <Segments label="Chart" value={kind} options={kinds} onChange={setKind} />
      {asked.error && <ErrorNote error={asked.error} />}
      <figure class="pm-chart">
        {kind === "means" && shown && <Means items={items} scorer={scorer} index={index} />}
        {kind === "slices" && <SliceChart comparison={first} scorer={scorer} />}
        {kind === "scores" && shown && (
          <Spread standings={shown} items={items} scorer={scorer} index={index} />
        )}
        {kind === "cost" && shown && <CostChart items={items} scorer={scorer} index={index} />}
      </figure>
    </section>
  );
}

interface Drawn {
  items: StandingView[];
  scorer: ScorerView | undefined;
  index: (version: string) => number;
}

function Nothing(props: { children: string }) {
  return <p class="pm-soft">{props.children}</p>;
}

function Axis(props: { ticks: number[]; at: (value: number) => number; y: number; top: number }) {
  return (
    <>
      {props.ticks.map((tick) => (
        <g key={tick}>
          <line x1={props.at(tick)} x2={props.at(tick)} y1={props.top} y2={props.y} class="pm-rule" />
          <text x={props.at(tick)} y={props.y + 14} class="pm-tick" text-anchor="middle">
            {significant(tick).replace("-", "−")}
          </text>
        </g>
      ))}
    </>
  );
}

function Means({ items, scorer, index }: Drawn) {
  if (!items.length) return <Nothing>No row has a score yet.</Nothing>;
  const { factor, unit } = scaleOf(scorer);
  const { at, ticks } = scale(
    items
      .flatMap((each) => [each.mean, each.low ?? each.mean, each.high ?? each.mean])
      .map((v) => v * factor),
    LEFT,
    RIGHT,
  );
  const bottom = items.length * ROW + 8;
  return (
    <Picture title={`Mean ${scorer?.name ?? ""} (${unit})`} height={bottom + 20}>
      <Axis ticks={ticks} at={at} y={bottom} top={4} />
      {items.map((each, place) => {
        const y = place * ROW + 22;
        const [low, high] = [(each.low ?? each.mean) * factor, (each.high ?? each.mean) * factor];
        const told = `${each.version}: ${significant(each.mean * factor)} ${unit} [${significant(low)}, ${significant(high)}] on ${count(each.n)} rows`;
        return (
          <g key={each.version} class={`pm-ink-${Math.min(index(each.version), 3)}`}>
            <title>{told}</title>
            <text x={4} y={y + 4} class="pm-chart-name">
              {cut(each.version)}
            </text>
            <line x1={at(low)} x2={at(high)} y1={y} y2={y} class="pm-range" />
            <circle cx={at(each.mean * factor)} cy={y} r={4.5} class="pm-point" />
            <text x={at(each.mean * factor)} y={y - 8} class="pm-tick" text-anchor="middle">
              {significant(each.mean * factor)}
            </text>
          </g>
        );
      })}
    </Picture>
  );
}

function SliceChart(props: { comparison: ComparisonView | undefined; scorer: ScorerView | undefined }) {
  const { comparison, scorer } = props;
  if (!comparison || comparison.difference === null)
    return <Nothing>There is no difference to show yet.</Nothing>;
  const { factor, unit } = scaleOf(scorer);
  const all: SliceView = {
    name: "all rows",
    verdict: comparison.verdict ?? "cannot tell",
    difference: comparison.difference,
    low: comparison.low,
    high: comparison.high,
    n: comparison.n,
    p: 1,
  };
  const lines = [all, ...comparison.slices].slice(0, 13);
  const rest = comparison.slices.length + 1 - lines.length;
  const ends = lines.flatMap((each) => [
    each.difference,
    each.low ?? each.difference,
    each.high ?? each.difference,
  ]);
  const { at, ticks } = scale([0, ...ends.map((value) => value * factor)], LEFT, RIGHT);
  const bottom = lines.length * 24 + 8;
  return (
    <>
      <Picture
        title={`${comparison.candidate} − ${comparison.baseline}, ${comparison.scorer} (${unit}), ${scorer?.direction ?? "higher"} is better`}
        height={bottom + 20}
      >
        <Axis ticks={ticks} at={at} y={bottom} top={4} />
        <line x1={at(0)} x2={at(0)} y1={4} y2={bottom} class="pm-zero" />
        {lines.map((each, place) => {
          const y = place * 24 + 18;
          const [low, high] = [
            (each.low ?? each.difference) * factor,
            (each.high ?? each.difference) * factor,
          ];
          const told = `${each.name}: ${signed(each.difference * factor)} ${unit} [${significant(low)}, ${significant(high)}] on ${count(each.n)} rows, ${each.verdict}`;
          const x = at(each.difference * factor);
          return (
            <g key={each.name} class={`pm-is-${each.verdict.replace(" ", "-")}`}>
              <title>{told}</title>
              <text x={4} y={y + 4} class="pm-chart-name">
                {cut(each.name || "(empty)")}
              </text>
              <line x1={at(low)} x2={at(high)} y1={y} y2={y} class="pm-range" />
              {each.verdict === "better" ? (
                <path d={`M${x} ${y - 6}l6 10h-12z`} class="pm-point" />
              ) : each.verdict === "worse" ? (
                <path d={`M${x} ${y + 6}l6 -10h-12z`} class="pm-point" />
              ) : (
                <circle cx={x} cy={y} r={4.5} class="pm-point pm-hollow" />
              )}
            </g>
          );
        })}
      </Picture>
      {comparison.slices.length === 0 && (
        <Nothing>
          {comparison.provisional
            ? "Slices are told when the run is complete."
            : "The suite has no slice column, so there is one line."}
        </Nothing>
      )}
      {rest > 0 && <Nothing>{`${rest} more slices stand in the table above.`}</Nothing>}
    </>
  );
}

function Spread(props: Drawn & { standings: StandingsView }) {
  const { items, scorer, index } = props;
  if (!items.length) return <Nothing>No row has a score yet.</Nothing>;
  const { factor, unit } = scaleOf(scorer);
  const edges = props.standings.edges.map((edge) => edge * factor);
  const [low, high] = [edges[0] ?? 0, edges.at(-1) ?? 1];
  const at = (value: number) => LEFT + ((value - low) / (high - low || 1)) * (RIGHT - LEFT);
  const tall = 44;
  const bottom = items.length * (tall + 10) + 4;
  const most = Math.max(...items.map((each) => Math.max(...each.bins) / each.n));
  return (
    <Picture title={`Rows by ${scorer?.name ?? ""} (${unit})`} height={bottom + 20}>
      <Axis ticks={[low, (low + high) / 2, high]} at={at} y={bottom} top={bottom - 4} />
      {items.map((each, place) => {
        const base = (place + 1) * (tall + 10);
        return (
          <g key={each.version} class={`pm-ink-${Math.min(index(each.version), 3)}`}>
            <text x={4} y={base - 4} class="pm-chart-name">
              {cut(each.version)}
            </text>
            <line x1={LEFT} x2={RIGHT} y1={base} y2={base} class="pm-rule" />
            {each.bins.map((rows, bin) => {
              if (!rows) return null;
              const [from, to] = [edges[bin] ?? 0, edges[bin + 1] ?? 0];
              const height = Math.max(1.5, (rows / each.n / most) * tall);
              return (
                <rect
                  key={from}
                  x={at(from) + 0.5}
                  width={Math.max(1, at(to) - at(from) - 1)}
                  y={base - height}
                  height={height}
                  class="pm-bar-fill"
                >
                  <title>{`${each.version}: ${count(rows)} of ${count(each.n)} rows from ${significant(from)} to ${significant(to)}`}</title>
                </rect>
              );
            })}
          </g>
        );
      })}
    </Picture>
  );
}

function CostChart({ items, scorer, index }: Drawn) {
  const priced = items.filter((each) => each.cost !== null);
  if (!priced.length)
    return <Nothing>No price is known for these models, so there is no cost to show.</Nothing>;
  if (priced.every((each) => each.cost === 0)) return <Nothing>Every answer was free.</Nothing>;
  const { factor, unit } = scaleOf(scorer);
  const bottom = 176;
  const x = scale(
    priced.map((each) => (each.cost ?? 0) * 1000),
    LEFT - 40,
    RIGHT - 30,
  );
  const y = scale(
    priced.flatMap((each) => [each.low ?? each.mean, each.high ?? each.mean]).map((value) => value * factor),
    bottom - 8,
    16,
  );
  return (
    <Picture
      title={`${scorer?.name ?? ""} (${unit}) against US dollars for 1,000 answers`}
      height={bottom + 20}
    >
      <Axis ticks={x.ticks} at={x.at} y={bottom} top={bottom - 4} />
      {y.ticks.map((tick) => (
        <g key={tick}>
          <line x1={LEFT - 48} x2={RIGHT} y1={y.at(tick)} y2={y.at(tick)} class="pm-rule" />
          <text x={LEFT - 52} y={y.at(tick) + 4} class="pm-tick" text-anchor="end">
            {significant(tick).replace("-", "−")}
          </text>
        </g>
      ))}
      {priced.map((each) => {
        const [cx, cy] = [x.at((each.cost ?? 0) * 1000), y.at(each.mean * factor)];
        const [low, high] = [(each.low ?? each.mean) * factor, (each.high ?? each.mean) * factor];
        const standing = each.front
          ? "no other is as good and as cheap"
          : "another one is as good and as cheap";
        return (
          <g key={each.version} class={`pm-ink-${Math.min(index(each.version), 3)}`}>
            <title>{`${each.version}: ${significant(each.mean * factor)} ${unit} at ${cost((each.cost ?? 0) * 1000)} for 1,000 answers${each.front === null ? "" : `; ${standing}`}`}</title>
            <line x1={cx} x2={cx} y1={y.at(low)} y2={y.at(high)} class="pm-range pm-thin" />
            <circle cx={cx} cy={cy} r={5} class={`pm-point ${each.front === false ? "pm-hollow" : ""}`} />
            <text x={cx + 9} y={cy - 6} class="pm-tick">
              {each.version}
            </text>
          </g>
        );
      })}
    </Picture>
  );
}

function Picture(props: { title: string; height: number; children: preact.ComponentChildren }) {
  return (
    <>
      <figcaption class="pm-soft">{props.title}</figcaption>
      <svg
        class="pm-chart-svg"
        viewBox={`0 0 ${WIDTH} ${props.height}`}
        width={WIDTH}
        height={props.height}
        role="img"
        aria-label={props.title}
      >
        {props.children}
      </svg>
    </>
  );
}

function cut(name: string): string {
  return name.length > 12 ? `${name.slice(0, 11)}…` : name;
}
