// The messages of TraceSetting <-> the settings of traces. Names, meanings and texts of refusals are Triton's; it takes no notice of
// unknown names and levels.

import { RuntimeError } from '../core/errors.js';
import type { TraceChanges, TraceSettings } from '../core/trace-control.js';
import type { Message } from './message-codec.js';

/** Undefined: nothing is traced, because there is nowhere to send it. */
export function traceSettingsMessage(settings: TraceSettings | undefined): Message {
  const { isOn, rate, count, logFrequency } = settings ?? UNTRACED;
  return {
    trace_level: { value: [isOn ? 'TIMESTAMPS' : 'OFF'] },
    trace_rate: { value: [String(rate)] },
    trace_count: { value: [String(count)] },
    log_frequency: { value: [String(logFrequency)] },
    trace_file: { value: [''] },
    trace_mode: { value: [settings ? 'opentelemetry' : 'triton'] },
  };
}

/**
 * What `settings` of a request ask for, all of it in order.
 * @throws RuntimeError INVALID_ARGUMENT, or UNSUPPORTED for what is settled at the start or is never traced
 */
export function traceChangesFrom(settings: Readonly<Record<string, Message>>): TraceChanges {
  for (const what of ['file', 'mode']) {
    if (!(`trace_${what}` in settings)) continue;
    const thing = what === 'file' ? 'file location' : what;
    const text = `trace ${thing} can not be updated through network protocol`;
    throw new RuntimeError('UNSUPPORTED', text);
  }
  const changes: { -readonly [Key in keyof TraceChanges]: TraceChanges[Key] } = {};
  for (const [name, setting] of Object.entries(settings)) {
    const values = setting['value'] as readonly string[];
    if (name === 'trace_level') changes.isOn = levelFrom(values);
    else if (name === 'trace_rate') changes.rate = integerFrom(name, values, UINT32);
    else if (name === 'trace_count') changes.count = integerFrom(name, values, COUNT);
    else if (name === 'log_frequency') changes.logFrequency = integerFrom(name, values, UINT32);
    else throw invalid(`there is no trace setting '${name}'; what can be changed is ${KNOWN}`);
  }
  return changes;
}

// ---- details below; callers need not read ----

const UNTRACED: TraceSettings = { isOn: false, rate: 1000, count: -1, logFrequency: 0 };

const KNOWN = 'trace_level, trace_rate, trace_count, log_frequency';

interface Range {
  readonly least: number;
  readonly most: number;
}

const UINT32: Range = { least: 0, most: 2 ** 32 - 1 };
/** -1: no limit. */
const COUNT: Range = { least: -1, most: 2 ** 31 - 1 };

function levelFrom(levels: readonly string[]): boolean | null {
  if (levels.length === 0) return null;
  for (const level of levels) {
    if (level === 'TENSORS') {
      const text = "trace level 'TENSORS' is not supported: traces hold times, never tensors";
      throw new RuntimeError('UNSUPPORTED', text);
    }
    if (level === 'OFF' && levels.length > 1)
      throw invalid("Expect only one trace level 'OFF' is specified");
    if (level !== 'OFF' && level !== 'TIMESTAMPS')
      throw invalid(`there is no trace level '${level}'; one of OFF, TIMESTAMPS`);
  }
  return levels[0] !== 'OFF';
}

function integerFrom(
  name: string,
  values: readonly string[],
  { least, most }: Range,
): number | null {
  const [text] = values;
  if (text === undefined) return null;
  if (values.length > 1) throw invalid(`expect only 1 value for '${name}'`);
  if (!/^[+-]?\d+$/.test(text)) throw invalid(`Unable to parse '${name}', got: ${text}`);
  const value = Number(text);
  if (value >= least && value <= most) return value;
  if (least === -1 && value < least)
    throw invalid(`Unable to parse '${name}'. Expecting value >= ${least}, got: ${text}`);
  const range = `value is out of range [ ${least}, ${most} ]`;
  throw invalid(`Unable to parse '${name}', ${range}, got: ${text}`);
}

function invalid(text: string): RuntimeError {
  return new RuntimeError('INVALID_ARGUMENT', text);
}
