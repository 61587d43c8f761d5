// PURE: does a positional batch go now? As Triton's direct scheduler: whatever is there goes at once, unless the configuration
// names both a delay and a share of the slots that is worth not waiting for it.

import type { CloseReason } from '../core/model-statistics.js';

export interface SlotUse {
  /** Slots whose next request is here. */
  readonly ready: number;
  readonly slots: number;
  /** When the longest waiting of these requests came. */
  readonly oldestAtMs: number;
}

export type SlotDecision =
  | { readonly kind: 'dispatch'; readonly reason: CloseReason }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'idle' };

export function decideSlots(
  { ready, slots, oldestAtMs }: SlotUse,
  options: { readonly maxDelayMs: number; readonly minimumSlotUtilization: number },
  nowMs: number,
): SlotDecision {
  if (ready === 0) return { kind: 'idle' };
  if (ready === slots) return { kind: 'dispatch', reason: 'max' };
  const { maxDelayMs, minimumSlotUtilization } = options;
  if (maxDelayMs === 0 || minimumSlotUtilization === 0) return { kind: 'dispatch', reason: 'idle' };
  if (ready / slots >= minimumSlotUtilization) return { kind: 'dispatch', reason: 'preferred' };
  const goesAt = oldestAtMs + maxDelayMs;
  return nowMs >= goesAt
    ? { kind: 'dispatch', reason: 'delay' }
    : { kind: 'wait', untilMs: goesAt };
}
