// Numbers that are allowed and that no server could live with: a typing error must not end it.

import type { ConfigProblem } from './config-problem.js';
import type { ModelConfigMessage } from './model-config-message.js';

/** Sessions of one version. */
const MOST_INSTANCES = 1024;
/** Of a warm-up sample. */
const MOST_RUNS = 10_000;
const MOST_REQUESTS = 65_536;

export function validateLimits(message: ModelConfigMessage): ConfigProblem[] {
  return [...instanceProblems(message), ...passiveProblems(message), ...warmUpProblems(message)];
}

// ---- details below; callers need not read ----

function instanceProblems({
  instance_group: groups = [],
  name = '',
}: ModelConfigMessage): ConfigProblem[] {
  const instances = groups.reduce(
    (sum, { count = 1, gpus = [] }) => sum + count * Math.max(gpus.length, 1),
    0,
  );
  if (instances <= MOST_INSTANCES) return [];
  const text = `${instances} instances of model '${name}' are too many: at most ${MOST_INSTANCES}`;
  return [{ path: 'instance_group', message: text }];
}

/** Triton loads such a model, and its requests wait for ever. */
function passiveProblems({
  instance_group: groups = [],
  name = '',
}: ModelConfigMessage): ConfigProblem[] {
  if (groups.length === 0 || !groups.every(({ passive }) => passive)) return [];
  const text = `all instance groups of model '${name}' are passive: nothing would run its requests`;
  return [{ path: 'instance_group', message: text }];
}

function warmUpProblems({ model_warmup: samples = [] }: ModelConfigMessage): ConfigProblem[] {
  return samples.flatMap((sample, index) => {
    const limits: [field: string, most: number][] = [
      ['count', MOST_RUNS],
      ['batch_size', MOST_REQUESTS],
    ];
    return limits.flatMap(([field, most]) => {
      const value = Number(sample[field] ?? 0);
      if (value <= most) return [];
      const path = `model_warmup[${index}].${field}`;
      return [{ path, message: `${field} of a warmup sample is ${value}: at most ${most}` }];
    });
  });
}
