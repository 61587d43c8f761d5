// Outputs that were asked for as classes: texts such as "0.98:3:label".

import { InferdError } from './inferd-error.js';
import type { OutputTensor } from './tensor-output.js';

export interface ClassScore {
  readonly score: number;
  /** The place of the class in the model's output. */
  readonly index: number;
  /** From the model's labels; empty without. */
  readonly label: string;
}

/** The best classes first, for each row. @throws InferdError when the output was not asked for with `classification` */
export function classesOf(output: OutputTensor): ClassScore[][] {
  const { name, shape } = output;
  if (output.datatype !== 'BYTES')
    throw new InferdError(
      'INVALID_ARGUMENT',
      `output '${name}' has no classes; ask for them: { classification: { ${JSON.stringify(name)}: 3 } }`,
    );
  const classes = output.data.map((text) => scoreFrom(text));
  const perRow = shape.at(-1) ?? 1;
  const rows = perRow === 0 ? 0 : classes.length / perRow;
  return Array.from({ length: rows }, (_, row) => classes.slice(row * perRow, (row + 1) * perRow));
}

function scoreFrom(text: string): ClassScore {
  const [score = '', index = '', ...label] = text.split(':');
  return { score: Number(score), index: Number(index), label: label.join(':') };
}
