// How a run asks, in words and numbers.
import type { BudgetView, EstimateView, Json, RunProgress, ScorerView } from "../model";
import { cost, count, plural, seconds, significant } from "./format";

/** What was typed as a number above 0: null for an empty field, undefined for what is none. */
export function numberOf(text: string, whole: boolean): number | null | undefined {
  const trimmed = text.trim().replaceAll(",", "");
  if (!trimmed || trimmed === "auto") return null;
  const value = Number(trimmed);
  if (!Number.isFinite(value) || value <= 0 || (whole && !Number.isInteger(value))) return undefined;
  return value;
}

/** "up to $2 and 500 calls", or nothing. */
export function budgetWords(budget: BudgetView): string {
  const limits = [
    budget.money === null ? "" : cost(budget.money),
    budget.tokens === null ? "" : plural(budget.tokens, "token"),
    budget.calls === null ? "" : plural(budget.calls, "call"),
    budget.minutes === null ? "" : `${significant(budget.minutes)} min`,
  ].filter(Boolean);
  return limits.length ? `up to ${limits.join(" and ")}` : "";
}

/** Answers that a run that ended has not got: those that were not asked for, and those that failed. */
export function missingOf(progress: RunProgress): number {
  return Math.max(0, progress.total - progress.done) + progress.errors;
}

/** Where a run stands, in one word or two, the same wherever it is told. */
export function statusWord(status: RunProgress["status"]): string {
  return { cancelled: "stopped", stopped: "ended early" }[status as string] ?? status;
}

/** What a run would take and could show, a part a phrase. */
export function planWords(plan: EstimateView, primary: ScorerView | undefined): string[] {
  if (plan.rows === 0) return ["nothing to ask: the dataset has no rows"];
  const asked = plan.calls - plan.cached;
  const words: string[] = [];
  if (plan.calls === 0) words.push("nothing to ask for");
  else if (asked === 0) words.push(`all ${count(plan.calls)} answers are in the cache`);
  else {
    words.push(`${plural(asked, "answer")} to ask for`);
    if (plan.cached) words.push(`${count(plan.cached)} in the cache`);
    if (plan.judge_calls) words.push(`up to ${plural(plan.judge_calls, "call")} of judges`);
    const out = plan.tokens_out === null ? "an unknown number" : count(plan.tokens_out);
    words.push(`about ${count(plan.tokens_in)} tokens in, ${out} out`);
    words.push(
      plan.cost === null ? "price not known" : plan.cost === 0 ? "free" : `about ${cost(plan.cost)}`,
    );
    if (plan.seconds !== null) words.push(`about ${seconds(Math.max(1, plan.seconds))}`);
  }
  if (plan.unrendered) words.push(`${plural(plan.unrendered, "answer")} cannot be asked for`);
  if (plan.smallest !== null) {
    const points = !primary || primary.kind === "score";
    if (points && plan.smallest > 1) words.push("too few rows to show any difference");
    else
      words.push(
        `shows differences from ${points ? `${significant(100 * plan.smallest)} points` : `${significant(plan.smallest)} ${primary.unit}`}`,
      );
  }
  return words;
}

/** A parameter's value as it was typed: JSON where it is some, else the text itself; null for an empty field. */
export function typedValue(text: string): Json {
  const trimmed = text.trim();
  if (!trimmed) return null;
  try {
    return JSON.parse(trimmed) as Json;
  } catch {
    return trimmed;
  }
}
