// What a key means while outputs are rated, and how a choice is worded.

export type Stroke = { choice: string } | "back" | null;

const pairs: Record<string, string> = { ArrowLeft: "left", ArrowRight: "right", " ": "tie" };

/** The choice of a key, "back" for undo, or null where the key means nothing here. */
export function stroke(key: string, choices: readonly string[]): Stroke {
  if (key === "u" || key === "U") return "back";
  const meant = key === "s" || key === "S" ? "skip" : (pairs[key] ?? (/^\d$/.test(key) ? key : ""));
  return choices.includes(meant) ? { choice: meant } : null;
}

/** The grades among the choices, the worst first. */
export function grades(choices: readonly string[]): string[] {
  return choices.filter((each) => /^-?\d+$/.test(each));
}

/** What a grade means, where it stands at an end. */
export function gradeWord(grade: string, all: readonly string[]): string {
  if (grade === all[0]) return "worst";
  return grade === all.at(-1) ? "best" : "";
}
