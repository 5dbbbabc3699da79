import { signed } from "../logic/format";
import type { ComparisonView, ScorerView } from "../model";

/** How a scorer's values are told: scores in points of 100, measurements in their unit. */
export function scaleOf(scorer: ScorerView | undefined): { factor: number; unit: string } {
  if (!scorer || scorer.kind === "score") return { factor: 100, unit: "points" };
  return { factor: 1, unit: scorer.unit };
}

/** The difference and its interval around zero; the worse side is always left. */
export function Interval(props: {
  comparison: ComparisonView;
  scorer: ScorerView | undefined;
  width?: number;
}) {
  const { low, high, difference, verdict, provisional } = props.comparison;
  if (low === null || high === null || difference === null) return null;
  const { factor, unit } = scaleOf(props.scorer);
  const flip = props.scorer?.direction === "lower" ? -1 : 1;
  const width = props.width ?? 320;
  const ends = [low * factor, high * factor] as const;
  const reach = Math.max(Math.abs(ends[0]), Math.abs(ends[1]), 1e-9) * 1.2;
  const x = (value: number) => width / 2 + ((flip * value) / reach) * (width / 2 - 8);
  const [from, to] = [x(ends[0]), x(ends[1])].sort((a, b) => a - b) as [number, number];
  const text = `${signed(difference * factor)} ${unit}, 95 % interval ${signed(ends[0])} to ${signed(ends[1])}`;
  return (
    <svg
      class={`pm-interval pm-is-${(verdict ?? "cannot tell").replace(" ", "-")} ${provisional ? "pm-provisional" : ""}`}
      viewBox={`0 0 ${width} 34`}
      width={width}
      height={34}
      role="img"
      aria-label={text}
    >
      <title>{text}</title>
      <line x1={4} x2={width - 4} y1={11} y2={11} class="pm-axis" />
      <line x1={width / 2} x2={width / 2} y1={2} y2={20} class="pm-zero" />
      <line x1={from} x2={to} y1={11} y2={11} class="pm-range" />
      <line x1={from} x2={from} y1={6} y2={16} class="pm-end" />
      <line x1={to} x2={to} y1={6} y2={16} class="pm-end" />
      <circle cx={x(difference * factor)} cy={11} r={4.5} class="pm-point" />
      <text x={4} y={31} class="pm-tick">
        ◂ worse
      </text>
      <text x={width / 2} y={31} class="pm-tick" text-anchor="middle">
        0
      </text>
      <text x={width - 4} y={31} class="pm-tick" text-anchor="end">
        better ▸
      </text>
    </svg>
  );
}
