import { describe, expect, it } from 'vitest';
import { Circuit } from './circuit.js';

describe('Circuit', () => {
  const create = (): Circuit => new Circuit({ failuresToOpen: 3, pauseMs: 100 });
  const open = (): Circuit => {
    const circuit = create();
    for (let i = 0; i < 3; i++) circuit.failed(0);
    return circuit;
  };

  it('asks until there were enough failures in a row, and tells which one was the last', () => {
    const circuit = create();

    expect([circuit.failed(0), circuit.failed(0), circuit.succeeded()]).toEqual([
      false,
      false,
      false,
    ]);
    expect([circuit.failed(0), circuit.failed(0), circuit.mayAsk(0)]).toEqual([false, false, true]);
    expect([circuit.failed(0), circuit.failed(0), circuit.mayAsk(0)]).toEqual([true, false, false]);
  });

  it('lets one question through after each pause', () => {
    const circuit = open();

    expect([99, 100, 101, 199, 200].map((now) => circuit.mayAsk(now))).toEqual([
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  it('asks again when the question of a pause was answered', () => {
    const circuit = open();

    circuit.mayAsk(100);

    expect(circuit.succeeded()).toBe(true);
    expect([circuit.isOpen, circuit.mayAsk(101)]).toEqual([false, true]);
  });
});
