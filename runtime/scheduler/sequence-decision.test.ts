import { describe, expect, it } from 'vitest';
import { decideSlots } from './sequence-decision.js';

const patient = { maxDelayMs: 5, minimumSlotUtilization: 0.5 };

describe('decideSlots', () => {
  it.each([
    ['does nothing without a request', 0, patient, 0, { kind: 'idle' }],
    ['sends a full batch', 4, patient, 0, { kind: 'dispatch', reason: 'max' }],
    ['sends what is worth it', 2, patient, 0, { kind: 'dispatch', reason: 'preferred' }],
    ['waits for more', 1, patient, 4, { kind: 'wait', untilMs: 105 }],
    ['waits no longer than the delay', 1, patient, 5, { kind: 'dispatch', reason: 'delay' }],
    [
      'does not wait without a delay',
      ...([1, { ...patient, maxDelayMs: 0 }, 0, { kind: 'dispatch', reason: 'idle' }] as const),
    ],
    [
      'does not wait without a share that would be worth it',
      ...([
        1,
        { ...patient, minimumSlotUtilization: 0 },
        0,
        { kind: 'dispatch', reason: 'idle' },
      ] as const),
    ],
  ])('%s', (_name, ready, options, waitedMs, decision) => {
    const use = { ready, slots: 4, oldestAtMs: 100 };

    expect(decideSlots(use, options, 100 + waitedMs)).toEqual(decision);
  });
});
