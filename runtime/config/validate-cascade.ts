// Checks a cascade as far as that goes without the models of its stages: every stage can be asked, every rule can hold, and every output
// is written whichever way a row goes. Where Triton says the like of ensembles, in its words.

import {
  CASCADE_DECISION,
  CASCADE_PLATFORM,
  CASCADE_STAGE,
  exitTests,
  isProvided,
} from './cascade-config.js';
import { cascadeFlow, type CascadeFlow } from './cascade-flow.js';
import type { ConfigProblem } from './config-problem.js';
import type {
  CascadeStageMessage,
  ExitRuleMessage,
  ModelConfigMessage,
  ModelOutputMessage,
} from './model-config-message.js';

export function cascadeProblems(message: ModelConfigMessage): ConfigProblem[] {
  const { name = '', platform = '', cascade_scheduling: cascade } = message;
  if (platform !== CASCADE_PLATFORM) {
    if (!cascade) return [];
    const text = `cascade scheduling cannot be set for model '${name}' whose platform is not cascade: write platform: "cascade"`;
    return [{ path: 'cascade_scheduling', message: text }];
  }
  if (!cascade?.stage?.length) {
    const text = `must specify 'stage' for cascade '${name}'`;
    return [...settingProblems(message), { path: 'cascade_scheduling.stage', message: text }];
  }
  const flow = cascadeFlow(message);
  return [
    ...settingProblems(message),
    ...(message.output ?? []).flatMap(providedProblems),
    ...cascade.stage.flatMap((stage, index) => [
      ...stageProblems(stage, { name, index }),
      ...mappingProblems(stage, { name, index, flow }),
      ...(stage.exit_when ?? []).flatMap((rule, at) => ruleProblems(rule, { index, at, flow })),
    ]),
    ...outputProblems(message, flow),
  ];
}

// ---- details below; callers need not read ----

/** What a cascade has no use for, because it has no instances and no queue. */
const NOT_ITS_OWN = [
  ['instance_group', 'instance group'],
  ['optimization', 'optimization'],
  ['model_warmup', 'model warm-up'],
  ['batch_input', 'batch input'],
  ['batch_output', 'batch output'],
] as const;

function settingProblems(message: ModelConfigMessage): ConfigProblem[] {
  const name = message.name ?? '';
  const problems: ConfigProblem[] = NOT_ITS_OWN.filter(([field]) => isSet(message[field])).map(
    ([path, what]) => ({ path, message: `${what} should not be specified for cascade '${name}'` }),
  );
  const add = (path: string, text: string): unknown => problems.push({ path, message: text });
  if (!message.max_batch_size)
    add('max_batch_size', `cascade '${name}' works on rows: max_batch_size must be at least 1`);
  if (message.response_cache?.enable)
    add('response_cache', `cascade '${name}' cannot be cached: its stages can`);
  if (message.model_transaction_policy?.decoupled)
    add('model_transaction_policy', `cascade '${name}' answers once: it cannot be decoupled`);
  return [...problems, ...tensorProblems(message)];
}

function tensorProblems({ input = [], output = [] }: ModelConfigMessage): ConfigProblem[] {
  const optional = input.flatMap((tensor, index) => {
    if (!tensor.optional) return [];
    const message = `input '${tensor.name ?? ''}' of a cascade cannot be optional`;
    return [{ path: `input[${index}].optional`, message }];
  });
  const reshaped = Object.entries({ input, output }).flatMap(([side, tensors]) =>
    tensors.flatMap(({ name = '', reshape }, index) => {
      if (!reshape) return [];
      const message = `tensor '${name}' of a cascade cannot be reshaped`;
      return [{ path: `${side}[${index}].reshape`, message }];
    }),
  );
  return [...optional, ...reshaped];
}

function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}

const PROVIDED_TYPE: Readonly<Record<string, string>> = {
  [CASCADE_STAGE]: 'TYPE_INT32',
  [CASCADE_DECISION]: 'TYPE_STRING',
};

function providedProblems(output: ModelOutputMessage, index: number): ConfigProblem[] {
  const { name = '', data_type: type = '', dims = [] } = output;
  const wanted = isProvided(name) ? PROVIDED_TYPE[name]! : undefined;
  if (wanted === undefined) return [];
  if (type === wanted && dims.length === 1 && Number(dims[0]) === 1) return [];
  const message = `output '${name}' must be ${wanted} with dims [1], got ${type} with dims [${dims.join(',')}]`;
  return [{ path: `output[${index}]`, message }];
}

interface StagePlace {
  readonly name: string;
  readonly index: number;
}

function stageProblems(stage: CascadeStageMessage, { name, index }: StagePlace): ConfigProblem[] {
  const path = `cascade_scheduling.stage[${index}]`;
  const problems = (['model_name', 'input_map', 'output_map'] as const)
    .filter((field) => !stage[field] || Object.keys(stage[field]).length === 0)
    .map((field) => ({
      path: `${path}.${field}`,
      message: `must specify '${field}' in stage ${index} of cascade '${name}'`,
    }));
  if (stage.model_name !== undefined && stage.model_name === name)
    problems.push({
      path: `${path}.model_name`,
      message: `cascade '${name}' is a stage of itself`,
    });
  if (Number(stage.model_version ?? 0) < -1)
    problems.push({
      path: `${path}.model_version`,
      message: `model_version must be a version, or 0 or -1 for the latest, got ${stage.model_version!}`,
    });
  return problems;
}

interface FlowPlace extends StagePlace {
  readonly flow: CascadeFlow;
}

function mappingProblems(
  { input_map: inputs = {}, output_map: outputs = {} }: CascadeStageMessage,
  { name, index, flow }: FlowPlace,
): ConfigProblem[] {
  const path = `cascade_scheduling.stage[${index}]`;
  const problems: ConfigProblem[] = [];
  for (const [input, tensor] of Object.entries(inputs)) {
    const text = flow.missing(tensor, flow.before[index]!);
    if (text !== undefined)
      problems.push({
        path: `${path}.input_map["${input}"]`,
        message: `stage ${index} takes ${text}`,
      });
  }
  const seen = new Set<string>();
  for (const [output, tensor] of Object.entries(outputs)) {
    const text = outputComplaint(tensor, { name, index, flow, seen });
    seen.add(tensor);
    if (text !== undefined)
      problems.push({ path: `${path}.output_map["${output}"]`, message: text });
  }
  return problems;
}

function outputComplaint(
  tensor: string,
  { name, index, flow, seen }: FlowPlace & { readonly seen: ReadonlySet<string> },
): string | undefined {
  if (isProvided(tensor)) return `tensor '${tensor}' is written by the server, not by a stage`;
  if (flow.inputs.has(tensor))
    return `tensor '${tensor}' is an input of cascade '${name}', which no stage can write`;
  if (!seen.has(tensor)) return undefined;
  return `cascade tensor '${tensor}' can appear in an output map only once for cascade '${name}' stage ${index}`;
}

function ruleProblems(
  rule: ExitRuleMessage,
  { index, at, flow }: { readonly index: number; readonly at: number; readonly flow: CascadeFlow },
): ConfigProblem[] {
  const path = `cascade_scheduling.stage[${index}].exit_when[${at}]`;
  const problems: ConfigProblem[] = [];
  const add = (field: string, message: string): unknown =>
    problems.push({ path: `${path}${field}`, message });
  const { tensor = '', index: element = 0 } = rule;
  if (tensor === '') add('.tensor', "exit rule must specify 'tensor'");
  else {
    const text = flow.missing(tensor, flow.after[index]!);
    if (text !== undefined) add('.tensor', `exit rule of stage ${index} tests ${text}`);
  }
  if (element < -1) add('.index', `index must be -1 (any element) or at least 0, got ${element}`);
  const tests = exitTests(rule);
  if (tests.length !== 1)
    add(
      '',
      `exit rule must have one of above, below, equals, equals_string, got ${tests.length || 'none'}`,
    );
  for (const { kind, value } of tests)
    if (Number.isNaN(value)) add(`.${kind}`, `no element is ${kind} NaN`);
  return problems;
}

function outputProblems(
  { name = '', input, output }: ModelConfigMessage,
  flow: CascadeFlow,
): ConfigProblem[] {
  const unused = (input ?? []).flatMap(({ name: tensor = '' }, index) =>
    flow.used.has(tensor)
      ? []
      : [
          {
            path: `input[${index}]`,
            message: `cascade input '${tensor}' for cascade '${name}' is not used`,
          },
        ],
  );
  const unwritten = (output ?? []).flatMap(({ name: tensor = '' }, index) => {
    if (tensor === '' || isProvided(tensor)) return [];
    return flow.ends.flatMap(({ who, written }) => {
      const text = flow.missing(tensor, written);
      if (text === undefined) return [];
      return [
        {
          path: `output[${index}]`,
          message: `output '${tensor}' is not written for every row: ${who} need ${text}`,
        },
      ];
    });
  });
  return [...unused, ...unwritten];
}
