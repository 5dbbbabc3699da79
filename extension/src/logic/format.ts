// Numbers and times as the interface writes them: at most three significant figures, the rest in a tooltip.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function count(value: number): string {
  return whole.format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Three significant figures, without an exponent and without trailing zeros. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const rounded = value.toFixed(Math.min(digits, 12));
  const short = rounded.includes(".") ? rounded.replace(/\.?0+$/, "") : rounded;
  return Math.abs(value) >= 1000 ? whole.format(value) : short === "-0" ? "0" : short;
}

export function signed(value: number): string {
  const text = significant(Math.abs(value));
  if (text === "0") return "0";
  return `${value < 0 ? "−" : "+"}${text}`;
}

export function cost(dollars: number): string {
  if (dollars === 0) return "$0";
  if (dollars < 0.01) return `$${significant(dollars)}`;
  return `$${dollars.toFixed(2)}`;
}

export function seconds(value: number): string {
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 90) return `${significant(value < 10 ? value : Math.round(value))} s`;
  const minutes = Math.round(value / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${significant(minutes / 60)} h`;
}

const steps: [number, string][] = [
  [60, "min"],
  [3600, "h"],
  [86400, "day"],
  [604800, "week"],
  [2629800, "month"],
  [31557600, "year"],
];

/** How long ago, in the largest unit that fits. */
export function ago(iso: string, now: number = Date.now()): string {
  const passed = (now - Date.parse(iso)) / 1000;
  if (Number.isNaN(passed)) return iso;
  if (passed < 60) return "just now";
  let [size, unit] = steps[0] as [number, string];
  for (const step of steps) if (passed >= step[0]) [size, unit] = step;
  const amount = Math.floor(passed / size);
  const ending = unit.length > 3 && amount !== 1 ? "s" : "";
  return `${amount} ${unit}${ending} ago`;
}

export function exact(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return at.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "long" });
}

/** One line of possibly long text, spaces joined. */
export function oneLine(text: string, limit = 400): string {
  const line = text
    .slice(0, limit * 2)
    .replace(/\s+/g, " ")
    .trim();
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}
