import type { RunProgress } from "../model";

/** When a run began, as its line names it: 11:18 today, else with the day. */
export function began(iso: string, now: Date = new Date()): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === now.toDateString()) return time;
  return `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
}

/** "#2 and #3 against #1". */
export function against(versions: readonly string[]): string {
  const [baseline, ...candidates] = versions;
  return candidates.length ? `${candidates.join(" and ")} against ${baseline}` : (baseline ?? "");
}

/**
 * Why the run shown does not answer what is picked, or null where it does. What is picked may be a part of the run, with
 * the run's own baseline.
 */
export function staleness(
  progress: RunProgress,
  picked: readonly string[],
  suite: string,
  now: Date = new Date(),
): string | null {
  if (picked.length === 0) return null;
  const unknown = picked.filter((version) => !progress.versions.includes(version));
  const turned = picked[0] !== progress.versions[0];
  const other = suite !== "" && suite !== progress.suite;
  if (!unknown.length && !turned && !other) return null;
  const what = unknown.length ? unknown.join(" and ") : turned ? against(picked) : `on ${suite}`;
  const where = other ? ` on ${progress.suite}` : "";
  return `This is run ${began(progress.started_at, now)}, ${against(progress.versions)}${where}. Run ${what} to compare.`;
}
