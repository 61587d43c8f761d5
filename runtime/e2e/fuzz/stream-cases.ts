// Messages to the calls that are streams: Health/Watch, reflection and ModelStreamInfer. They go over bare HTTP/2, as a stream of its
// own need not end.

import { BYTE_MUTATIONS } from './byte-mutations.js';
import { frame, type FramingCase } from './framing-cases.js';
import { RECIPES, goodRequest } from './good-request.js';
import { wireOf } from './infer-draft.js';
import { pickWeighted } from './mutation.js';
import { oddName } from './odd-values.js';
import { INFERENCE } from './other-calls.js';
import type { Random } from './random.js';
import { ANSWERED, OTHER_CALL } from './rules.js';
import {
  bytesField,
  encodeItems,
  messageField,
  textFields,
  varintField,
  type WireItem,
} from './wire-field.js';
import { WIRE_MUTATIONS } from './wire-mutations.js';

const REFLECTION = ['v1', 'v1alpha'].map(
  (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);

export const STREAM_CASES: readonly FramingCase[] = [
  {
    kind: 'stream: Health/Watch',
    weight: 2,
    make: (random) => {
      const chunks = messages(() => textFields({ 1: oddName(random) }), random);
      return {
        request: { path: '/grpc.health.v1.Health/Watch', chunks, streams: true },
        rules: OTHER_CALL,
      };
    },
  },
  {
    kind: 'stream: reflection',
    weight: 2,
    make: (random) => {
      const chunks = messages(() => reflectionRequest(random), random);
      return { request: { path: random.pick(REFLECTION), chunks }, rules: OTHER_CALL };
    },
  },
  {
    kind: 'stream: ModelStreamInfer',
    weight: 2,
    make: (random) => {
      const good = (): WireItem[] => wireOf(goodRequest(random.pick(RECIPES), random).draft);
      const chunks = messages(good, random);
      return { request: { path: `${INFERENCE}ModelStreamInfer`, chunks }, rules: ANSWERED };
    },
  },
];

// ---- details below; callers need not read ----

/** One to three, most of them broken. */
function messages(items: () => WireItem[], random: Random): Buffer[] {
  return Array.from({ length: random.between(1, 3) }, () => {
    const tree = items();
    if (random.chance(0.4)) pickWeighted(WIRE_MUTATIONS, random).apply(tree, random);
    const bytes = encodeItems(tree);
    return frame(
      random.chance(0.4) ? pickWeighted(BYTE_MUTATIONS, random).apply(bytes, random) : bytes,
    );
  });
}

function reflectionRequest(random: Random): WireItem[] {
  const names = ['grpc_service.proto', 'inference.GRPCInferenceService', '.', '', oddName(random)];
  const name = random.pick([...names, '__proto__', 'constructor', 'toString', 'hasOwnProperty']);
  const choice = random.pick([
    bytesField(3, name),
    bytesField(4, name),
    messageField(5, [bytesField(1, name), varintField(2, random.uint64())]),
    bytesField(6, name),
    bytesField(7, name),
  ]);
  return [...textFields({ 1: random.chance(0.2) ? oddName(random) : '' }), choice];
}
