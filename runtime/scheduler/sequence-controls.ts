// The controls of a model with sequences: what the server tells it of a step in inputs of its own.

import type { ModelConfig } from '../config/model-config.js';
import type { BooleanControl, ControlSpec } from '../config/sequence-config.js';
import type { Tensor } from '../core/tensor.js';
import { sequenceIdBytes, type SequenceId } from './sequence-id.js';

/** What there is to tell. */
export interface ControlledStep {
  readonly isStart: boolean;
  readonly isEnd: boolean;
  readonly sequence: { readonly id: SequenceId };
}

export class SequenceControls {
  readonly #controls: readonly ControlSpec[];
  readonly #isBatched: boolean;
  readonly #flags = new Map<BooleanControl, { readonly no: Tensor; readonly yes: Tensor }>();

  constructor({ sequence, batched }: ModelConfig) {
    this.#controls = sequence?.controls ?? [];
    this.#isBatched = batched;
    for (const control of this.#controls)
      if (control.kind !== 'CORRID')
        this.#flags.set(control, {
          no: this.#tensor(control, numberBytes(control, control.falseValue)),
          yes: this.#tensor(control, numberBytes(control, control.trueValue)),
        });
  }

  /** One for each control of the configuration, in its order. */
  of(step: ControlledStep): Tensor[] {
    return this.#controls.map((control) => this.#of(control, step));
  }

  /** Of a row in which there is no step; undefined: there is nothing to say, as of an id. */
  ofNothing(index: number): Tensor | undefined {
    const control = this.#controls[index];
    return control && control.kind !== 'CORRID' ? this.#flags.get(control)!.no : undefined;
  }

  // ---- details below; callers need not read ----

  #of(control: ControlSpec, { isStart, isEnd, sequence }: ControlledStep): Tensor {
    if (control.kind === 'CORRID')
      return this.#tensor(control, sequenceIdBytes(sequence.id, control));
    const { no, yes } = this.#flags.get(control)!;
    if (control.kind === 'START') return isStart ? yes : no;
    if (control.kind === 'END') return isEnd ? yes : no;
    return yes;
  }

  #tensor({ name, dataType }: ControlSpec, data: Uint8Array): Tensor {
    return { name, dataType, shape: this.#isBatched ? [1, 1] : [1], data };
  }
}

function numberBytes({ dataType }: BooleanControl, value: number): Uint8Array {
  if (dataType === 'BOOL') return Uint8Array.of(value);
  const list = dataType === 'INT32' ? Int32Array.of(value) : Float32Array.of(value);
  return new Uint8Array(list.buffer);
}
