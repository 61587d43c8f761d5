import { describe, expect, it } from 'vitest';
import { ScriptSequences } from './script-sequences.js';

const step = { id: 7, serial: 1, start: false, end: false };

describe('ScriptSequences', () => {
  it('hands what a step has left to the next one of its sequence, and to no other', () => {
    const sequences = new ScriptSequences();

    sequences.step({ ...step, start: true }).state = 'left';

    expect(sequences.step(step)).toMatchObject({ id: 7, start: false, end: false, state: 'left' });
    expect(sequences.step({ ...step, serial: 2 }).state).toBeUndefined();
  });

  it('begins with nothing, also where the sequence has not ended', () => {
    const sequences = new ScriptSequences();
    sequences.step({ ...step, start: true }).state = 'left';

    expect(sequences.step({ ...step, start: true }).state).toBeUndefined();
  });

  it('keeps nothing of a sequence that is over, whatever code does that goes on', () => {
    const sequences = new ScriptSequences();
    const late = sequences.step({ ...step, start: true, end: true });
    sequences.forget(1);

    late.state = 'late';

    expect(sequences.size).toBe(0);
  });
});
