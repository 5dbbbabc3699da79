// From numbers to places in a chart.

export interface Scale {
  /** Where a value stands. */
  at(value: number): number;
  ticks: number[];
}

/** A scale over the values given, with a little room and at most so many round ticks. */
export function scale(values: readonly number[], from: number, to: number, most = 4): Scale {
  const known = values.filter(Number.isFinite);
  let low = Math.min(...known);
  let high = Math.max(...known);
  if (!known.length) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
  const room = (high - low) * 0.06;
  low -= room;
  high += room;
  const at = (value: number) => from + ((value - low) / (high - low)) * (to - from);
  const step = roundStep((high - low) / most);
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step)
    ticks.push(Math.abs(tick) < step / 1e6 ? 0 : Number(tick.toPrecision(12)));
  return { at, ticks };
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const times = [1, 2, 5, 10].find((each) => each * power >= rough) ?? 10;
  return times * power;
}
