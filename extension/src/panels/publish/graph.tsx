import { useMemo } from "preact/hooks";
import { layers } from "../../logic/layers";
import type { ImpactView } from "../../model";
import { rowId, SIGNS } from "./outcomes";

const WIDTH = 200;
const HEIGHT = 48;
const ACROSS = 36;
const DOWN = 12;
/** So much of a long name's end stays in sight: names of one family differ at either end. */
const END = 6;
/** A picture of more prompts than this shows nothing any more; the table below lists them all. */
export const MOST = 120;

/** The prompts in columns, those that feed others to the left; each box leads to its line in the table. */
export function Graph(props: { view: ImpactView }) {
  const { view } = props;
  const nodes = useMemo(
    () =>
      layers(
        view.prompts.map((each) => each.name),
        view.edges,
      ),
    [view],
  );
  if (nodes.length > MOST) return <p class="pm-soft">{nodes.length} prompts: too many for a picture.</p>;
  const outcomes = new Map(view.prompts.map((each) => [each.name, each.outcome]));
  const places = new Map(
    nodes.map((node) => [
      node.name,
      { x: node.column * (WIDTH + ACROSS) + 1, y: node.line * (HEIGHT + DOWN) + 1 },
    ]),
  );
  const width = Math.max(...nodes.map((node) => node.column + 1)) * (WIDTH + ACROSS) - ACROSS + 2;
  const height = Math.max(...nodes.map((node) => node.line + 1)) * (HEIGHT + DOWN) - DOWN + 2;
  return (
    <div class="pm-graph-box">
      <ul
        class="pm-graph"
        style={{ width: `${width}px`, height: `${height}px` }}
        aria-label="Prompts reached"
      >
        <li aria-hidden="true">
          <svg width={width} height={height} aria-hidden="true">
            {view.edges.map(([from, to]) => {
              const [start, end] = [places.get(from), places.get(to)];
              if (!start || !end) return null;
              const [x1, y1] = [start.x + WIDTH, start.y + HEIGHT / 2];
              const [x2, y2] = [end.x, end.y + HEIGHT / 2];
              const middle = (x1 + x2) / 2;
              return (
                <g key={`${from}→${to}`}>
                  <path d={`M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2 - 6} ${y2}`} />
                  <path class="pm-graph-head" d={`M${x2 - 6} ${y2 - 4}L${x2} ${y2}L${x2 - 6} ${y2 + 4}Z`} />
                </g>
              );
            })}
          </svg>
        </li>
        {nodes.map((node) => {
          const outcome = outcomes.get(node.name);
          const place = places.get(node.name);
          const said = outcome ?? "unchanged";
          return (
            <li
              key={node.name}
              class="pm-graph-place"
              style={{ left: `${place?.x}px`, top: `${place?.y}px` }}
            >
              <button
                type="button"
                class={`pm-graph-node pm-graph-${said.replace(" ", "-")}`}
                style={{ width: `${WIDTH}px`, height: `${HEIGHT}px` }}
                title={node.name}
                disabled={!outcome || view.source === "none"}
                onClick={(event) => {
                  const row = event.currentTarget
                    .closest(".pm-impact")
                    ?.querySelector<HTMLElement>(`[id="${rowId(node.name)}"]`);
                  row?.scrollIntoView({ block: "nearest" });
                  row?.classList.add("pm-pointed");
                  setTimeout(() => row?.classList.remove("pm-pointed"), 1500);
                }}
              >
                <span class="pm-graph-name">
                  <span class="pm-cut">{node.name.slice(0, -END)}</span>
                  <span>{node.name.slice(-END)}</span>
                </span>
                <span>
                  {outcome && (
                    <span class={`pm-sign pm-is-${said.replace(" ", "-")}`} aria-hidden="true">
                      {SIGNS[outcome]}
                    </span>
                  )}{" "}
                  {said}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
