// Request number N: what is sent and how it may end, made from the seed and N alone.

import { contradictsItself, differsFrom } from './answer-check.js';
import { BYTE_MUTATIONS } from './byte-mutations.js';
import { CONNECTION_CASES } from './connection-cases.js';
import { DATA_MUTATIONS } from './data-mutations.js';
import { FRAMING_CASES } from './framing-cases.js';
import { RECIPES, goodRequest, recipeOf, useLists } from './good-request.js';
import type { Http2Request } from './http2-exchange.js';
import { wireOf } from './infer-draft.js';
import { pickWeighted, type DraftMutation } from './mutation.js';
import { NAME_MUTATIONS } from './name-mutations.js';
import { INFERENCE, OTHER_CALLS, type OtherCall } from './other-calls.js';
import { PARAMETER_MUTATIONS } from './parameter-mutations.js';
import { Random } from './random.js';
import {
  ANSWERED,
  CONTROL_CALL,
  FAILED_IN_BACKEND,
  INFER,
  OPENING_CALL,
  OTHER_CALL,
  REFUSED,
  UNIMPLEMENTED,
  type Rules,
} from './rules.js';
import { SHAPE_MUTATIONS } from './shape-mutations.js';
import { STREAM_CASES } from './stream-cases.js';
import { encodeItems, type WireItem } from './wire-field.js';
import { WIRE_MUTATIONS } from './wire-mutations.js';

/** What is sent: a message by a gRPC library, a call over bare HTTP/2, or bytes to the port. */
export type Sending =
  | { readonly by: 'grpc'; readonly path: string; readonly message: Buffer }
  | ({ readonly by: 'http2' } & Http2Request)
  | { readonly by: 'socket'; readonly bytes: Buffer };

export interface FuzzCase {
  readonly number: number;
  readonly kind: string;
  readonly sending: Sending;
  readonly rules: Rules;
  /** The model it is about, if it is about one. */
  readonly model?: string;
}

const DRAFT_MUTATIONS: readonly DraftMutation[] = [
  ...SHAPE_MUTATIONS,
  ...DATA_MUTATIONS,
  ...NAME_MUTATIONS,
  ...PARAMETER_MUTATIONS,
];

const LEVELS = [
  { kind: 'draft', weight: 46, make: draftCase },
  { kind: 'wire', weight: 18, make: wireCase },
  { kind: 'byte', weight: 14, make: byteCase },
  { kind: 'other', weight: 12, make: otherCase },
  { kind: 'framing', weight: 6, make: framingCase },
  { kind: 'stream', weight: 2, make: streamCase },
  { kind: 'connection', weight: 2, make: connectionCase },
];

/** Every kind there is, so that a run can tell whether it has seen all. */
export const KINDS: ReadonlySet<string> = new Set(
  [
    ...DRAFT_MUTATIONS,
    ...WIRE_MUTATIONS,
    ...BYTE_MUTATIONS,
    ...OTHER_CALLS,
    ...FRAMING_CASES,
    ...STREAM_CASES,
    ...CONNECTION_CASES,
  ].map(({ kind }) => kind),
);

export function brokenCase(seed: number, number: number): FuzzCase {
  const random = new Random(seed, 2 * number);
  return { number, ...pickWeighted(LEVELS, random).make(random) };
}

/** A request with one right answer, to the model given or to any. */
export function goodCase(seed: number, number: number, model?: string): FuzzCase {
  const random = new Random(seed, 2 * number + 1);
  const recipe = model === undefined ? random.pick(RECIPES) : recipeOf(model);
  const { draft, answer } = goodRequest(recipe, random);
  const id = random.chance(0.5) ? `good ${number}` : '';
  draft.id = id;
  if (random.chance(0.3)) useLists(draft);
  const rules = { ...ANSWERED, checkAnswer: differsFrom(answer, id) };
  const message = encodeItems(wireOf(draft));
  return { number, kind: 'good', sending: infer(message), rules, model: recipe.model };
}

// ---- details below; callers need not read ----

type Made = Omit<FuzzCase, 'number'>;

function infer(message: Buffer): Sending {
  return { by: 'grpc', path: `${INFERENCE}ModelInfer`, message };
}

function draftCase(random: Random): Made {
  const mutation = pickWeighted(DRAFT_MUTATIONS, random);
  const recipe = recipeOf(random.pick(mutation.models ?? RECIPES.map(({ model }) => model)));
  const { draft } = goodRequest(recipe, random);
  mutation.apply(draft, random);
  const items = wireOf(draft);
  const { model } = recipe;
  if (random.chance(0.8)) {
    const rules = rulesOf(mutation);
    return { kind: mutation.kind, sending: infer(encodeItems(items)), rules, model };
  }
  const message = damaged(items, random);
  return { kind: mutation.kind, sending: infer(message), rules: rulesOf({}), model };
}

function rulesOf({ ends }: Pick<DraftMutation, 'ends'>): Rules {
  if (ends === 'refused') return REFUSED;
  return ends === 'fails' ? FAILED_IN_BACKEND : { ...INFER, checkAnswer: contradictsItself };
}

/** One more thing wrong, at a lower level. */
function damaged(items: WireItem[], random: Random): Buffer {
  if (random.chance(0.5))
    return pickWeighted(BYTE_MUTATIONS, random).apply(encodeItems(items), random);
  pickWeighted(WIRE_MUTATIONS, random).apply(items, random);
  return encodeItems(items);
}

function anyInfer(random: Random): { items: WireItem[]; model: string } {
  const recipe = random.pick(RECIPES);
  const { draft } = goodRequest(recipe, random);
  if (random.chance(0.3)) useLists(draft);
  return { items: wireOf(draft), model: recipe.model };
}

function wireCase(random: Random): Made {
  const { kind, apply } = pickWeighted(WIRE_MUTATIONS, random);
  const { items, model } = anyInfer(random);
  apply(items, random);
  return { kind, sending: infer(encodeItems(items)), rules: rulesOf({}), model };
}

function byteCase(random: Random): Made {
  const { kind, apply } = pickWeighted(BYTE_MUTATIONS, random);
  const { items, model } = anyInfer(random);
  const message = apply(encodeItems(items), random);
  return { kind, sending: infer(message), rules: rulesOf({}), model };
}

function otherCase(random: Random): Made {
  const call = pickWeighted(OTHER_CALLS, random);
  const { kind, path, items } = call;
  const tree = items(random);
  const message = random.chance(0.5) ? damaged(tree, random) : encodeItems(tree);
  return { kind, sending: { by: 'grpc', path, message }, rules: rulesOfCall(call) };
}

function rulesOfCall({ controls, opens, unimplemented }: OtherCall): Rules {
  if (controls) return CONTROL_CALL;
  if (opens) return OPENING_CALL;
  return unimplemented ? UNIMPLEMENTED : OTHER_CALL;
}

function framingCase(random: Random): Made {
  const { kind, make } = pickWeighted(FRAMING_CASES, random);
  const { request, rules } = make(random);
  return { kind, sending: { by: 'http2', ...request }, rules };
}

function streamCase(random: Random): Made {
  const { kind, make } = pickWeighted(STREAM_CASES, random);
  const { request, rules } = make(random);
  return { kind, sending: { by: 'http2', ...request }, rules };
}

function connectionCase(random: Random): Made {
  const { kind, make } = pickWeighted(CONNECTION_CASES, random);
  const sending = { by: 'socket', bytes: make(random) } as const;
  return { kind, sending, rules: { statuses: {}, mayClose: true } };
}
