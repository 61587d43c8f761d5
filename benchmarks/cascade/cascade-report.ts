// What a cascade gains over its last stage, and what that costs.

import type { Outcome } from '../command/outcome.js';
import { median, ratioOf } from '../median.js';
import { atLeast, atMost } from '../report/claim.js';
import { percent, ratioText } from '../report/figure-text.js';

const MOST_POINTS = 0.5;
const LEAST_SPEED = 5;

export interface ModelFigures {
  readonly label: string;
  /** Share of the messages. */
  readonly accuracy: number;
  /** By round. */
  readonly messagesPerSecond: readonly number[];
}

export interface CascadeFigures {
  readonly messages: number;
  readonly batch: number;
  /** Messages that the second stage answered. */
  readonly passedOn: number;
  /** The last stage for all, the cascade, the first stage for all. */
  readonly models: readonly ModelFigures[];
}

export function cascadeOutcome(figures: CascadeFigures): Outcome {
  const { messages, batch, passedOn, models } = figures;
  const [heavy, cascade] = models as [ModelFigures, ModelFigures];
  const speed = ratioOf(cascade.messagesPerSecond, heavy.messagesPerSecond);
  const lostPoints = Math.max(0, heavy.accuracy - cascade.accuracy) * 100;
  return {
    tables: [
      {
        head: ['', 'accuracy', 'messages / s', '÷ spam_heavy'],
        rows: models.map((model) => [
          model.label,
          `${(model.accuracy * 100).toFixed(2)} %`,
          Math.round(median(model.messagesPerSecond)).toLocaleString('en-US'),
          model === heavy
            ? ''
            : ratioText(ratioOf(model.messagesPerSecond, heavy.messagesPerSecond)),
        ]),
      },
    ],
    notes: [
      `${messages.toLocaleString('en-US')} held-out messages, ${batch} in a request, 4 requests at a time; medians of ` +
        `${heavy.messagesPerSecond.length} rounds in turns, ratios round by round (lowest–highest).`,
      `The second stage of the cascade answered ${passedOn} messages (${percent(passedOn / messages)}).`,
    ],
    claims: [
      atMost('points of accuracy lost', lostPoints, MOST_POINTS),
      atLeast('throughput of the cascade ÷ of spam_heavy', speed.median, LEAST_SPEED),
    ],
    figures,
  };
}
