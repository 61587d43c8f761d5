// Checks the `resilience` block as far as that goes without the models it names. Finds every problem.

import type { ConfigProblem } from './config-problem.js';
import type {
  FallbackTargetMessage,
  HedgePolicyMessage,
  ModelConfigMessage,
  ResilienceMessage,
  RetryPolicyMessage,
} from './model-config-message.js';

/** Legs of one request; more would be an attack on the model. */
const MOST_ATTEMPTS = 10;

export function resilienceProblems(message: ModelConfigMessage): ConfigProblem[] {
  const { name = '', resilience: policy } = message;
  if (!policy) return [];
  const complaints = [
    ...decoupledComplaints(message, policy),
    ...(policy.hedge ? hedgeComplaints(policy.hedge) : []),
    ...(policy.retry ? retryComplaints(policy.retry) : []),
    ...(policy.fallback ?? []).flatMap((target, index) =>
      fallbackComplaints(target, message).map(([path, text]): Complaint => [
        `fallback[${index}]${path}`,
        text,
      ]),
    ),
  ];
  return complaints.map(([path, text]) => ({
    path: `resilience.${path}`,
    message: `${text} for model '${name}'`,
  }));
}

// ---- details below; callers need not read ----

/** A place within the block, and what is wrong there. */
type Complaint = readonly [path: string, text: string];

/** What has answered in part cannot be asked again. */
function decoupledComplaints(
  { model_transaction_policy: transaction }: ModelConfigMessage,
  policy: ResilienceMessage,
): Complaint[] {
  if (transaction?.decoupled !== true) return [];
  const asked: [string, boolean][] = [
    ['hedge', policy.hedge !== undefined],
    ['retry', policy.retry !== undefined],
    ['fallback', (policy.fallback ?? []).length > 0],
  ];
  return asked
    .filter(([, isSet]) => isSet)
    .map(([path]) => [
      path,
      `${path} does not go with the 'decoupled' transaction policy, as answers that have left cannot be taken back,`,
    ]);
}

function hedgeComplaints(hedge: HedgePolicyMessage): Complaint[] {
  const { delay_quantile: quantile = 0, budget_percent: budget = 0 } = hedge;
  const hasDelay = Number(hedge.delay_microseconds ?? 0) !== 0;
  const complaints: Complaint[] = attemptComplaints('hedge', hedge.max_attempts);
  if (hasDelay === (quantile !== 0))
    complaints.push(['hedge', 'exactly one of delay_microseconds and delay_quantile must be set']);
  if (quantile !== 0 && !(quantile > 0 && quantile < 1))
    complaints.push(['hedge.delay_quantile', `must be between 0 and 1, got ${quantile},`]);
  if (!(budget >= 0 && budget <= 100))
    complaints.push(['hedge.budget_percent', `must be from 0 to 100, got ${budget},`]);
  return complaints;
}

function retryComplaints(retry: RetryPolicyMessage): Complaint[] {
  const complaints: Complaint[] = attemptComplaints('retry', retry.max_attempts);
  const initial = Number(retry.initial_backoff_microseconds ?? 0);
  const max = Number(retry.max_backoff_microseconds ?? 0);
  if (max !== 0 && initial > max)
    complaints.push([
      'retry.max_backoff_microseconds',
      `must not be less than initial_backoff_microseconds, got ${max} and ${initial},`,
    ]);
  return complaints;
}

function attemptComplaints(policy: string, attempts = 0): Complaint[] {
  if (attempts <= MOST_ATTEMPTS) return [];
  return [[`${policy}.max_attempts`, `must be at most ${MOST_ATTEMPTS}, got ${attempts},`]];
}

function fallbackComplaints(
  target: FallbackTargetMessage,
  message: ModelConfigMessage,
): Complaint[] {
  const { model_name: model = '', last_good: lastGood } = target;
  if ((model === '') === (lastGood === undefined))
    return [['', 'exactly one of model_name and last_good must be set']];
  return lastGood ? lastGoodComplaints(target) : modelComplaints(target, message);
}

function lastGoodComplaints(target: FallbackTargetMessage): Complaint[] {
  const complaints: Complaint[] = [];
  if (!target.last_good?.key_parameter)
    complaints.push(['.last_good.key_parameter', 'must name a request parameter']);
  for (const field of ['input_map', 'output_map'] as const)
    if (Object.keys(target[field] ?? {}).length > 0)
      complaints.push([`.${field}`, 'goes with model_name only']);
  if (Number(target.model_version ?? 0) !== 0)
    complaints.push(['.model_version', 'goes with model_name only']);
  return complaints;
}

function modelComplaints(
  target: FallbackTargetMessage,
  { name, input = [], output = [] }: ModelConfigMessage,
): Complaint[] {
  const { model_name: model, input_map: inputs = {}, output_map: outputs = {} } = target;
  const version = Number(target.model_version ?? 0);
  const complaints: Complaint[] = [];
  if (version < -1)
    complaints.push([
      '.model_version',
      `must be a version, or 0 or -1 for the latest, got ${version},`,
    ]);
  if (model === name && version <= 0)
    complaints.push(['.model_name', 'names the model itself without naming another version']);
  const given = Object.values(outputs);
  const twice = given.filter((each, index) => given.indexOf(each) !== index);
  for (const each of new Set(twice))
    complaints.push(['.output_map', `gives output '${each}' more than once`]);
  return [
    ...complaints,
    ...unknownNames('.input_map', inputs, { kind: 'input', tensors: input }),
    ...unknownNames('.output_map', outputs, { kind: 'output', tensors: output }),
  ];
}

/** While the configuration names no tensors, which the model then does, there is nothing to compare with. */
function unknownNames(
  path: string,
  map: Readonly<Record<string, string>>,
  { kind, tensors }: { readonly kind: string; readonly tensors: readonly { name?: string }[] },
): Complaint[] {
  if (tensors.length === 0) return [];
  return Object.entries(map)
    .filter(([, ours]) => !tensors.some(({ name }) => name === ours))
    .map(([theirs, ours]) => [`${path}["${theirs}"]`, `'${ours}' is no ${kind}`]);
}
