// `npm run bench:micro`: what single operations on the road of a request take, as ratios to a reference loop in the same run.

import { batchCases } from './micro/batch-cases.js';
import { codecCases } from './micro/codec-cases.js';
import type { MicroCase } from './micro/micro-case.js';
import { timeCases } from './micro/time-cases.js';
import { terminalTable } from './report/text-table.js';

const ROUNDS = 15;

const words = Uint32Array.from({ length: 64 }, (_, i) => i + 1);

/** Integers, an array and a loop; no memory. */
const reference: MicroCase = {
  name: 'reference: 64 steps of xorshift',
  operations: 1,
  run: () => {
    let mixed = 0;
    for (let i = 0; i < words.length; i++) {
      let word = words[i]!;
      word ^= word << 13;
      word ^= word >>> 17;
      word ^= word << 5;
      words[i] = word;
      mixed = (mixed + word) | 0;
    }
    return mixed & 0xffff;
  },
};

const figures = timeCases([reference, ...codecCases(), ...batchCases()], reference, ROUNDS);
const table = terminalTable({
  head: ['', 'ns/op', 'of reference', 'bytes/op'],
  rows: figures.map(({ name, nsPerOperation, toReference, bytesPerOperation }) => [
    name,
    nsPerOperation.toFixed(nsPerOperation < 100 ? 1 : 0),
    toReference.toFixed(2),
    bytesPerOperation.toFixed(0),
  ]),
});
process.stdout.write(`${table}\nmedians of ${ROUNDS} rounds; bytes on the heap and in buffers\n`);
