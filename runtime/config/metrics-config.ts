// --metrics-config=KEY=VALUE: which families of latencies are shown. Keys are Triton's.

import { InvalidOption } from './invalid-option.js';

export interface MetricsConfig {
  readonly counterLatencies: boolean;
  /** Quantiles of the summaries; undefined: no summaries. */
  readonly summaryQuantiles: readonly number[] | undefined;
  /** Sentences on settings that do nothing. */
  readonly warnings: readonly string[];
}

/** @throws InvalidOption */
export function readMetricsConfig(settings: readonly string[]): MetricsConfig {
  let counterLatencies = true;
  let summaries = false;
  let quantiles = [0.5, 0.9, 0.95, 0.99, 0.999];
  const warnings: string[] = [];
  for (const setting of settings) {
    const [key, value] = splitAt(setting, '=');
    if (key === 'counter_latencies') counterLatencies = bool(key, value);
    else if (key === 'summary_latencies') summaries = bool(key, value);
    else if (key === 'summary_quantiles') quantiles = readQuantiles(value);
    else if (key === 'histogram_latencies') bool(key, value);
    else warnings.push(`--metrics-config=${setting} has no effect: ${KNOWN}`);
  }
  return { counterLatencies, summaryQuantiles: summaries ? quantiles : undefined, warnings };
}

// ---- details below; callers need not read ----

const KNOWN =
  'known are counter_latencies, histogram_latencies, summary_latencies and summary_quantiles';

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function bool(key: string, value: string): boolean {
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw new InvalidOption(`--metrics-config: ${key} takes true or false, got '${value}'`);
}

/** As Triton takes them: "0.5:0.05,0.9:0.01", each with the error it may have; ours is at most 0.03 of the value. */
function readQuantiles(text: string): number[] {
  return text
    .replace(/^"|"$/g, '')
    .split(',')
    .map((pair) => {
      const quantile = Number(splitAt(pair, ':')[0]);
      if (pair !== '' && quantile >= 0 && quantile <= 1) return quantile;
      throw new InvalidOption(
        `--metrics-config: summary_quantiles takes QUANTILE:ERROR,… with quantiles from 0 to 1, got '${text}'`,
      );
    });
}
