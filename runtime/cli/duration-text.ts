// Times as people read them: three figures and a unit.

/** '–' for what was never measured. */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 0.9995) return `${figures(ms * 1000)} µs`;
  if (ms < 999.5) return `${figures(ms)} ms`;
  return `${figures(ms / 1000)} s`;
}

/** Three figures, all of the digits before the point. */
export function figures(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const decimals = value >= 100 || value === 0 ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(decimals);
}
